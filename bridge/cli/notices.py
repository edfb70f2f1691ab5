"""The notices that `bridge status` prints: made of its report, and printed a line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console

from bridge.cli.remarks import most_frequent
from bridge.cli.status import paused_lines, resumed_lines
from bridge.cli.tables import lines
from bridge.cli.zauto import drained_by
from bridge.message import Status
from bridge.notices import Notice, NoticeKind, sentence

if TYPE_CHECKING:
    from bridge.reports.lists import UseRow
    from bridge.reports.notices import NoticeRow
    from bridge.reports.status import BudgetReport, StatusReport


def print_notices(out: Console, notices: Iterable[Notice], zone: str) -> None:
    """Each on a line of its own."""
    for notice in notices:
        lines(out, sentence(notice, zone))


def all_rows(report: StatusReport, zone: str) -> list[NoticeRow]:
    """All that is printed, from the first line to the last, with the titles of tables that a
    person acts on."""
    # importing reports takes a while, which --help need not wait for
    from bridge.reports.notices import notice_row

    below = [
        *([Notice(NoticeKind.BY_HAND)] if report.tasks else []),
        *last_notices(report, zone),
        *([Notice(NoticeKind.CONTRACT_DEVIATIONS)] if report.contract else []),
    ]
    first = [notice_row(each, zone) for each in first_notices(report)]
    return [*first, *report.lines, *(notice_row(each, zone) for each in below)]


def first_notices(report: StatusReport) -> list[Notice]:
    """What matters, most urgent first."""
    counts, notices = report.messages, []
    if not report.running:
        notices.append(Notice(NoticeKind.NOT_RUNNING))
    waiting = counts[Status.WAITING]
    notices += paused_lines(report, waiting)
    if counts[Status.PARKED]:
        notices.append(Notice(NoticeKind.PARKED, number=counts[Status.PARKED]))
    if waiting and not report.paused:
        oldest = report.oldest_waiting_seconds or 0.0
        notices.append(Notice(NoticeKind.ON_THE_WAY, number=waiting, seconds=oldest))
    if counts[Status.HELD]:
        notices.append(Notice(NoticeKind.HELD, number=counts[Status.HELD]))
    if not notices:
        any_came = any(counts.values())
        notices.append(Notice(NoticeKind.ALL_DELIVERED if any_came else NoticeKind.NOTHING_CAME))
    return notices


def last_notices(report: StatusReport, zone: str) -> Iterator[Notice]:
    """What is below the tables."""
    yield from most_frequent(report.remarks)
    if count := report.quarantined:
        yield Notice(NoticeKind.QUARANTINED, number=count)
    later = report.application_acknowledgments.items()
    if parts := tuple(f"{count} {state}" for state, count in later if count):
        yield Notice(NoticeKind.ACKNOWLEDGMENTS, parts=parts)
    yield from map(_mappings, report.mappings)
    for row in report.listeners:
        if row.certificate_days_left is not None:
            days = round(row.certificate_days_left)
            yield Notice(NoticeKind.CERTIFICATE, name=row.listener, number=days)
    yield from resumed_lines(report.resumed)
    if report.budget is not None:
        yield budget_notice(report.budget, zone)


def budget_notice(budget: BudgetReport, zone: str) -> Notice:
    """How many calls were made, and until when what waits will have gone."""
    if budget.limit is None:
        return Notice(NoticeKind.CALLS_NOT_LIMITED)
    used, waiting, by = budget.used, budget.calls_waiting, drained_by(budget, zone)
    kind = NoticeKind.CALLS_USED
    return Notice(kind, number=used, limit=budget.limit, waiting=waiting, name=by)


def _mappings(row: UseRow) -> Notice:
    """Which mappings a site uses, and since when."""
    pinned = ("pinned",) if row.pinned else ()
    kind = NoticeKind.MAPPINGS_IN_USE
    return Notice(kind, site=row.site, name=row.hash, since=row.since, parts=pinned)
