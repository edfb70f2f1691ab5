"""Between rows and records: what is stored as JSON, and how it is read back."""

from __future__ import annotations

import sqlite3
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
from bridge.errors import DamagedMessage
from bridge.lineage import RuleLine, Trace
from bridge.message import Message, Protocol, Status, Verdict
from bridge.order import OrderLine, OrderState
from bridge.remarks import MOST_SENT, Remark, RemarkCode
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment, Owing
from bridge.store.contract import (
    Attempt,
    KeptMessage,
    MappingVersion,
)


def checksum(body: bytes) -> int:
    """CRC-32: finds every single flipped bit and every burst of up to 32."""
    return zlib.crc32(body)


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
) -> tuple[object, ...]:
    """The values of a new row of `message`.

    Enumerations become plain strings here: sqlite3 looks for adapters of all other types, which
    costs as much as all the rest of the row.
    """
    return (
        message.channel,
        str(message.protocol),
        message.message_type,
        message.control_id,
        message.sending_application,
        message.sending_facility,
        message.received_at,
        message.reference,
        str(status),
        *cause_row(cause),
        answer_code,
        acknowledgment,
        identity,
        message.received_at,
        # where earlier versions kept a sentence; the column has no default
        "",
    )


def cause_row(cause: Cause | None) -> tuple[str, str]:
    """The values of the columns `cause` and `details`."""
    if cause is None:
        return "", ""
    parameters = cause.parameters()
    return str(cause.kind), to_json(parameters).decode() if parameters else ""


def cause_of(row: sqlite3.Row) -> Cause | None:
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


def kept_message(row: sqlite3.Row, body: bytes) -> KeptMessage:
    """The message of a row of `message`, with this body."""
    return KeptMessage(
        id=row["id"],
        message=_message(row, body),
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


def whole_message(row: sqlite3.Row) -> KeptMessage:
    """The message of a row that carries its body; raises DamagedMessage."""
    if is_damaged(row):
        raise DamagedMessage(row["id"])
    return kept_message(row, row["bytes"])


def message_or_husk(row: sqlite3.Row) -> KeptMessage:
    """The message of a row that carries its body; without it where that is damaged."""
    return kept_message(row, b"" if is_damaged(row) else row["bytes"])


def is_damaged(row: sqlite3.Row) -> bool:
    """Whether the bytes of a row that carries a body are not those that came."""
    return bool(checksum(row["bytes"]) != row["checksum"])


def _message(row: sqlite3.Row, body: bytes) -> Message:
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


def delivery(row: sqlite3.Row, *, lineage: bool) -> Delivery:
    """The delivery of a row of `delivery`; its lineage is half the cost of reading it."""
    traces = orjson.loads(row["lineage"]) if lineage else ()
    return Delivery(
        id=row["id"],
        message_id=row["message_id"],
        position=row["position"],
        lane=row["lane"],
        call=_call(orjson.loads(row["call"]), tuple(tuple(each) for each in traces)),
        status=Status(row["status"]),
        step=Step(row["step"]),
        attempts=row["attempts"],
        due_at=row["due_at"],
        cause=cause_of(row),
        waits_for=row["waits_for"],
    )


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


def mapping_version(row: sqlite3.Row) -> MappingVersion:
    """The set of mappings of a row of `mapping_version`."""
    legend = tuple(RuleLine(*each) for each in orjson.loads(row["legend"]))
    folders = orjson.loads(row["folders"])
    return MappingVersion(row["hash"], row["first_used_at"], folders, legend)


def acknowledgment(row: sqlite3.Row) -> ApplicationAcknowledgment:
    """The record of a row of `application_acknowledgment`."""
    return ApplicationAcknowledgment(
        message_id=row["message_id"],
        owing=Owing(row["asked"], row["after"], row["line"]),
        state=Answering(row["state"]),
        code=row["code"],
        body=row["body"],
        cause=cause_of(row),
        changed_at=row["changed_at"],
    )


def attempt(row: sqlite3.Row) -> Attempt:
    """The attempt of a row of `attempt`."""
    outcome = row["outcome"]
    return Attempt(
        id=row["id"],
        delivery_id=row["delivery_id"],
        request=request(row["request"]),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        outcome=None if outcome is None else _outcome(orjson.loads(outcome)),
    )


def request(stored: bytes) -> Request:
    """The request as it was written down before it left."""
    return Request(**orjson.loads(stored))


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


def entity(row: sqlite3.Row) -> Entity:
    """The entity of a row of `entity`."""
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


def entity_row(record: Entity) -> dict[str, object]:
    """The values of a row of `entity`."""
    return {
        "resource": record.resource,
        "external_id": record.external_id,
        "desired": to_json(record.desired),
        "initial": to_json(record.initial),
        "sent": None if record.sent is None else to_json(record.sent),
        "authority": record.authority,
        "facts": to_json(record.facts),
        "owner": record.owner,
    }


def alias(row: sqlite3.Row) -> Alias:
    """The alias of a row of `alias`."""
    return Alias(
        key=row["key"],
        leads_to=row["leads_to"],
        authority=row["authority"],
        retired=bool(row["retired"]),
        message_id=row["message_id"],
        at=row["at"],
    )


def alias_row(known: Alias) -> dict[str, object]:
    """The values of a row of `alias`."""
    return {
        "key": known.key,
        "leads_to": known.leads_to,
        "authority": known.authority,
        "retired": known.retired,
        "message_id": known.message_id,
        "at": known.at,
    }


def order_line(row: sqlite3.Row) -> OrderLine:
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


def order_line_row(line: OrderLine) -> dict[str, object]:
    """The values of a row of `order_line`."""
    return asdict(line)


def _verdict(stored: str | None) -> Verdict | None:
    return None if stored is None else Verdict(stored)
