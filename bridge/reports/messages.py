"""Report: what people and programs are told of messages, as plain JSON values.

Patient data (ids, names, payloads, bodies, what a far end said) is masked unless asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.causes import MASK, OTHER_FIELD, Cause, CauseKind, action, cut, masked_key, sentence
from bridge.delivery import Call, Delivery, Outcome
from bridge.errors import ReadError
from bridge.hl7v2 import ack
from bridge.lineage import Legend, origins
from bridge.message import AckError, Message, Protocol, Status, shown_type
from bridge.pipeline.intake.structure import structure_faults
from bridge.pipeline.planning.translate import line_remarks
from bridge.pipeline.planning.uses import USES_NOTE, Uses
from bridge.remarks import MOST_SENT, Remark
from bridge.reports.masking import masked_payload, without_row
from bridge.settings import Settings
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment
from bridge.store.contract import View
from bridge.store.records import Attempt, KeptMessage, Quarantined, Tally, UnmappedCode
from bridge.visible import readable
from bridge.zauto.budget import BudgetState
from bridge.zauto.watch import Seen

#: the page that explains each cause under its name
RUNBOOK = "docs/reference/causes.md"
#: longer codes may be words about a person that stand where a code belongs
_LONGEST_SHOWN = 3


def status_report(
    tally: Tally, *, now: float, running: bool, reveal: bool = False
) -> dict[str, Any]:
    """Counts by status, the oldest waiting and what is waited for."""
    oldest = tally.oldest_waiting
    return {
        "running": running,
        "messages": {str(status): tally.messages.get(status, 0) for status in Status},
        "deliveries": {str(status): count for status, count in tally.deliveries.items() if count},
        "oldest_waiting_seconds": None if oldest is None else round(max(0.0, now - oldest), 1),
        "held_for": _held_for(tally, reveal=reveal),
        "unmapped_types": _unmapped_types(tally),
        "quarantined": tally.quarantined,
        "application_acknowledgments": {
            str(state): tally.acknowledgments.get(state, 0) for state in Answering
        },
    }


def budget_report(state: BudgetState, *, waiting: int, drained_in: float | None) -> dict[str, Any]:
    """The budget for people; `waiting` calls may go, the last of them in so many seconds."""
    return {
        "used": state.used,
        "limit": state.limit,
        "resets_at": state.resets_at,
        "waiting": round(state.waiting, 1),
        "remaining_at_zauto": state.told_remaining,
        "reset_at_zauto": state.told_until,
        "calls_waiting": waiting,
        "drained_in": None if drained_in is None else round(drained_in),
    }


def contract_report(seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """What was odd, for people and programs."""
    return [
        {
            "what": str(each.what),
            "where": each.where,
            "count": each.count,
            "first_at": each.first_at,
            "last_at": each.last_at,
        }
        for each in seen
    ]


def _held_for(tally: Tally, *, reveal: bool) -> list[dict[str, Any]]:
    """What is waited for, most waited for first; only its kind, unless it may be shown."""
    counted: Counter[str] = Counter()
    for name, count in tally.held_for:
        counted[masked_reference(name, reveal=reveal)] += count
    return [{"waits_for": name, "count": count} for name, count in counted.most_common()]


def _unmapped_types(tally: Tally) -> list[dict[str, Any]]:
    """Message types without a mapping, the most frequent first; what is none counts as one."""
    counted: Counter[str] = Counter()
    for name, count in tally.unmapped_types:
        counted[shown_type(name)] += count
    return [{"message_type": name, "count": count} for name, count in counted.most_common()]


def message_rows(
    view: View, *, status: Status | None, cause: CauseKind | None, limit: int, reveal: bool
) -> list[dict[str, Any]]:
    """The newest messages, of a status or any, and with a cause or any."""
    return [
        message_row(kept, view.acknowledgment(kept.id), reveal=reveal)
        for kept in view.messages(status=status, cause=cause, limit=limit)
    ]


def message_row(
    kept: KeptMessage, later: ApplicationAcknowledgment | None, *, reveal: bool
) -> dict[str, Any]:
    """One message in a list, with the application acknowledgment it is owed, if it is."""
    message = kept.message
    return {
        "id": kept.id,
        "received_at": message.received_at,
        "channel": message.channel,
        "protocol": str(message.protocol),
        "message_type": message.message_type if reveal else shown_type(message.message_type),
        "control_id": message.control_id if reveal else _told_control_id(message),
        "answer": kept.answer_code,
        "application_answer": "" if later is None else f"{later.code} {later.state}".strip(),
        "status": str(kept.status),
        "verdict": str(kept.verdict) if kept.verdict else "",
        **cause_report(kept.cause, reveal=reveal),
        "remarks": [remark_report(each, reveal=reveal) for each in kept.remarks],
        "waits_for": masked_reference(kept.waits_for, reveal=reveal),
        "duplicates": kept.duplicates,
        "mapping": kept.mapping,
        "mappings_hash": kept.mappings_hash,
    }


def _told_control_id(message: Message) -> str:
    """MSH-10 says nothing of a person; an Idempotency-Key can be the order's number."""
    hidden = message.protocol is Protocol.ORDERS and message.control_id
    return MASK if hidden else message.control_id


