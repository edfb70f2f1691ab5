"""The records that a delivery refers to: whether they are on their way, and what to do when
ZautoAI has lost one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bridge.causes import Cause, CauseKind
from bridge.delivery import Call, Delivery, Entity, Interaction, Outcome, Reason, Request, Target
from bridge.message import Status
from bridge.pipeline.delivery.deliver import Attempted
from bridge.pipeline.delivery.history import reasons
from bridge.pipeline.delivery.settle import Settle
from bridge.pipeline.records.lanes import lane_of
from bridge.store.contract import Transaction
from bridge.zauto.catalogue import Catalogue

#: position of a delivery that makes a lost referent again: behind the message's own calls
REBUILT = 1000
#: how often a delivery may be told that ZautoAI lacks a record it refers to
MOST_RETURNS = 5


@dataclass(frozen=True, slots=True)
class Block:
    """The delivery's lane waits until a delivery for `resource/external id` settles."""

    key: str


def wait_for(tx: Transaction, catalogue: Catalogue, delivery: Delivery) -> Settle | Block | None:
    """What must be there before this delivery is worth a call; None where nothing is missing."""
    call = delivery.call
    ahead = tx.ahead(call.resource, call.external_id, delivery.lane, delivery.id)
    if ahead is not None and ahead.status is Status.HELD:
        return _held(ahead.waits_for, Cause(CauseKind.BEHIND_EVENT))
    if ahead is not None:
        # the record belonged to another when that was planned
        return Block(call.key)
    for name, referent in catalogue[call.resource].referents().items():
        external_id = call.payload.get(name)
        if external_id:
            found = _wait_for_one(tx, delivery, referent, str(external_id))
            if found is not None:
                return found
    return None


def _wait_for_one(
    tx: Transaction, delivery: Delivery, referent: str, external_id: str
) -> Settle | Block | None:
    known = tx.entity(referent, external_id)
    if known is not None and known.sent is not None:
        return None
    pending = tx.unsettled(referent, external_id, besides=delivery.id)
    if pending is None:
        return None
    key = f"{referent}/{external_id}"
    if pending is Status.WAITING and delivery.lane != key and _is_behind(tx, delivery, key):
        return Block(key)
    return _held_for(referent, external_id)


def _is_behind(tx: Transaction, delivery: Delivery, key: str) -> bool:
    """Whether something earlier is on its way for a record.

    A lane blocks only on what is earlier than its head, so that no two wait for each other: what
    is later may queue behind a lane that waits for this one.
    """
    resource, _, external_id = key.partition("/")
    return any(each.id < delivery.id for each in tx.pending(resource, external_id))


def after_lost(
    tx: Transaction, catalogue: Catalogue, attempted: Attempted, outcome: Outcome, now: float
) -> Settle:
    """ZautoAI lacks a referent: make it again where we know it, and wait for it."""
    missing = _lost(catalogue, attempted.request, outcome)
    returned = reasons(tx, attempted).count(Reason.REFERENT_MISSING) + 1
    if not missing or returned >= MOST_RETURNS:
        return Settle(Status.PARKED, Cause(CauseKind.MISSING_REFERENT))
    for key in missing:
        _make_again(tx, catalogue, attempted.delivery.message_id, key, now)
    return _held_for(*missing[0])


def _held_for(referent: str, external_id: str) -> Settle:
    cause = Cause(CauseKind.WAITS_FOR_REFERENT, resource=referent)
    return _held(f"{referent}/{external_id}", cause)


def _held(key: str, cause: Cause) -> Settle:
    return Settle(Status.HELD, cause, waits_for=key)


def _lost(catalogue: Catalogue, request: Request, outcome: Outcome) -> list[tuple[str, str]]:
    """The referents that an answer says are missing, or all that were sent where it names none."""
    body = request.body or {}
    sent = {
        name: (referent, str(body[name]))
        for name, referent in catalogue[request.resource].referents().items()
        if body.get(name)
    }
    named = [sent[error.field] for error in outcome.field_errors if error.field in sent]
    return named or list(sent.values())


def _make_again(
    tx: Transaction, catalogue: Catalogue, message_id: int, key: tuple[str, str], now: float
) -> None:
    """Send a record that ZautoAI has lost again, where it is known and not on its way already."""
    entity = tx.entity(*key)
    if entity is None or (not entity.desired and entity.sent is None):
        return
    tx.put_entity(replace(entity, sent=None))
    pending = tx.unsettled(entity.resource, entity.external_id, besides=0)
    if pending is not Status.WAITING:
        call = whole(entity)
        tx.add(message_id, REBUILT, lane_of(call, catalogue), call, now)


def whole(entity: Entity) -> Call:
    """A call that says again all that is known of a record."""
    return Call(
        Target.ZAUTO,
        Interaction.UPSERT,
        entity.resource,
        entity.external_id,
        {**entity.initial, **entity.desired},
        create_only=frozenset(entity.initial.keys() - entity.desired.keys()),
    )
