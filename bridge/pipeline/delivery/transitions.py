"""Transitions: what was decided of a delivery is carried out in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.delivery import Delivery, Target
from bridge.message import Status
from bridge.pipeline.delivery.settle import Next, Postpone
from bridge.store.contract import Transaction


@dataclass(frozen=True, slots=True)
class Transitions:
    """Moves the deliveries of one destination on."""

    target: Target
    #: gives a factor around 1 for each wait
    jitter: Callable[[], float]
    #: is called for each delivery that ends
    settled: Callable[[Target, Status], None]

    def make(self, tx: Transaction, delivery: Delivery, following: Next, now: float) -> None:
        """Settle the delivery, or let it wait at the head of its lane."""
        if isinstance(following, Postpone):
            tx.postpone(
                delivery.id,
                following.step,
                due_at=now + following.wait * self.jitter(),
                attempts=delivery.attempts + following.counts,
                cause=following.cause,
            )
            return
        self.settled(self.target, following.status)
        tx.settle(
            delivery.id,
            following.status,
            at=now,
            cause=following.cause,
            waits_for=following.waits_for,
        )
