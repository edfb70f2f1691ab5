"""Priority: which requests to ZautoAI go first when not all can."""

from __future__ import annotations

from bridge.delivery import Delivery, Interaction, Request
from bridge.zauto.budget import Priority
from bridge.zauto.catalogue import Catalogue


class Priorities:
    """Tells the priority of a request from the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        #: resources of one patient's lane: those that cannot be without another, and that other
        self._of_patients: set[str] = set()
        #: resources that others may name
        self._named: set[str] = set()
        for resource in catalogue.resources.values():
            self._named |= set(resource.referents().values())
            for name, referent in resource.referents().items():
                if resource.fields[name].required:
                    self._of_patients |= {resource.name, referent}

    def of(self, delivery: Delivery, request: Request) -> Priority:
        """How urgent a request is: a provider that a visit names is as urgent as the visit, while
        a speciality, which nothing names, can wait."""
        if request.method == "GET":
            return Priority.VERIFY
        create = delivery.call.interaction is Interaction.CREATE
        waited_for = create and request.resource in self._named
        if request.resource not in self._of_patients and not waited_for:
            return Priority.REFERENCE
        return Priority.CREATE if request.method == "POST" else Priority.UPDATE
