"""The shadow of each record at ZautoAI, and the request that its next delivery needs.

The shadow is a fold: an absent field keeps, an explicit null clears, anything else replaces.
Every PUT and POST sends the fold, so a sparser message loses nothing an earlier one brought.

Fields sent `on: create` belong to the clinic's staff once the record is there. Their values are
kept apart (`Entity.initial`) for a record that must be made, and are no part of a PUT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.causes import Cause, CauseKind
from bridge.delivery import (
    Call,
    Delivery,
    Entity,
    Interaction,
    Outcome,
    Payload,
    Reason,
    Request,
    Step,
)
from bridge.message import Status
from bridge.pipeline.records.identity import differs, same_issuer
from bridge.zauto.catalogue import Resource

#: begins the issuer of an id that a FHIR server made up itself (`FHIR Patient.id`)
SERVER_ISSUED = "FHIR "


@dataclass(frozen=True, slots=True)
class Settled:
    """A delivery that ends without a request."""

    status: Status
    cause: Cause | None = None
    #: what to keep of the record; None leaves it as it was
    entity: Entity | None = None


def fold(base: Payload, change: Payload) -> Payload:
    """What holds after `change`: absent keeps, null stays as a null, a list replaces."""
    return {**base, **change}


def learn(entity: Entity | None, call: Call) -> Entity:
    """The record with what a call says of it; a CREATE fills only what nothing was said of."""
    entity = entity or Entity(call.resource, call.external_id)
    stated = {name: v for name, v in call.payload.items() if name not in call.create_only}
    first = {name: v for name, v in call.payload.items() if name in call.create_only}
    if call.interaction is Interaction.CREATE:
        desired, initial = fold(stated, entity.desired), fold(first, entity.initial)
    else:
        desired, initial = fold(entity.desired, stated), fold(entity.initial, first)
    return replace(
        entity,
        desired=desired,
        initial=initial,
        authority=entity.authority or call.authority,
        facts=facts_with(entity, call),
    )


def facts_with(entity: Entity, call: Call) -> Mapping[str, str]:
    """The facts of a record with those of a call; a CREATE leaves alone what is known."""
    if call.interaction is Interaction.CREATE:
        return {**call.facts, **entity.facts}
    return {**entity.facts, **call.facts}


def create_body(learned: Entity) -> Payload:
    """What a POST sends: the fold over the initial values, without nulls."""
    fields = fold(learned.initial, learned.desired) | {"id": learned.external_id}
    return {name: value for name, value in fields.items() if value is not None}


def update_body(learned: Entity, call: Call) -> Payload:
    """What a PUT sends: the fold of all we manage.

    A field of the staff goes along only when this call states it, or when an earlier statement
    was never accepted. The same fold is what a record must not differ from to count as written.
    """
    stated = call.payload.keys() - call.create_only
    staff = learned.initial.keys() | call.create_only
    sent = learned.sent or {}
    return {
        name: value
        for name, value in learned.desired.items()
        if name != "id" and (name not in staff or name in stated or sent.get(name) != value)
    }


def conflicting(entity: Entity | None, call: Call, same: Sequence[Sequence[str]]) -> bool:
    """Whether a call's id was issued by another than the record's, as far as the site says.

    Where one of them names no issuer they are taken for the same, unless the other is an id that a
    FHIR server made up itself: that it equals a hospital's number is chance.
    """
    if entity is None or entity.authority == call.authority:
        return False
    one, other = entity.authority, call.authority
    if one and other:
        return not same_issuer(one, other, same)
    # a resource that is known by its reference names no issuer any more: it is no question
    return other.startswith(SERVER_ISSUED) or (
        one.startswith(SERVER_ISSUED) and not call.references
    )


def decide(
    delivery: Delivery,
    entity: Entity | None,
    resource: Resource,
    same_authorities: Sequence[Sequence[str]] = (),
) -> Request | Settled:
    """The next request of a delivery, or how it ends without one.

    `same_authorities` are groups of assigning authorities that mean the same one.
    """
    call = delivery.call
    if entity is not None and conflicting(entity, call, same_authorities):
        return Settled(Status.PARKED, conflict(entity, call))
    if delivery.step in (Step.VERIFY, Step.IDENTIFY):
        return Request("GET", call.resource, call.external_id, None)
    if call.interaction is Interaction.DELETE:
        return _delete(call, entity)
    if _exists(delivery, entity):
        return _update(delivery, entity, resource)
    return _create(learn(entity, call), resource)


def after(
    entity: Entity | None,
    delivery: Delivery,
    request: Request,
    outcome: Outcome,
    resource: Resource,
) -> Entity | None:
    """What to keep of the record once a request went this way; None keeps nothing of it.

    Only what ZautoAI took is folded in: what it refused must not spoil every later request. A
    record that was read counts as taken when it does not differ from what a PUT would send (for
    CREATE: when it is there), and only the fields that the answer shows count as sent.
    """
    if delivery.call.interaction is Interaction.DELETE:
        return _gone(entity) if outcome.reason in _GONE else entity
    match outcome.reason:
        case Reason.ACCEPTED:
            learned = learn(entity, delivery.call)
            base = {} if request.method == "POST" else learned.sent or {}
            return replace(learned, sent=fold(base, request.body or {}))
        case Reason.FOUND:
            return _read(entity, delivery.call, outcome.record or {}, resource)
        case Reason.NOT_FOUND | Reason.ABSENT:
            return replace(entity, sent=None) if entity else None
    return entity


#: what says of a record that was to be deleted that it is not there
_GONE = frozenset({Reason.ACCEPTED, Reason.NOT_FOUND, Reason.ABSENT})


def _gone(entity: Entity | None) -> Entity | None:
    """Nothing that was said of it before counts for one that is made under its id later."""
    return replace(entity, desired={}, initial={}, sent=None) if entity else None


def _exists(delivery: Delivery, entity: Entity | None) -> bool:
    known = entity is not None and entity.sent is not None
    return delivery.step is Step.PUT or (delivery.step is Step.APPLY and known)


def _create(learned: Entity, resource: Resource) -> Request | Settled:
    body = create_body(learned)
    missing = [name for name in resource.fields if name in resource.required() - body.keys()]
    if missing:
        return _parked_as_incomplete(missing, learned)
    return Request("POST", learned.resource, learned.external_id, body)


def _delete(call: Call, entity: Entity | None) -> Request | Settled:
    if entity is None or entity.sent is None:
        return Settled(Status.SUPPRESSED, Cause(CauseKind.NOT_OURS))
    return Request("DELETE", call.resource, call.external_id, None)


def _update(delivery: Delivery, entity: Entity | None, resource: Resource) -> Request | Settled:
    call = delivery.call
    if call.interaction is Interaction.CREATE:
        return Settled(Status.SUPPRESSED, Cause(CauseKind.EXISTS))
    learned = learn(entity, call)
    body = update_body(learned, call)
    cleared = [name for name in sorted(resource.required()) if body.get(name, "") is None]
    if cleared:
        return _parked_as_incomplete(cleared, learned)
    if not body or (delivery.step is Step.APPLY and _holds(learned.sent or {}, body)):
        return Settled(Status.SUPPRESSED, Cause(CauseKind.NOTHING_CHANGED), learned)
    return Request("PUT", call.resource, call.external_id, body)


def _holds(sent: Payload, body: Payload) -> bool:
    return all(sent.get(name) == value for name, value in body.items())


def _read(entity: Entity | None, call: Call, record: Payload, resource: Resource) -> Entity | None:
    learned = learn(entity, call)
    must_match = call.interaction is not Interaction.CREATE
    if must_match and differs(resource, update_body(learned, call), record):
        return entity
    ours = fold(learned.initial, learned.desired)
    different = {"id", *differs(resource, ours, record)}
    seen = {n: v for n, v in ours.items() if n in record and n not in different}
    return replace(learned, sent=fold(learned.sent or {}, seen))


def _parked_as_incomplete(missing: Sequence[str], learned: Entity) -> Settled:
    return Settled(Status.PARKED, Cause(CauseKind.INCOMPLETE, fields=tuple(missing)), learned)


def conflict(entity: Entity, call: Call) -> Cause:
    """Why a call about an id that another issued is not made."""
    return Cause(
        CauseKind.CONFLICT_ISSUER,
        resource=call.resource,
        issuer=entity.authority,
        other_issuer=call.authority,
    )
