"""Which of ZautoAI's endpoints are there: as the settings say, and as its answers show.

The vendor's document writes down only two of five operations for visits; the catalogue assumes the
others. An endpoint that is not there answers 404 or 405 as any web server would, and so does a
gateway that is in trouble: such an answer never means that a record is absent.
"""

from __future__ import annotations

from collections.abc import Collection

from bridge.delivery import Outcome, Reason, Request
from bridge.zauto.catalogue import Operation

#: seconds after which what was found missing is tried again
AGAIN = 3600.0


class Endpoints:
    """Operations that are offered, by resource."""

    def __init__(self, not_offered: Collection[str] = ()) -> None:
        """`not_offered` are the settings' words: `read patient-visits`."""
        self._told = frozenset(not_offered)
        #: until when each is taken as missing, epoch seconds
        self._missing: dict[str, float] = {}

    def offers(self, operation: Operation, resource: str, now: float) -> bool:
        """Whether to use it."""
        name = f"{operation} {resource}"
        return name not in self._told and not 0.0 < self._missing.get(name, 0.0) - now <= AGAIN

    def lacks(self, operation: Operation, resource: str, now: float) -> None:
        """It was found missing."""
        self._missing[f"{operation} {resource}"] = now + AGAIN

    def note_read(self, request: Request, outcome: Outcome, now: float) -> None:
        """Learn from a read: one by id that a stranger answered is next made by the list, and the
        other way round, as either may be what is missing."""
        name = f"{Operation.READ} {request.resource}"
        if outcome.reason is not Reason.NOT_THE_API:
            return
        if request.by_list:
            self._missing.pop(name, None)
        else:
            self._missing[name] = now + AGAIN

    def found_missing(self, now: float) -> list[str]:
        """What was found missing and is not yet in the settings, `read patient-visits`."""
        known = self._missing.copy().items()
        return sorted(name for name, until in known if 0.0 < until - now <= AGAIN)
