"""Records for the store's tests; every person and place is invented."""

from __future__ import annotations

from typing import Any

from bridge.causes import Cause, CauseKind
from bridge.delivery import Allocation, Call, Interaction, Target
from bridge.message import Message, Protocol, Status, Verdict
from bridge.store.contract import Transaction
from bridge.store.records import Keeping, Kept


def a_message(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "channel": "default",
        "protocol": Protocol.HL7V2,
        "message_type": "ADT^A04",
        "control_id": "C1",
        "sending_application": "HIS",
        "sending_facility": "LOTUS",
        "received_at": 100.0,
        "body": b"MSH|^~\\&|HIS|LOTUS\rPID|1\r",
    }
    return Message(**fields | changes)


def keep(tx: Transaction, message: Message | None = None, **changes: Any) -> Kept:
    """Keep a message, as waiting unless the changes say otherwise."""
    answer: dict[str, Any] = {
        "status": Status.WAITING,
        "answer_code": "AA",
        "acknowledgment": b"MSA|AA|C1\r",
        "identity": None,
    }
    return tx.keep(message or a_message(), **answer | changes)


def a_keeping(number: int = 1, **changes: Any) -> Keeping:
    """What a listener hands in of its message of this number, all different."""
    told: dict[str, Any] = {
        "message": a_message(control_id=f"C{number}", body=f"MSH|^~\\&|HIS|{number}\r".encode()),
        "status": Status.WAITING,
        "answer_code": "AA",
        "acknowledgment": f"MSA|AA|C{number}\r".encode(),
        "identity": f"C{number}".encode(),
    }
    return Keeping(**told | changes)


def a_call(external_id: str = "P1", **changes: Any) -> Call:
    fields: dict[str, Any] = {
        "target": Target.ZAUTO,
        "interaction": Interaction.UPSERT,
        "resource": "patients",
        "external_id": external_id,
        "payload": {"firstName": "Meera", "phone": None, "age": 41},
    }
    return Call(**fields | changes)


def full_call() -> Call:
    """A call with every field set."""
    return a_call(
        create_only=frozenset({"status", "remarks"}),
        authority="LOTUS",
        references=("Patient/7",),
        facts={"patientId": "P1"},
        allocations=(Allocation("uhid", "uhid", "P1"),),
        lineage=((7, "PID-5.2", "MEERA"), (9, "PID-8", "F", "codes/gender: F")),
    )


def plan(tx: Transaction, *calls: Call, lane: str = "patients/P1", at: float = 100.0) -> list[int]:
    """Keep a message with these calls as deliveries of one lane; the deliveries' ids."""
    message_id = keep(tx).id
    ids = [tx.add(message_id, position, lane, call, at) for position, call in enumerate(calls)]
    tx.mark(message_id, Status.WAITING, at=at)
    return ids


def because(text: str, by: Verdict | None = None) -> Cause:
    """A cause whose sentence is this text."""
    return Cause(CauseKind.RETRY, name=text, by=by)
