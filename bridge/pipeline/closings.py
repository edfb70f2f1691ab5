"""What is closed: calls that would only fail are not made, until it is worth trying again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.delivery import Kind, Outcome, Reason
from bridge.pipeline.settle import closing
from bridge.zauto.headers import LONGEST

#: the longest that anything stays closed only because it failed the last time too
MOST_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Closed:
    """One resource, or all of them, that takes no calls."""

    #: epoch seconds
    until: float
    reason: Reason
    #: closed how often in a row, with nothing that went well between
    times: int = 1

    def lasts(self, now: float) -> bool:
        """Whether it is closed now; one that ends later than any may was made before the clock
        was set back."""
        return 0.0 < self.until - now <= LONGEST


class Closings:
    """What is closed of one far end, by resource; "" stands for all of them."""

    def __init__(self) -> None:
        self._closed: dict[str, Closed] = {}

    def note(self, outcome: Outcome, resource: str, now: float) -> Closed | None:
        """Close what an outcome says must be closed; returns it where it was not closed before."""
        found = closing(outcome, resource)
        if found is None:
            self._forget(outcome, resource, now)
            return None
        known = self._closed.get(found.resource)
        if known is not None and known.lasts(now) and known.until - now >= found.seconds:
            return None
        # Requests that were under way together are one failure.
        again = known is not None and known.reason is found.reason
        times = 1 if known is None or not again else known.times + (not known.lasts(now))
        seconds = outcome.retry_after or min(found.seconds * 2 ** (times - 1), MOST_SECONDS)
        closed = self._closed[found.resource] = Closed(now + seconds, found.reason, times)
        return closed

    def _forget(self, outcome: Outcome, resource: str, now: float) -> None:
        """What goes well after a closing ended ends the row of them."""
        if outcome.kind is Kind.DELIVERED:
            for name in ("", resource):
                if name in self._closed and not self._closed[name].lasts(now):
                    del self._closed[name]

    def of(self, resource: str, now: float) -> Closed | None:
        """Why this resource takes no calls now, or None; "" asks of all."""
        closed = self._closed.get(resource)
        return closed if closed is not None and closed.lasts(now) else None

    def all(self, now: float) -> Mapping[str, Closed]:
        """Everything that is closed now."""
        # Copied at once, because the store's writer notes outcomes in another thread.
        return {name: each for name, each in self._closed.copy().items() if each.lasts(now)}

    def clear(self) -> None:
        """Let everything go."""
        self._closed.clear()
