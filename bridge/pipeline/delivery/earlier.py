"""Earlier: what the requests of a delivery before this one say."""

from __future__ import annotations

from bridge.delivery import Delivery, Interaction, Reason, Step
from bridge.pipeline.delivery.deliver import Attempted
from bridge.store.deliveries import DeliveryView


def may_come_late(delivery: Delivery) -> bool:
    """Whether a request that went unanswered may yet overwrite what later ones write."""
    unanswered = delivery.step is Step.VERIFY and delivery.attempts > 0
    return unanswered and delivery.call.interaction is Interaction.UPSERT


def reasons(tx: DeliveryView, attempted: Attempted) -> list[Reason]:
    """How the delivery's requests before this one ended."""
    earlier = tx.attempts_of(attempted.delivery.id)
    return [
        each.outcome.reason
        for each in earlier
        if each.outcome is not None and each.id != attempted.attempt_id
    ]
