"""What follows for the orders queued behind one that the hospital did not take."""

from __future__ import annotations

from bridge.causes import Cause, CauseKind
from bridge.delivery import Delivery
from bridge.message import Status
from bridge.store.deliveries import DeliveryTransaction


def park_behind(tx: DeliveryTransaction, parked: Delivery, now: float) -> int:
    """Park orders for the same services, and return how many: they would change, credit or charge
    again what the hospital does not have."""
    cause = Cause(CauseKind.BEHIND_REFUSED_ORDER, message_id=parked.message_id)
    behind = tx.orders_behind(parked.id)
    for delivery_id in behind:
        tx.settle(delivery_id, Status.PARKED, at=now, cause=cause)
    return len(behind)
