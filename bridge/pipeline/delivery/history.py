"""History: what the requests of a delivery before this one say."""

from __future__ import annotations

from bridge.delivery import Outcome, Reason
from bridge.pipeline.delivery.deliver import Attempted
from bridge.pipeline.delivery.poison import count_unclear
from bridge.pipeline.delivery.settle import Past
from bridge.store.contract import Transaction
from bridge.store.deliveries import DeliveryView


def reasons(tx: DeliveryView, attempted: Attempted) -> list[Reason]:
    """How the delivery's requests before this one ended."""
    earlier = tx.attempts_of(attempted.delivery.id)
    return [
        each.outcome.reason
        for each in earlier
        if each.outcome is not None and each.id != attempted.attempt_id
    ]


def past_of(tx: Transaction, attempted: Attempted, outcome: Outcome) -> Past:
    """What the state table asks of the past; an unclear outcome is counted with it."""
    earlier: list[Reason] = []
    if outcome.reason in (Reason.NOT_FOUND, Reason.NOT_THE_API):
        earlier = reasons(tx, attempted)
    return Past(
        failures=attempted.failures,
        flips=earlier.count(Reason.NOT_FOUND),
        strangers=earlier.count(Reason.NOT_THE_API),
        unclear=count_unclear(tx, attempted.delivery.id, outcome),
    )
