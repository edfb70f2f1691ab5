"""Poison messages: deliveries that get no clear answer, although others do.

An outage is no fault of a delivery's: what goes unanswered counts only where some other record was
written since the time before. The store counts, so that a restart does not start over.
"""

from __future__ import annotations

from bridge.delivery import Outcome, Reason
from bridge.store.contract import Transaction

#: times one delivery may get no clear answer while others are written, before it is poison
POISON = 8

#: reasons that say nothing of the request itself; an outage gives them to every request
_UNCLEAR = frozenset(
    {
        Reason.NO_ANSWER,
        Reason.SERVER_ERROR,
        Reason.UNREADABLE_ANSWER,
        Reason.NOT_THE_API,
    }
)


def count_unclear(tx: Transaction, delivery_id: int, outcome: Outcome) -> int:
    """How often a delivery had no clear answer, this outcome included; 0 of a clear answer."""
    if outcome.reason is Reason.ACCEPTED:
        tx.record_written()
    return tx.count_unclear(delivery_id) if outcome.reason in _UNCLEAR else 0


def is_poison(outcome: Outcome, unclear: int) -> bool:
    """Whether a delivery that had no clear answer so often is given up because of this outcome."""
    return unclear >= POISON and outcome.reason in _UNCLEAR
