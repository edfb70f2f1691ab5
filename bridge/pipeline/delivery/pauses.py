"""Pauses: what a person wants no deliveries made of, over a restart too."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from bridge.delivery import Target
from bridge.errors import BridgeError

#: name under which the store keeps what is paused
PAUSED_NOTE = "paused"


class Destination(StrEnum):
    """A far end as people name it."""

    ZAUTOAI = "zautoai"
    HOSPITAL = "hospital"

    @property
    def target(self) -> Target:
        """Its name in the store."""
        return Target.ZAUTO if self is Destination.ZAUTOAI else Target.HOSPITAL

    @property
    def words(self) -> str:
        """Its name in a sentence."""
        return "ZautoAI" if self is Destination.ZAUTOAI else "the hospital"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a person pauses or resumes: everything where nothing is named."""

    destination: Destination | None = None
    #: a resource of ZautoAI
    resource: str = ""
    #: name of the channel that messages came in through
    channel: str = ""
    #: external id of a patient, or a number that leads to it
    patient: str = ""

    @property
    def by_message(self) -> bool:
        """Whether it selects single deliveries by where they came from or whom they concern."""
        return bool(self.channel or self.patient)

    def check(self, resources: Collection[str], channels: Collection[str]) -> None:
        """Raise BridgeError where its parts cannot be combined or a name does not exist."""
        names = ("destination", "resource", "channel", "patient")
        given = [f"--{name}" for name in names if getattr(self, name)]
        if self.by_message and len(given) > 1:
            raise BridgeError(f"{' and '.join(given)} cannot be combined: give one of them")
        if self.resource and self.destination is Destination.HOSPITAL:
            raise BridgeError("the hospital has no resources: leave --destination out")
        for kind, name, known in (
            ("resource", self.resource, resources),
            ("channel", self.channel, channels),
        ):
            if name and name not in known:
                raise BridgeError(f"there is no {kind} '{name}'; there are {_listed(known)}")


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


@dataclass(frozen=True, slots=True)
class Pauses:
    """What is paused: destinations, resources of ZautoAI, channels and patients."""

    destinations: frozenset[Destination] = frozenset()
    resources: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    #: numbers as they were typed; each stands for all numbers of its patient
    patients: frozenset[str] = frozenset()

    @property
    def all(self) -> bool:
        """Whether nothing is delivered anywhere."""
        return self.destinations == frozenset(Destination)

    @classmethod
    def of(cls, selection: Selection) -> Pauses:
        """A pause of this selection alone."""
        if selection.resource:
            return cls(resources=frozenset({selection.resource}))
        if selection.channel:
            return cls(channels=frozenset({selection.channel}))
        if selection.patient:
            return cls(patients=frozenset({selection.patient}))
        named = selection.destination
        return cls(destinations=frozenset(Destination if named is None else {named}))

    def paused(self, selection: Selection) -> Pauses:
        """These and a selection."""
        more = Pauses.of(selection)
        return Pauses(
            self.destinations | more.destinations,
            self.resources | more.resources,
            self.channels | more.channels,
            self.patients | more.patients,
        )

    def resumed(self, selection: Selection) -> Pauses:
        """These without a selection; nothing is left where it names nothing."""
        if selection == Selection():
            return Pauses()
        ended = Pauses.of(selection)
        return Pauses(
            self.destinations - ended.destinations,
            self.resources - ended.resources,
            self.channels - ended.channels,
            self.patients - ended.patients,
        )

    def note(self) -> str:
        """As the store keeps them."""
        return json.dumps(
            {
                "destinations": sorted(self.destinations),
                "resources": sorted(self.resources),
                "channels": sorted(self.channels),
                "patients": sorted(self.patients),
            }
        )

    @classmethod
    def read(cls, note: str | None) -> Pauses:
        """From what `note` made, or an earlier version: `yes` for all, `no` for none, and no
        channels or patients."""
        if note in (None, "", "no"):
            return cls()
        if note == "yes":
            return cls.of(Selection())
        kept = json.loads(note or "{}")
        return cls(
            frozenset(map(Destination, kept["destinations"])),
            frozenset(kept["resources"]),
            frozenset(kept.get("channels", ())),
            frozenset(kept.get("patients", ())),
        )
