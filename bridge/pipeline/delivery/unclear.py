"""Unclear: deliveries that get no clear answer, although others do.

An outage is no fault of a delivery's: what goes unanswered counts only where some other record was
written since the time before. The store counts, so that a restart does not start over.
"""

from __future__ import annotations

from bridge.delivery import Outcome
from bridge.pipeline.delivery.settle import UNCLEAR
from bridge.store.contract import Transaction


def count_unclear(tx: Transaction, delivery_id: int, outcome: Outcome) -> int:
    """How often a delivery had no clear answer, this outcome included; 0 of a clear answer."""
    return tx.count_unclear(delivery_id) if outcome.reason in UNCLEAR else 0