def quarantine_row(found: Quarantined, *, reveal: bool) -> dict[str, Any]:
    """One thing in quarantine; its bytes can hold anything, so they are patient data."""
    return {
        "id": found.id,
        "at": found.at,
        "channel": found.channel,
        "peer": found.peer,
        "reason": found.reason,
        "bytes": len(found.head),
        "head": readable(found.head) if reveal else MASK,
    }


def code_row(code: UnmappedCode, *, reveal: bool) -> dict[str, Any]:
    """A code without a row."""
    return {
        "table": code.table,
        "code": code.code if reveal else masked_code(code.code),
        "sender": code.sender,
        "waiting": code.waiting,
        "count": code.count,
        "first_at": code.first_at,
        "last_at": code.last_at,
    }


def mappings_in_use(view: View) -> list[dict[str, Any]]:
    """The set of mappings that each site uses, and since when."""
    uses = Uses.read(view.note(USES_NOTE))
    return [
        {"site": use.site, "hash": use.hash, "since": use.at, "pinned": use.site in uses.pinned}
        for use in uses.present()
    ]


def version_rows(view: View, limit: int) -> list[dict[str, Any]]:
    """Sets of mappings that were in use, the latest first, with the sites that used them."""
    uses = Uses.read(view.note(USES_NOTE))
    return [
        {
            "hash": hash,
            "first_used_at": first_used_at,
            "sites": sorted({use.site for use in uses.taken if use.hash == hash}),
            "in_use_by": sorted(use.site for use in uses.present() if use.hash == hash),
            "pinned_by": sorted(site for site, pin in uses.pinned.items() if pin == hash),
        }
        for hash, first_used_at in view.mapping_versions(limit)
    ]


def message_report(
    view: View, message_id: int, settings: Settings, *, reveal: bool
) -> dict[str, Any] | None:
    """Everything about one message, or None when there is none of that number.

    Not for the event loop: a channel's check of the structure takes its time.
    """
    kept = view.message(message_id)
    if kept is None:
        return None
    later = view.acknowledgment(message_id)
    row = message_row(kept, later, reveal=reveal)
    row["sending_application"] = kept.message.sending_application
    row["sending_facility"] = kept.message.sending_facility
    row["body_gone"] = kept.body_gone
    row["structure"] = [] if kept.body_gone else structure_faults(kept.message, settings)
    # those of a translated message are among its remarks
    known = kept.mapping or kept.body_gone
    row["lines"] = [] if known else line_remarks(kept.message, settings)
    row["changed_at"] = kept.changed_at
    row["next"] = next_action(kept.status, kept.cause)
    row["runbook"] = f"{RUNBOOK}#{kept.cause.kind}" if kept.cause else ""
    row["body"] = readable(kept.message.body) if reveal and not kept.body_gone else None
    row["acknowledgment"] = readable(kept.acknowledgment)
    row["application_acknowledgment"] = later and _later_report(later, reveal=reveal)
    version = view.mapping_version(kept.mappings_hash)
    legend = version.legend if version else ()
    row["deliveries"] = [
        delivery_report(delivery, legend, view.attempts_of(delivery.id), reveal=reveal)
        for delivery in view.deliveries_of(message_id)
    ]
    return row


def _later_report(later: ApplicationAcknowledgment, *, reveal: bool) -> dict[str, Any]:
    """An application acknowledgment: its text can hold what ZautoAI said of a patient."""
    return {
        "state": str(later.state),
        "code": later.code,
        "asked": later.owing.asked,
        "after": later.owing.after,
        "line": later.owing.route,
        "since": later.changed_at,
        **cause_report(later.cause, reveal=reveal),
        "errors": [
            {"location": error.location, "code": error.code, "severity": error.severity}
            for error in _errors_of(later.body)
        ],
        "body": readable(later.body) if reveal else None,
    }


