"""Messages as people are shown them, in a list or alone.

Patient data (ids, names, payloads, bodies, what a destination said) is masked unless asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from bridge.causes import MASK, Cause, CauseKind, action, sentence
from bridge.errors import ReadError
from bridge.hl7v2 import ack
from bridge.message import AckError, Message, Protocol, Status, Verdict, shown_type
from bridge.pipeline.intake.structure import structure_faults
from bridge.pipeline.planning.translate import line_remarks
from bridge.reports.calls import DeliveryReport, delivery_report
from bridge.reports.masking import masked_reference
from bridge.reports.remarks import RemarkReport, remark_report
from bridge.reports.report import CauseName, Numbered, Report, Seconds, Sentence, WaitsFor
from bridge.settings import Settings
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment
from bridge.store.contract import View
from bridge.store.records import KeptMessage
from bridge.visible import readable

#: the page that explains each cause under its name
RUNBOOK = "docs/reference/causes.md"
_ON_ITS_WAY = "nothing: it goes out by itself; 'bridge status' says what stops it"


class MessageRow(Numbered):
    """One message in a list."""

    received_at: Seconds
    channel: str = Field(description="the channel that it came in through")
    protocol: Protocol
    message_type: str = Field(description="`ADT^A04`, or the type of a FHIR resource")
    control_id: str = Field(description="MSH-10, or the Idempotency-Key of an order")
    answer: str = Field(description="MSA-1 or HTTP status of the first answer")
    application_answer: str = Field(description="code and state of the application acknowledgment")
    status: Status
    verdict: Verdict | Literal[""] = Field(description="who has to act; empty where nobody has to")
    cause: CauseName
    reason: Sentence
    remarks: list[RemarkReport] = Field(description="what its translation met and continued from")
    waits_for: WaitsFor
    duplicates: int = Field(description="how often the same message came again")
    mapping: str = Field(description="name of its mapping; empty before it is translated")
    mappings_hash: str = Field(description="hash of the set of mappings it was translated with")


class ErrorRow(Report):
    """An error of an acknowledgment, without its text."""

    location: str = Field(description="ERR-2 as a path; empty when no place is named")
    code: int = Field(description="ERR-3, HL7 table 0357")
    severity: str = Field(description="ERR-4, HL7 table 0516")


class LaterReport(Report):
    """The application acknowledgment of a message."""

    state: Answering
    code: str = Field(description="MSA-1; empty until it is written")
    asked: str = Field(description="MSH-16 of the message")
    after: str = Field(description="what it waits for: translation or delivery")
    line: str = Field(description="where it goes")
    since: Seconds
    cause: CauseName
    reason: Sentence
    errors: list[ErrorRow]
    body: str | None = Field(description="its text, if it may be shown; patient data")


class MessageReport(MessageRow):
    """Everything about one message."""

    sending_application: str = Field(description="MSH-3")
    sending_facility: str = Field(description="MSH-4")
    body_gone: bool = Field(description="whether its text was deleted")
    structure: list[str] = Field(description="deviations from the standard")
    lines: list[str] = Field(description="lines that were not read, of an untranslated message")
    changed_at: Seconds
    next: str = Field(description="what a person does; empty where there is nothing to do")
    runbook: str = Field(description="where the cause is explained")
    body: str | None = Field(description="its text, if it may be shown; patient data")
    acknowledgment: str = Field(description="the first answer")
    application_acknowledgment: LaterReport | None = Field(description="null where none is owed")
    deliveries: list[DeliveryReport]


def message_rows(
    view: View, *, status: Status | None, cause: CauseKind | None, limit: int, reveal: bool
) -> list[MessageRow]:
    """The newest messages, of a status or any, and with a cause or any."""
    return [
        message_row(kept, view.acknowledgment(kept.id), reveal=reveal)
        for kept in view.messages(status=status, cause=cause, limit=limit)
    ]


def message_row(
    kept: KeptMessage, later: ApplicationAcknowledgment | None, *, reveal: bool
) -> MessageRow:
    """One message in a list, with the application acknowledgment it is owed, if it is."""
    message = kept.message
    return MessageRow(
        id=kept.id,
        received_at=message.received_at,
        channel=message.channel,
        protocol=message.protocol,
        message_type=message.message_type if reveal else shown_type(message.message_type),
        control_id=message.control_id if reveal else _told_control_id(message),
        answer=kept.answer_code,
        application_answer="" if later is None else f"{later.code} {later.state}".strip(),
        status=kept.status,
        verdict=kept.verdict or "",
        cause=kept.cause.kind if kept.cause else "",
        reason=sentence(kept.cause, reveal=reveal) if kept.cause else "",
        remarks=[remark_report(each, reveal=reveal) for each in kept.remarks],
        waits_for=masked_reference(kept.waits_for, reveal=reveal),
        duplicates=kept.duplicates,
        mapping=kept.mapping,
        mappings_hash=kept.mappings_hash,
    )


def _told_control_id(message: Message) -> str:
    """MSH-10 says nothing of a person; an Idempotency-Key can be the order's number."""
    hidden = message.protocol is Protocol.ORDERS and message.control_id
    return MASK if hidden else message.control_id


def message_report(
    view: View, message_id: int, settings: Settings, *, reveal: bool
) -> MessageReport | None:
    """Everything about one message, or None when there is none of that number.

    Not for the event loop: a channel's check of the structure takes its time.
    """
    kept = view.message(message_id)
    if kept is None:
        return None
    message, cause, later = kept.message, kept.cause, view.acknowledgment(message_id)
    # those of a translated message are among its remarks
    known = kept.mapping or kept.body_gone
    version = view.mapping_version(kept.mappings_hash)
    legend = version.legend if version else ()
    return MessageReport(
        **message_row(kept, later, reveal=reveal).stated(),
        sending_application=message.sending_application,
        sending_facility=message.sending_facility,
        body_gone=kept.body_gone,
        structure=[] if kept.body_gone else structure_faults(message, settings),
        lines=[] if known else line_remarks(message, settings),
        changed_at=kept.changed_at,
        next=next_action(kept.status, cause),
        runbook=f"{RUNBOOK}#{cause.kind}" if cause else "",
        body=readable(message.body) if reveal and not kept.body_gone else None,
        acknowledgment=readable(kept.acknowledgment),
        application_acknowledgment=_later_report(later, reveal=reveal) if later else None,
        deliveries=[
            delivery_report(delivery, legend, view.attempts_of(delivery.id), reveal=reveal)
            for delivery in view.deliveries_of(message_id)
        ],
    )


def _later_report(later: ApplicationAcknowledgment, *, reveal: bool) -> LaterReport:
    """An application acknowledgment: its text can hold what ZautoAI said of a patient."""
    return LaterReport(
        state=later.state,
        code=later.code,
        asked=later.owing.asked,
        after=later.owing.after,
        line=later.owing.route,
        since=later.changed_at,
        cause=later.cause.kind if later.cause else "",
        reason=sentence(later.cause, reveal=reveal) if later.cause else "",
        errors=[ErrorRow.model_validate(each) for each in _errors_of(later.body)],
        body=readable(later.body) if reveal else None,
    )


def _errors_of(acknowledgment: bytes) -> Sequence[AckError]:
    try:
        return ack.read(acknowledgment).errors if acknowledgment else ()
    except ReadError:
        return ()


def next_action(status: Status, cause: Cause | None) -> str:
    """What a person does about a message; "" where there is nothing to do."""
    return (action(cause) if cause else "") or (_ON_ITS_WAY if status is Status.WAITING else "")
