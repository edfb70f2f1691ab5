"""Between rows and deliveries with their attempts."""

from __future__ import annotations

from typing import Any

import orjson

from bridge.delivery import (
    Allocation,
    Call,
    Delivery,
    FieldError,
    Interaction,
    Kind,
    NetworkFault,
    Outcome,
    Reason,
    Request,
    Step,
    Target,
)
from bridge.errors import DamagedDelivery
from bridge.lineage import Trace
from bridge.message import Status, Verdict
from bridge.store.records import Attempt
from bridge.store.rows.values import (
    UNREADABLE,
    cause_of,
    checksum,
    differs,
    or_else,
    to_json,
)
from bridge.store.statements import Row, Values

#: what a row says beside its call, to be found by
_OF_CALL = ("target", "resource", "external_id")


def delivery(row: Row, *, lineage: bool) -> Delivery:
    """The delivery of a row of `delivery`; its lineage is half the cost of reading it.

    Raises DamagedDelivery where its call is not the one that was planned, or another of its values
    cannot be read.
    """
    if differs(row["checksum"], row["call"]):
        raise DamagedDelivery(row["id"])
    try:
        found = _delivery(row, _call(orjson.loads(row["call"]), _traces(row) if lineage else ()))
    except UNREADABLE:
        raise DamagedDelivery(row["id"]) from None
    call = found.call
    if (call.target, call.resource, call.external_id) != tuple(row[each] for each in _OF_CALL):
        raise DamagedDelivery(row["id"])
    return found


def delivery_or_husk(row: Row) -> Delivery:
    """The delivery of a row with its lineage; without a payload, and without what cannot be read,
    where it is damaged."""
    try:
        return delivery(row, lineage=True)
    except DamagedDelivery:
        return _husk(row)


def unreadable_delivery(row: Row) -> Delivery:
    """What is left of a delivery whose row holds bytes that are no text: its numbers."""
    call = Call(Target.ZAUTO, Interaction.UPSERT, "", "", {})
    return Delivery(
        id=row["id"],
        message_id=row["message_id"],
        position=row["position"],
        lane="",
        call=call,
        status=or_else(Status.PARKED, lambda: Status(row["status"].decode())),
        step=Step.APPLY,
        attempts=row["attempts"],
        due_at=row["due_at"],
    )


def _husk(row: Row) -> Delivery:
    target = or_else(Target.ZAUTO, lambda: Target(row["target"]))
    return Delivery(
        id=row["id"],
        message_id=row["message_id"],
        position=row["position"],
        lane=row["lane"],
        call=Call(target, Interaction.UPSERT, row["resource"], row["external_id"], {}),
        status=or_else(Status.PARKED, lambda: Status(row["status"])),
        step=or_else(Step.APPLY, lambda: Step(row["step"])),
        attempts=row["attempts"],
        due_at=row["due_at"],
        cause=or_else(None, lambda: cause_of(row)),
        waits_for=row["waits_for"],
    )


def _traces(row: Row) -> tuple[Trace, ...]:
    return tuple(tuple(each) for each in orjson.loads(row["lineage"]))


def _delivery(row: Row, call: Call) -> Delivery:
    return Delivery(
        id=row["id"],
        message_id=row["message_id"],
        position=row["position"],
        lane=row["lane"],
        call=call,
        status=Status(row["status"]),
        step=Step(row["step"]),
        attempts=row["attempts"],
        due_at=row["due_at"],
        cause=cause_of(row),
        waits_for=row["waits_for"],
    )


def delivery_row(call: Call, step: Step, at: float) -> Values:
    """The values of a row of `delivery` that its call gives."""
    planned = call_json(call)
    return {
        "target": str(call.target),
        "resource": call.resource,
        "external_id": call.external_id,
        "step": str(step),
        "at": at,
        "call": planned,
        "checksum": checksum(planned),
        "lineage": lineage_json(call),
    }


def call_json(call: Call) -> bytes:
    """A call as it is stored, without its lineage."""
    return to_json(
        {
            "target": call.target,
            "interaction": call.interaction,
            "resource": call.resource,
            "external_id": call.external_id,
            "payload": call.payload,
            "create_only": call.create_only,
            "authority": call.authority,
            "references": call.references,
            "facts": call.facts,
            "allocations": call.allocations,
            "into": call.into,
            "owner": call.owner,
        }
    )


def lineage_json(call: Call) -> bytes:
    """The lineage of a call as it is stored."""
    return to_json(call.lineage)


def _call(stored: dict[str, Any], lineage: tuple[Trace, ...]) -> Call:
    return Call(
        target=Target(stored["target"]),
        interaction=Interaction(stored["interaction"]),
        resource=stored["resource"],
        external_id=stored["external_id"],
        payload=stored["payload"],
        create_only=frozenset(stored["create_only"]),
        authority=stored["authority"],
        references=tuple(stored["references"]),
        facts=stored["facts"],
        allocations=tuple(Allocation(**each) for each in stored["allocations"]),
        lineage=lineage,
        # calls that were kept before there were merges have neither
        into=stored.get("into", ""),
        owner=stored.get("owner", ""),
    )


def attempt(row: Row) -> Attempt:
    """The attempt of a row of `attempt`; None for its request or outcome that is damaged."""
    outcome = row["outcome"]
    return Attempt(
        id=row["id"],
        delivery_id=row["delivery_id"],
        request=request(row),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        outcome=None if outcome is None else or_else(None, lambda: _outcome(orjson.loads(outcome))),
    )


def request(row: Row) -> Request | None:
    """The request of an attempt as it was written down before it left; None where that changed."""
    stored = row["request"]
    if differs(row["checksum"], stored):
        return None
    return or_else(None, lambda: Request(**orjson.loads(stored)))


def attempt_row(delivery: Delivery, request: Request, at: float) -> Values:
    """The values of a new row of `attempt`."""
    stored = to_json(request)
    return {
        "delivery_id": delivery.id,
        "request": stored,
        "checksum": checksum(stored),
        "at": at,
    }


def _outcome(stored: dict[str, Any]) -> Outcome:
    return Outcome(
        kind=Kind(stored["kind"]),
        reason=Reason(stored["reason"]),
        status=stored["status"],
        # outcomes that were kept before have none
        code=stored.get("code", ""),
        detail=stored["detail"],
        field_errors=tuple(FieldError(**each) for each in stored["field_errors"]),
        record=stored["record"],
        retry_after=stored["retry_after"],
        verdict=_verdict(stored["verdict"]),
        # attempts of earlier versions of the bridge do not have it
        fault=NetworkFault(stored["fault"]) if stored.get("fault") else None,
    )


def _verdict(stored: str | None) -> Verdict | None:
    return None if stored is None else Verdict(stored)
