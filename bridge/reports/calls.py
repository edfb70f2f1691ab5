"""Calls and deliveries as people are shown them: each field with its origin, each request with its
answer. Patient data is masked unless asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field

from bridge.causes import MASK, OTHER_FIELD, cut, sentence
from bridge.delivery import (
    Call,
    Delivery,
    Interaction,
    Kind,
    Outcome,
    Payload,
    Reason,
    Step,
    Target,
)
from bridge.lineage import Legend, Origin, origins
from bridge.message import Status
from bridge.remarks import MOST_SENT
from bridge.reports.masking import masked_payload, masked_reference, without_row
from bridge.reports.report import CauseName, Numbered, Report, Seconds, Sentence, WaitsFor
from bridge.store.records import Attempt


class OriginRow(Report):
    """Where one field of a call came from."""

    field: str = Field(description="the field that is filled: `gender`, `PID-5.1`")
    path: str = Field(description="source path; empty for a constant")
    raw: str = Field(description="the source value before any function; patient data")
    rule: str = Field(description="file and line of the rule")
    made_by: str = Field(description="function, code table or default; empty for a plain copy")


class CallReport(Report):
    """One thing that a message asks of a destination."""

    target: Target
    interaction: Interaction
    resource: str = Field(description="resource at ZautoAI, or message type for the hospital")
    external_id: str = Field(description="the hospital's id of the record; patient data")
    into: str = Field(description="external id of the record that this one leads to; patient data")
    owner: str = Field(description="external id of the record it belonged to; patient data")
    payload: Payload = Field(description="what is sent; values that no mapping states are masked")
    create_only: list[str] = Field(description="fields that only a new record is sent")
    lineage: list[OriginRow] = Field(description="where each field came from")


class RequestReport(Report):
    """One request of a delivery."""

    method: str | None = Field(description="null where its record is damaged")
    resource: str | None = Field(description="null where its record is damaged")
    started_at: Seconds
    ended_at: float | None = Field(description="seconds since the epoch; null while unanswered")


class OutcomeReport(Report):
    """How a request went."""

    outcome: Kind | Literal["unanswered"]
    why: Reason | Literal[""] = Field(default="", description="why it went so")
    status: int | None = Field(description="HTTP status; null where there was none")
    code: str = Field(default="", description="MSA-1, ERR-3 and ERR-4 of errors: `AE, 204 E`")
    detail: str = Field(description="what the destination said; patient data")
    fields: list[str] = Field(default=[], description="those that the destination found wrong")


class AttemptReport(OutcomeReport, RequestReport):
    """One request, and how it went."""


class DeliveryReport(CallReport, Numbered):
    """A call with its place on its way."""

    status: Status
    step: Step = Field(description="what its next request is for")
    cause: CauseName
    reason: Sentence
    waits_for: WaitsFor
    due_at: float = Field(description="nothing is tried before; seconds since the epoch")
    attempts: list[AttemptReport] = Field(description="its requests, the oldest first")


def call_report(call: Call, legend: Legend, *, reveal: bool) -> CallReport:
    """A call, with the origin of each of its fields."""
    lineage = origins(call.lineage, legend)
    return CallReport(
        target=call.target,
        interaction=call.interaction,
        resource=call.resource,
        external_id=call.external_id if reveal else MASK,
        into=call.into if reveal or not call.into else MASK,
        owner=call.owner if reveal or not call.owner else MASK,
        payload=call.payload if reveal else masked_payload(call, lineage),
        create_only=sorted(call.create_only),
        lineage=[_origin_row(each, reveal=reveal) for each in lineage],
    )


def _origin_row(origin: Origin, *, reveal: bool) -> OriginRow:
    raw, made_by = MASK if origin.raw else "", without_row(origin.made_by)
    return OriginRow.model_validate(origin if reveal else replace(origin, raw=raw, made_by=made_by))


def delivery_report(
    delivery: Delivery, legend: Legend, attempts: Sequence[Attempt], *, reveal: bool
) -> DeliveryReport:
    """One delivery with its fields, where each came from, and its attempts."""
    cause = delivery.cause
    # those that a destination can mean: those that were sent, and those of the cause
    fields = frozenset((*delivery.call.payload, *(cause.fields if cause else ())))
    return DeliveryReport(
        id=delivery.id,
        **call_report(delivery.call, legend, reveal=reveal).stated(),
        status=delivery.status,
        step=delivery.step,
        cause=cause.kind if cause else "",
        reason=sentence(cause, reveal=reveal) if cause else "",
        waits_for=masked_reference(delivery.waits_for, reveal=reveal),
        due_at=delivery.due_at,
        attempts=[attempt_report(each, fields, reveal=reveal) for each in attempts],
    )


def attempt_report(attempt: Attempt, fields: frozenset[str], *, reveal: bool) -> AttemptReport:
    """One request and its answer; of `fields` those are named that it found wrong."""
    return AttemptReport(
        method=attempt.request.method if attempt.request else None,
        resource=attempt.request.resource if attempt.request else None,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        **outcome_report(attempt.outcome, fields, reveal=reveal).stated(),
    )


def outcome_report(
    outcome: Outcome | None, fields: frozenset[str], *, reveal: bool
) -> OutcomeReport:
    """How a request went; an unanswered one says so. An answer may name a value as a field."""
    if outcome is None:
        return OutcomeReport(outcome="unanswered", status=None, detail="")
    return OutcomeReport(
        outcome=outcome.kind,
        why=outcome.reason,
        status=outcome.status,
        code=outcome.code,
        detail=outcome.detail if reveal else "",
        fields=[
            cut(error.field, MOST_SENT) if reveal or error.field in fields else OTHER_FIELD
            for error in outcome.field_errors
        ],
    )
