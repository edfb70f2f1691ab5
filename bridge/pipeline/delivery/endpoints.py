"""Which of ZautoAI's endpoints are there: as the settings say, and as its answers show.

The vendor's document writes down only two of five operations for visits; the catalogue assumes the
others. An endpoint that is not there answers 404 or 405 as any web server would, and so does a
gateway that is in trouble: such an answer never means that a record is absent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from bridge.delivery import Outcome, Reason, Request, Target
from bridge.store.contract import Transaction
from bridge.store.far_end import MissingEndpoint
from bridge.zauto.catalogue import Operation

#: seconds after which what was found missing is tried again
AGAIN = 3600.0


class Endpoints:
    """Operations that are offered, by resource."""

    def __init__(self, not_offered: Collection[str] = ()) -> None:
        """`not_offered` are the settings' words: `read patient-visits`."""
        self._told = frozenset(not_offered)
        #: by name: what was found missing
        self._missing: dict[str, MissingEndpoint] = {}

    def take_up(self, kept: Iterable[MissingEndpoint]) -> None:
        """Take up what the store keeps."""
        self._missing = {f"{each.operation} {each.resource}": each for each in kept}

    def offers(self, operation: Operation, resource: str, now: float) -> bool:
        """Whether to use it."""
        name = f"{operation} {resource}"
        if name in self._told:
            return False
        missing = self._missing.get(name)
        return missing is None or not _lasts(missing, now)

    def lacks(self, tx: Transaction, operation: Operation, resource: str, now: float) -> None:
        """It was found missing."""
        missing = MissingEndpoint(str(operation), resource, now + AGAIN)
        self._missing[f"{operation} {resource}"] = missing
        tx.put_missing_endpoint(Target.ZAUTO, missing)

    def adapted(self, request: Request, now: float) -> Request:
        """The request, or a read by the list where none by id is offered."""
        by_id = request.method != "GET" or self.offers(Operation.READ, request.resource, now)
        return request if by_id else replace(request, by_list=True)

    def lacking(self, request: Request, now: float) -> Operation | None:
        """The operation of a request that cannot be made any other way, and is not offered."""
        for operation in (Operation.UPDATE, Operation.DELETE):
            if request.method == operation.method:
                return None if self.offers(operation, request.resource, now) else operation
        return None

    def note(self, tx: Transaction, request: Request, outcome: Outcome, now: float) -> None:
        """Learn from a read: one by id that a stranger answered is next made by the list, and the
        other way round, as either may be what is missing."""
        if request.method != "GET" or outcome.reason is not Reason.NOT_THE_API:
            return
        if request.by_list:
            self._missing.pop(f"{Operation.READ} {request.resource}", None)
            tx.end_missing_endpoint(Target.ZAUTO, str(Operation.READ), request.resource)
        else:
            self.lacks(tx, Operation.READ, request.resource, now)

    def found_missing(self, now: float) -> list[str]:
        """What was found missing and is not yet in the settings, `read patient-visits`."""
        known = self._missing.copy().items()
        return sorted(name for name, missing in known if _lasts(missing, now))


def _lasts(missing: MissingEndpoint, now: float) -> bool:
    return 0.0 < missing.until - now <= AGAIN
