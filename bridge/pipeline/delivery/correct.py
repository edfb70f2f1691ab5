"""Correct: what is known of a record at ZautoAI, after a request about it ended."""

from __future__ import annotations

from dataclasses import replace

from bridge.delivery import Entity, Interaction, Kind, Outcome, Reason, Request, Step
from bridge.message import Status
from bridge.pipeline.delivery.deliver import Attempted
from bridge.pipeline.delivery.settle import Next, Settle
from bridge.pipeline.records.folding import after, learn
from bridge.pipeline.records.identity import in_our_words
from bridge.store.entities import EntityView
from bridge.zauto.catalogue import Catalogue

#: the fact of a record that holds ZautoAI's own id of it
OWN_ID = "zautoId"


def correct(
    entity: Entity | None,
    attempted: Attempted,
    outcome: Outcome,
    following: Next,
    catalogue: Catalogue,
) -> Entity | None:
    """The shadow after the outcome; what belongs to somebody else teaches nothing of ours."""
    delivery, resource = attempted.delivery, catalogue[attempted.delivery.call.resource]
    if isinstance(following, Settle) and following.status is Status.PARKED:
        return _doubted(entity, attempted.request) if _may_be_there(outcome) else entity
    if outcome.reason is Reason.DUPLICATE:
        if delivery.call.interaction is not Interaction.CREATE:
            return entity
        learned = learn(entity, delivery.call)
        return replace(learned, sent=learned.sent or {})
    return _with_own_id(after(entity, delivery, attempted.request, outcome, resource), outcome)


def read_as_ours(
    tx: EntityView, attempted: Attempted, outcome: Outcome, ours: Entity, catalogue: Catalogue
) -> Outcome:
    """An outcome whose record names what it refers to by our ids, where ZautoAI shows its own."""
    if outcome.record is None or attempted.request.method != "GET":
        return outcome
    resource = catalogue[ours.resource]
    stated = {**ours.initial, **ours.desired}
    own_ids = {
        name: own
        for name, referent in resource.referents().items()
        if stated.get(name) and (own := _own_id(tx, referent, str(stated[name])))
    }
    unanswered = attempted.delivery.step is Step.VERIFY
    record = in_our_words(resource, outcome.record, stated, own_ids, unanswered=unanswered)
    return replace(outcome, record=record)


def _own_id(tx: EntityView, resource: str, external_id: str) -> str:
    known = tx.entity(resource, external_id)
    return known.facts.get(OWN_ID, "") if known is not None else ""


def _with_own_id(entity: Entity | None, outcome: Outcome) -> Entity | None:
    own = (outcome.record or {}).get("id")
    if entity is None or not isinstance(own, str) or own == entity.external_id:
        return entity
    return replace(entity, facts={**entity.facts, OWN_ID: own})


def _may_be_there(outcome: Outcome) -> bool:
    """Whether a request that is given up may have been carried out."""
    return outcome.kind is Kind.UNKNOWN or outcome.reason in (
        Reason.WRONG_RECORD,
        Reason.UNEXPECTED,
    )


def _doubted(entity: Entity | None, request: Request) -> Entity | None:
    """The shadow without what ZautoAI may hold now or not: the next update sends it anew."""
    if entity is None or entity.sent is None:
        return entity
    written = request.body or {}
    sure = {name: value for name, value in entity.sent.items() if name not in written}
    return replace(entity, sent=sure)
