"""Between rows and messages."""

from __future__ import annotations

import orjson

from bridge.causes import Cause
from bridge.errors import DamagedMessage
from bridge.lineage import RuleLine
from bridge.message import Message, Protocol, Status
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment, Owing
from bridge.store.records import KeptMessage, MappingVersion
from bridge.store.rows.values import (
    UNREADABLE,
    cause_of,
    cause_row,
    checksum,
    differs,
    or_else,
    remarks_of,
)
from bridge.store.statements import Row, Values


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


def kept_message(row: Row, body: bytes | None) -> KeptMessage:
    """The message of a row of `message`, with this body; None where it is gone.

    Raises DamagedMessage where one of its values cannot be read.
    """
    try:
        return _kept(row, body)
    except UNREADABLE:
        raise DamagedMessage(row["id"]) from None


def whole_message(row: Row) -> KeptMessage:
    """The message of a row that carries its body; raises DamagedMessage.

    The body of what is done with may be gone; of what is not, that is damage.
    """
    if is_damaged(row) or (row["bytes"] is None and row["status"] in NEEDS_BODY):
        raise DamagedMessage(row["id"])
    return kept_message(row, row["bytes"])


def listed_message(row: Row) -> KeptMessage:
    """The message of a row for a list: with an empty body, without what cannot be read."""
    return _or_husk(row, b"")


def message_or_husk(row: Row) -> KeptMessage:
    """The message of a row that carries its body; without it where it or another value is
    damaged."""
    return _or_husk(row, None if is_damaged(row) else row["bytes"])


def unreadable_message(row: Row) -> KeptMessage:
    """What is left of a message whose row holds bytes that are no text: its numbers."""
    return KeptMessage(
        id=row["id"],
        message=Message("", Protocol.HL7V2, "", "", "", "", row["received_at"], b""),
        body_gone=True,
        status=or_else(Status.PARKED, lambda: Status(row["status"].decode())),
        answer_code="",
        acknowledgment=b"",
        duplicates=row["duplicates"],
        changed_at=row["changed_at"],
    )


def _or_husk(row: Row, body: bytes | None) -> KeptMessage:
    try:
        return kept_message(row, body)
    except DamagedMessage:
        return _husk(row)


def _husk(row: Row) -> KeptMessage:
    """A message without a body, and without what cannot be read."""
    protocol = or_else(Protocol.HL7V2, lambda: Protocol(row["protocol"]))
    return KeptMessage(
        id=row["id"],
        message=_message(row, protocol, b""),
        body_gone=True,
        status=or_else(Status.PARKED, lambda: Status(row["status"])),
        answer_code=row["answer_code"],
        acknowledgment=row["acknowledgment"],
        cause=or_else(None, lambda: cause_of(row)),
        remarks=or_else((), lambda: remarks_of(row["remarks"])),
        waits_for=row["waits_for"],
        mapping=row["mapping"],
        mappings_hash=row["mappings_hash"],
        duplicates=row["duplicates"],
        changed_at=row["changed_at"],
    )


def _kept(row: Row, body: bytes | None) -> KeptMessage:
    return KeptMessage(
        id=row["id"],
        message=_message(row, Protocol(row["protocol"]), body or b""),
        body_gone=body is None,
        status=Status(row["status"]),
        answer_code=row["answer_code"],
        acknowledgment=row["acknowledgment"],
        cause=cause_of(row),
        remarks=remarks_of(row["remarks"]),
        waits_for=row["waits_for"],
        mapping=row["mapping"],
        mappings_hash=row["mappings_hash"],
        duplicates=row["duplicates"],
        changed_at=row["changed_at"],
    )


def is_damaged(row: Row) -> bool:
    """Whether the bytes of a row that carries a body are not those that came."""
    body: bytes | None = row["bytes"]
    return body is not None and checksum(body) != row["body_checksum"]


#: what is not done with: it is translated, or translated again, from its body
NEEDS_BODY = frozenset({Status.WAITING, Status.HELD, Status.PARKED})


def _message(row: Row, protocol: Protocol, body: bytes) -> Message:
    return Message(
        channel=row["channel"],
        protocol=protocol,
        message_type=row["message_type"],
        control_id=row["control_id"],
        sending_application=row["sending_application"],
        sending_facility=row["sending_facility"],
        received_at=row["received_at"],
        body=body,
        reference=row["reference"],
    )


def mapping_version(row: Row) -> MappingVersion:
    """The set of mappings of a row of `mapping_version`."""
    legend = tuple(RuleLine(*each) for each in orjson.loads(row["legend"]))
    folders = orjson.loads(row["folders"])
    return MappingVersion(row["hash"], row["first_used_at"], folders, legend)


def acknowledgment(row: Row) -> ApplicationAcknowledgment:
    """The record of a row of `application_acknowledgment`; not yet written where what was written
    is damaged, so that it is written again."""
    damaged = differs(row["checksum"], row["code"], row["body"])
    return ApplicationAcknowledgment(
        message_id=row["message_id"],
        owing=Owing(row["asked"], row["after"], row["line"]),
        state=or_else(Answering.ABANDONED, lambda: Answering(row["state"])),
        code="" if damaged else row["code"],
        body=b"" if damaged else row["body"],
        cause=or_else(None, lambda: cause_of(row)),
        changed_at=row["changed_at"],
    )
