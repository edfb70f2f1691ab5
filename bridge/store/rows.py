"""Between rows and records: what is stored as JSON, and how it is read back."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from bridge.causes import Cause, cut
from bridge.delivery import (
    Alias,
    Allocation,
    Call,
    Delivery,
    Entity,
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
from bridge.errors import DamagedDelivery, DamagedMessage, DamagedRecord
from bridge.lineage import RuleLine, Trace
from bridge.message import Message, Protocol, Status, Verdict
from bridge.order import OrderLine, OrderState
from bridge.remarks import MOST_SENT, Remark, RemarkCode
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment, Owing
from bridge.store.records import Attempt, KeptMessage, MappingVersion
from bridge.store.statements import Row, Values


def checksum(*parts: bytes | str) -> int:
    """CRC-32: finds every single flipped bit and every burst of up to 32."""
    found = 0
    for part in parts:
        found = zlib.crc32(part if isinstance(part, bytes) else part.encode(), found)
    return found


def to_json(record: object) -> bytes:
    """A dataclass or JSON value as compact JSON; sets become sorted lists."""
    return orjson.dumps(record, default=sorted)


def message_row(
    message: Message,
    status: Status,
    answer_code: str,
    acknowledgment: bytes,
    identity: bytes | None,
    cause: Cause | None,
) -> Values:
    """The values of a new row of `message`.

    Enumerations become plain strings here: sqlite3 looks for adapters of all other types, which
    costs as much as all the rest of the row.
    """
    kind, details = cause_row(cause)
    return {
        "channel": message.channel,
        "protocol": str(message.protocol),
        "message_type": message.message_type,
        "control_id": message.control_id,
        "sending_application": message.sending_application,
        "sending_facility": message.sending_facility,
        "received_at": message.received_at,
        "reference": message.reference,
        "status": str(status),
        "cause": kind,
        "details": details,
        "answer_code": answer_code,
        "acknowledgment": acknowledgment,
        "checksum": checksum(acknowledgment),
        "identity": identity,
        "changed_at": message.received_at,
        # where earlier versions kept a sentence; the column has no default
        "reason": "",
    }


def body_row(message_id: int, body: bytes) -> Values:
    """The values of a row of `body`."""
    return {"message_id": message_id, "checksum": checksum(body), "bytes": body}


def cause_row(cause: Cause | None) -> tuple[str, str]:
    """The values of the columns `cause` and `details`."""
    if cause is None:
        return "", ""
    parameters = cause.parameters()
    return str(cause.kind), to_json(parameters).decode() if parameters else ""


def cause_values(cause: Cause | None) -> Values:
    """The parameters `cause` and `details` of a statement."""
    kind, details = cause_row(cause)
    return {"cause": kind, "details": details}


def cause_of(row: Row) -> Cause | None:
    """The cause of a row that has these columns."""
    kind: str = row["cause"]
    return Cause.stored(kind, orjson.loads(row["details"] or "{}")) if kind else None


def remarks_json(remarks: Sequence[Remark]) -> str:
    """Remarks as they are stored, "" for none."""
    if not remarks:
        return ""
    return to_json([[*each[:3], cut(each.sent, MOST_SENT)] for each in remarks]).decode()


def _remarks(stored: str) -> tuple[Remark, ...]:
    found = orjson.loads(stored) if stored else ()
    return tuple(Remark(RemarkCode(code), *more) for code, *more in found)


def kept_message(row: Row, body: bytes | None) -> KeptMessage:
    """The message of a row of `message`, with this body; None where it is gone."""
    return KeptMessage(
        id=row["id"],
        message=_message(row, body or b""),
        body_gone=body is None,
        status=Status(row["status"]),
        answer_code=row["answer_code"],
        acknowledgment=row["acknowledgment"],
        cause=cause_of(row),
        remarks=_remarks(row["remarks"]),
        waits_for=row["waits_for"],
        mapping=row["mapping"],
        mappings_hash=row["mappings_hash"],
        duplicates=row["duplicates"],
        changed_at=row["changed_at"],
    )


def whole_message(row: Row) -> KeptMessage:
    """The message of a row that carries its body; raises DamagedMessage.

    The body of what is done with may be gone; of what is not, that is damage.
    """
    if is_damaged(row) or (row["bytes"] is None and Status(row["status"]) in _NEEDS_BODY):
        raise DamagedMessage(row["id"])
    return kept_message(row, row["bytes"])


def message_or_husk(row: Row) -> KeptMessage:
    """The message of a row that carries its body; without it where that is damaged."""
    return kept_message(row, None if is_damaged(row) else row["bytes"])


def is_damaged(row: Row) -> bool:
    """Whether the bytes of a row that carries a body are not those that came."""
    body: bytes | None = row["bytes"]
    return body is not None and checksum(body) != row["body_checksum"]


#: what is not done with: it is translated, or translated again, from its body
_NEEDS_BODY = frozenset({Status.WAITING, Status.HELD, Status.PARKED})


def _message(row: Row, body: bytes) -> Message:
    return Message(
        channel=row["channel"],
        protocol=Protocol(row["protocol"]),
        message_type=row["message_type"],
        control_id=row["control_id"],
        sending_application=row["sending_application"],
        sending_facility=row["sending_facility"],
        received_at=row["received_at"],
        body=body,
        reference=row["reference"],
    )


def delivery(row: Row, *, lineage: bool) -> Delivery:
    """The delivery of a row of `delivery`; its lineage is half the cost of reading it.

    Raises DamagedDelivery where its call is not the one that was planned.
    """
    if _differs(row["checksum"], row["call"]):
        raise DamagedDelivery(row["id"])
    traces = orjson.loads(row["lineage"]) if lineage else ()
    return _delivery(row, _call(orjson.loads(row["call"]), tuple(tuple(each) for each in traces)))


def delivery_or_husk(row: Row) -> Delivery:
    """The delivery of a row with its lineage; without a payload where its call is damaged."""
    try:
        return delivery(row, lineage=True)
    except DamagedDelivery:
        target, resource = Target(row["target"]), row["resource"]
        return _delivery(row, Call(target, Interaction.UPSERT, resource, row["external_id"], {}))


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


def _differs(kept: int | None, *parts: bytes | str) -> bool:
    """Whether parts are not those whose checksum was kept; unknown of what was kept without."""
    return kept is not None and checksum(*parts) != kept


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


def mapping_version(row: Row) -> MappingVersion:
    """The set of mappings of a row of `mapping_version`."""
    legend = tuple(RuleLine(*each) for each in orjson.loads(row["legend"]))
    folders = orjson.loads(row["folders"])
    return MappingVersion(row["hash"], row["first_used_at"], folders, legend)


def acknowledgment(row: Row) -> ApplicationAcknowledgment:
    """The record of a row of `application_acknowledgment`; not yet written where what was written
    is damaged, so that it is written again."""
    damaged = _differs(row["checksum"], row["code"], row["body"])
    return ApplicationAcknowledgment(
        message_id=row["message_id"],
        owing=Owing(row["asked"], row["after"], row["line"]),
        state=Answering(row["state"]),
        code="" if damaged else row["code"],
        body=b"" if damaged else row["body"],
        cause=cause_of(row),
        changed_at=row["changed_at"],
    )


def attempt(row: Row) -> Attempt:
    """The attempt of a row of `attempt`; its request is None where that is damaged."""
    outcome = row["outcome"]
    return Attempt(
        id=row["id"],
        delivery_id=row["delivery_id"],
        request=request(row),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        outcome=None if outcome is None else _outcome(orjson.loads(outcome)),
    )


def request(row: Row) -> Request | None:
    """The request of an attempt as it was written down before it left; None where that changed."""
    stored = row["request"]
    return None if _differs(row["checksum"], stored) else Request(**orjson.loads(stored))


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


def entity(row: Row) -> Entity:
    """The entity of a row of `entity`; raises DamagedRecord."""
    if row["checksum"] not in (None, entity_checksum(row)):
        raise DamagedRecord(f"{row['resource']}/{row['external_id']}")
    sent = row["sent"]
    return Entity(
        resource=row["resource"],
        external_id=row["external_id"],
        desired=orjson.loads(row["desired"]),
        initial=orjson.loads(row["initial"]),
        sent=None if sent is None else orjson.loads(sent),
        authority=row["authority"],
        facts=orjson.loads(row["facts"]),
        owner=row["owner"],
    )


def entity_checksum(row: Row | dict[str, Any]) -> int:
    """Of everything that is known of a record, which record it is included."""
    sent: bytes | None = row["sent"]
    return checksum(
        *(row["resource"], "/", row["external_id"], "/", row["desired"], row["initial"]),
        *(b"" if sent is None else sent, row["facts"], row["authority"], "/", row["owner"]),
    )


def entity_row(record: Entity) -> Values:
    """The values of a row of `entity`."""
    values: Values = {
        "resource": record.resource,
        "external_id": record.external_id,
        "desired": to_json(record.desired),
        "initial": to_json(record.initial),
        "sent": None if record.sent is None else to_json(record.sent),
        "authority": record.authority,
        "facts": to_json(record.facts),
        "owner": record.owner,
    }
    return values | {"checksum": entity_checksum(values)}


def alias(row: Row) -> Alias:
    """The alias of a row of `alias`; raises DamagedRecord."""
    if row["checksum"] not in (None, alias_checksum(row)):
        raise DamagedRecord(row["key"])
    return Alias(
        key=row["key"],
        leads_to=row["leads_to"],
        authority=row["authority"],
        retired=bool(row["retired"]),
        message_id=row["message_id"],
        at=row["at"],
    )


def alias_checksum(row: Row | dict[str, Any]) -> int:
    """Of where a number leads, and whose it is; of text or of its bytes."""
    retired = "retired" if row["retired"] else ""
    return checksum(*(row["key"], "/", row["leads_to"], "/", row["authority"], "/", retired))


def alias_row(known: Alias) -> Values:
    """The values of a row of `alias`."""
    values: Values = {
        "key": known.key,
        "leads_to": known.leads_to,
        "authority": known.authority,
        "retired": int(known.retired),
        "message_id": known.message_id,
        "at": known.at,
    }
    return values | {"checksum": alias_checksum(values)}


def order_line(row: Row) -> OrderLine:
    """The line of a row of `order_line`."""
    return OrderLine(
        visit_id=row["visit_id"],
        service=row["service"],
        occurrence=row["occurrence"],
        issue=row["issue"],
        state=OrderState(row["state"]),
        status=row["status"],
        posted=row["posted"],
        transactions=row["transactions"],
    )


def order_line_row(line: OrderLine) -> Values:
    """The values of a row of `order_line`."""
    return asdict(line)


def _verdict(stored: str | None) -> Verdict | None:
    return None if stored is None else Verdict(stored)
