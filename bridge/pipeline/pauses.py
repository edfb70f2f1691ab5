"""Pauses: what a person wants no deliveries made to, over a restart too."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bridge.delivery import Target

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
class Pauses:
    """What is paused: destinations, and resources of ZautoAI."""

    destinations: frozenset[Destination] = frozenset()
    resources: frozenset[str] = frozenset()

    @property
    def all(self) -> bool:
        """Whether nothing is delivered anywhere."""
        return self.destinations == frozenset(Destination)

    def paused(self, destination: Destination | None, resource: str) -> Pauses:
        """These, and a resource, a destination or (neither) all destinations."""
        if resource:
            return replace(self, resources=self.resources | {resource})
        named = frozenset(Destination) if destination is None else {destination}
        return replace(self, destinations=self.destinations | named)

    def resumed(self, destination: Destination | None, resource: str) -> Pauses:
        """These without a resource or a destination; nothing is left where neither is named."""
        if resource:
            return replace(self, resources=self.resources - {resource})
        if destination is None:
            return Pauses()
        return replace(self, destinations=self.destinations - {destination})

    def report(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "paused": self.all,
            "paused_destinations": sorted(self.destinations),
            "paused_resources": sorted(self.resources),
        }

    def note(self) -> str:
        """As the store keeps them."""
        return json.dumps(
            {"destinations": sorted(self.destinations), "resources": sorted(self.resources)}
        )

    @classmethod
    def read(cls, note: str | None) -> Pauses:
        """From what `note` made, or a bridge before it: `yes` for all, `no` for none."""
        if note in (None, "", "no"):
            return cls()
        if note == "yes":
            return cls().paused(None, "")
        kept = json.loads(note or "{}")
        return cls(frozenset(map(Destination, kept["destinations"])), frozenset(kept["resources"]))
