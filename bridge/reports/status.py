"""The status of the bridge: counts, what is waited for, what is stuck, and what a person should
know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from pydantic import Field

from bridge.message import Status, shown_type
from bridge.notices import Notice
from bridge.reports.destinations import Readiness
from bridge.reports.lists import UseRow, mappings_in_use
from bridge.reports.masking import masked_reference
from bridge.reports.notices import NoticeRow, notice_row
from bridge.reports.remarks import RemarkRow, top_remarks
from bridge.reports.report import Report
from bridge.reports.stuck import StuckReport, stuck_report
from bridge.store.acknowledgments import Answering
from bridge.store.contract import View
from bridge.store.records import Tally
from bridge.zauto.budget import BudgetState
from bridge.zauto.watch import Oddity, Seen


class HeldRow(Report):
    """Something that messages and calls wait for."""

    waits_for: str = Field(description="`resource/external id` or `Type/id`; patient data")
    count: int = Field(description="how many wait")


class UnmappedRow(Report):
    """A message type that no mapping handles."""

    message_type: str
    count: int = Field(description="how many came")


class Backlog(Report):
    """How much is in the store, and what it waits for."""

    running: bool = Field(description="whether the service runs")
    messages: dict[Status, int] = Field(description="count by status")
    deliveries: dict[Status, int] = Field(description="count by status, where there are any")
    oldest_waiting_seconds: float | None = Field(description="age of the oldest waiting message")
    held_for: list[HeldRow] = Field(description="what is waited for, most waited for first")
    unmapped_types: list[UnmappedRow] = Field(description="types without a mapping")
    quarantined: int = Field(description="how much came in that was not a message")
    application_acknowledgments: dict[Answering, int] = Field(description="count by state")


class BudgetReport(Report):
    """The calls that ZautoAI allows in an hour."""

    used: int = Field(description="calls in the last hour")
    limit: int | None = Field(description="how many are allowed; null where there is no limit")
    resets_at: float | None = Field(description="when the last of them counts no longer")
    waiting: float = Field(description="seconds until a new registration may go")
    remaining_at_zauto: int | None = Field(description="calls left, as ZautoAI said last")
    reset_at_zauto: float | None = Field(description="until when, as ZautoAI said last")
    calls_waiting: int = Field(description="calls that wait")
    drained_in: int | None = Field(description="seconds until all have gone; null if unforeseen")


class DeviationRow(Report):
    """Something that ZautoAI answered and its document does not say."""

    what: Oddity
    where: str = Field(description="a field, an error code, or a status")
    count: int = Field(description="how often")
    first_at: float = Field(description="when it was seen first, seconds since the epoch")
    last_at: float = Field(description="when it was seen last, seconds since the epoch")


class ListenerRow(Report):
    """An MLLP listener."""

    listener: str = Field(description="its name")
    connections: int = Field(description="how many are open")
    tls: bool
    certificate_days_left: float | None = Field(description="null where it has no certificate")


class StatusReport(Readiness, StuckReport, Backlog):
    """What `bridge status` shows."""

    lines: list[NoticeRow] = Field(description="what a person should know, worst first")
    notices: list[str] = Field(description="the same as sentences")
    mappings: list[UseRow] = Field(default=[], description="the set of mappings of each site")
    remarks: list[RemarkRow] = Field(default=[], description="what is left out most often")
    listeners: list[ListenerRow] = Field(default=[], description="of a running service")
    contract: list[DeviationRow] = Field(default=[], description="odd answers of ZautoAI")
    budget: BudgetReport | None = Field(default=None, description="of a running service")


def status_report(
    view: View,
    readiness: Readiness,
    notices: Iterable[Notice],
    *,
    now: float,
    zone: str,
    running: bool,
    reveal: bool,
    **more: Any,
) -> StatusReport:
    """What the store holds, with what the service or its store knows of the destinations; `more`
    is what a running service has besides."""
    lines = [notice_row(each, zone) for each in notices]
    return StatusReport(
        **backlog(view.tally(), now=now, running=running, reveal=reveal).stated(),
        **stuck_report(view).stated(),
        **readiness.stated(),
        lines=lines,
        notices=[row.text for row in lines],
        mappings=mappings_in_use(view),
        remarks=top_remarks(view),
        **more,
    )


def backlog(tally: Tally, *, now: float, running: bool, reveal: bool = False) -> Backlog:
    """Counts by status, the oldest waiting and what is waited for."""
    oldest = tally.oldest_waiting
    # only the kind of what is waited for, unless its number may be shown
    held = _counted(tally.held_for, partial(masked_reference, reveal=reveal))
    # what is no message type counts as one
    unmapped = _counted(tally.unmapped_types, shown_type)
    return Backlog(
        running=running,
        messages={status: tally.messages.get(status, 0) for status in Status},
        deliveries={status: count for status, count in tally.deliveries.items() if count},
        oldest_waiting_seconds=None if oldest is None else round(max(0.0, now - oldest), 1),
        held_for=[HeldRow(waits_for=name, count=count) for name, count in held],
        unmapped_types=[UnmappedRow(message_type=name, count=count) for name, count in unmapped],
        quarantined=tally.quarantined,
        application_acknowledgments={
            each: tally.acknowledgments.get(each, 0) for each in Answering
        },
    )


def budget_report(state: BudgetState, *, waiting: int, drained_in: float | None) -> BudgetReport:
    """The budget for people; `waiting` calls may go, the last of them in so many seconds."""
    return BudgetReport(
        used=state.used,
        limit=state.limit,
        resets_at=state.resets_at,
        waiting=round(state.waiting, 1),
        remaining_at_zauto=state.told_remaining,
        reset_at_zauto=state.told_until,
        calls_waiting=waiting,
        drained_in=None if drained_in is None else round(drained_in),
    )


def deviation_rows(seen: Sequence[Seen]) -> list[DeviationRow]:
    """What was odd in ZautoAI's answers."""
    return [DeviationRow.model_validate(each) for each in seen]


def _counted(
    found: Iterable[tuple[str, int]], shown: Callable[[str], str]
) -> list[tuple[str, int]]:
    """Names as they may be shown with their counts, the most frequent first."""
    counted: Counter[str] = Counter()
    for name, count in found:
        counted[shown(name)] += count
    return counted.most_common()
