"""Unclear: deliveries that get no clear answer, although others do."""

from __future__ import annotations

from bridge.delivery import Outcome
from bridge.pipeline.settle import UNCLEAR


class Unclear:
    """Counts, for each delivery, the answers that say nothing of it while others are written.

    An outage is no fault of a delivery's: what goes unanswered counts only where some other record
    was written since the time before.
    """

    def __init__(self) -> None:
        #: how often, and when last, a delivery got no clear answer
        self._counted: dict[int, tuple[int, float]] = {}
        #: when a record was last written
        self._written_at = 0.0

    def written(self, now: float) -> None:
        """ZautoAI took a record."""
        self._written_at = now

    def count(self, delivery_id: int, outcome: Outcome, now: float) -> int:
        """How often it was so of this delivery, this outcome included; 0 of a clear answer."""
        if outcome.reason not in UNCLEAR:
            return 0
        count, before = self._counted.get(delivery_id, (0, now))
        count += self._written_at > before
        self._counted[delivery_id] = (count, now)
        return count

    def forget(self, delivery_id: int) -> None:
        """It is over."""
        self._counted.pop(delivery_id, None)
