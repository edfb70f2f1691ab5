"""Presence: whether ZautoAI has a record, or gets it by what is on its way."""

from __future__ import annotations

from bridge.delivery import Entity
from bridge.message import Status
from bridge.store.deliveries import DeliveryView


def is_there(tx: DeliveryView, entity: Entity) -> bool:
    """ZautoAI has the record, or gets it."""
    return entity.sent is not None or has_pending(tx, entity, Status.WAITING)


def may_be_there(tx: DeliveryView, entity: Entity) -> bool:
    """ZautoAI has the record, or may get it."""
    return entity.sent is not None or has_pending(tx, entity, Status.WAITING, Status.HELD)


def has_pending(tx: DeliveryView, entity: Entity, *statuses: Status) -> bool:
    """Whether one of its deliveries is so."""
    pending = tx.pending(entity.resource, entity.external_id)
    return any(each.status in statuses for each in pending)