def _errors_of(acknowledgment: bytes) -> Sequence[AckError]:
    try:
        return ack.read(acknowledgment).errors if acknowledgment else ()
    except ReadError:
        return ()


def next_action(status: Status, cause: Cause | None) -> str:
    """What a person does about a message; "" where there is nothing to do."""
    return (action(cause) if cause else "") or _NEXT.get(status, "")


#: where the cause alone does not say it
_NEXT: Mapping[Status, str] = {
    Status.WAITING: "nothing: it goes out by itself; 'bridge status' says what stops it",
}


def cause_report(cause: Cause | None, *, reveal: bool) -> dict[str, Any]:
    """Why something is where it is: for programs by its kind, for people as a sentence."""
    return {
        "cause": str(cause.kind) if cause else "",
        "reason": sentence(cause, reveal=reveal) if cause else "",
    }


def remark_report(remark: Remark, *, reveal: bool) -> dict[str, Any]:
    """One remark, with what stood there if it may be shown."""
    return {
        "code": str(remark.code),
        "path": remark.path,
        "text": remark.text,
        "sent": remark.sent if reveal or not remark.sent else MASK,
    }


def delivery_report(
    delivery: Delivery, legend: Legend, attempts: Sequence[Attempt], *, reveal: bool
) -> dict[str, Any]:
    """One delivery with its fields, where each came from, and its attempts."""
    return {
        "id": delivery.id,
        **call_report(delivery.call, legend, reveal=reveal),
        "status": str(delivery.status),
        "step": str(delivery.step),
        **cause_report(delivery.cause, reveal=reveal),
        "waits_for": masked_reference(delivery.waits_for, reveal=reveal),
        "due_at": delivery.due_at,
        "attempts": [
            attempt_report(attempt, _fields_of(delivery), reveal=reveal) for attempt in attempts
        ],
    }


def call_report(call: Call, legend: Legend, *, reveal: bool) -> dict[str, Any]:
    """A call, with the origin of each of its fields."""
    lineage = origins(call.lineage, legend)
    return {
        "target": str(call.target),
        "interaction": str(call.interaction),
        "resource": call.resource,
        "external_id": call.external_id if reveal else MASK,
        "into": call.into if reveal or not call.into else MASK,
        "owner": call.owner if reveal or not call.owner else MASK,
        "payload": call.payload if reveal else masked_payload(call, lineage),
        "create_only": sorted(call.create_only),
        "lineage": [
            {
                "field": origin.field,
                "path": origin.path,
                "raw": origin.raw if reveal else (MASK if origin.raw else ""),
                "rule": origin.rule,
                "made_by": origin.made_by if reveal else without_row(origin.made_by),
            }
            for origin in lineage
        ],
    }


def _fields_of(delivery: Delivery) -> frozenset[str]:
    """The fields that a destination can mean: those that were sent, and those of the cause."""
    cause = delivery.cause
    return frozenset((*delivery.call.payload, *(cause.fields if cause else ())))


def attempt_report(attempt: Attempt, fields: frozenset[str], *, reveal: bool) -> dict[str, Any]:
    """One request and its answer; of `fields` those are named that it found wrong."""
    return {
        "method": attempt.request.method if attempt.request else None,
        "resource": attempt.request.resource if attempt.request else None,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        **outcome_report(attempt.outcome, fields, reveal=reveal),
    }


def outcome_report(
    outcome: Outcome | None, fields: frozenset[str], *, reveal: bool
) -> dict[str, Any]:
    """How a request went; an unanswered one says so. An answer may name a value as a field."""
    if outcome is None:
        return {"outcome": "unanswered", "status": None, "detail": ""}
    return {
        "outcome": str(outcome.kind),
        "why": str(outcome.reason),
        "status": outcome.status,
        "code": outcome.code,
        "detail": outcome.detail if reveal else "",
        "fields": [
            cut(error.field, MOST_SENT) if reveal or error.field in fields else OTHER_FIELD
            for error in outcome.field_errors
        ],
    }


def masked_reference(name: str, *, reveal: bool) -> str:
    """What is waited for, with its number only if it may be shown."""
    return name if reveal else masked_key(name)


def masked_code(code: str) -> str:
    """A short code as it is; of a longer one, which may be a word about a person, its length."""
    return code if len(code) <= _LONGEST_SHOWN else f"{MASK} ({len(code)} characters)"
