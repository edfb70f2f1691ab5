"""What `bridge status` makes of its report beside the counts: what is paused, parked and to be done
by hand, and its exit code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

from bridge.causes import MASK
from bridge.cli.grid import Grid
from bridge.cli.tables import table, when
from bridge.errors import BridgeError
from bridge.message import Status
from bridge.notices import Notice, NoticeKind, sentence

if TYPE_CHECKING:
    from bridge.reports.destinations import DestinationRow, PausedReport, ResumedReport
    from bridge.reports.status import StatusReport
    from bridge.reports.stuck import ParkedRow, StuckReport

#: seconds for which it is shown that a person ended waits
_SHOWN = 86_400.0


class StatusCode(IntEnum):
    """How `bridge status` exits."""

    #: everything is done, or on its way
    FINE = 0
    #: a person is needed
    PERSON = 1
    #: delivery is stopped, the service does not run, or nothing is acknowledged
    STOPPED = 2


class StatusUnknown(BridgeError):
    """The status cannot be read; `bridge status` then exits as STOPPED."""


def status_code(report: StatusReport) -> StatusCode:
    """The worst of what the report says."""
    if not report.running or not report.acknowledging or report.ended:
        return StatusCode.STOPPED
    if report.paused_destinations or report.paused_resources:
        return StatusCode.STOPPED
    if report.paused_channels or report.paused_patients:
        return StatusCode.STOPPED
    if any(_is_stopped(each) for each in report.destinations):
        return StatusCode.STOPPED
    stops = any(each.stops for each in report.destinations)
    needed = report.messages[Status.PARKED] or report.tasks or stops
    return StatusCode.PERSON if needed else StatusCode.FINE


def _is_stopped(destination: DestinationRow) -> bool:
    """Whether no calls are made to it, or only a person can let them succeed."""
    trouble = destination.trouble
    all_calls = any(not stop.resource for stop in destination.stops)
    return all_calls or bool(trouble and trouble.needs_person)


def paused_lines(report: PausedReport, waiting: int = 0) -> Iterator[Notice]:
    """What is paused, and the command that lets it continue; `waiting` is how many messages."""
    if report.paused:
        yield Notice(NoticeKind.PAUSED, number=waiting)
    else:
        for each in report.paused_destinations:
            yield Notice(NoticeKind.DESTINATION_PAUSED, name=each.words, destination=each)
    for resource in report.paused_resources:
        yield Notice(NoticeKind.RESOURCE_PAUSED, resource=resource)
    for name in report.paused_channels:
        yield Notice(NoticeKind.CHANNEL_PAUSED, name=name)
    numbers = report.paused_patients
    shown = [number for number in numbers if number != MASK]
    for number in shown:
        yield Notice(NoticeKind.PATIENT_PAUSED, patient=number)
    if len(shown) < len(numbers):
        yield Notice(NoticeKind.PATIENTS_PAUSED, number=len(numbers) - len(shown))


def stuck_tables(report: StuckReport, zone: str) -> Iterator[Grid]:
    """Parked messages by cause and sender, and what must be done by hand, where there is any."""
    if parked := report.parked_by:
        rows = [(r.cause, _sender(r), r.count, when(r.oldest, zone)) for r in parked]
        yield table("parked", ("cause", "sender", "messages", "oldest"), rows)
    if tasks := report.tasks:
        done = [(t.what, t.count, when(t.since, zone), t.do) for t in tasks]
        title = sentence(Notice(NoticeKind.BY_HAND), zone)
        yield table(title, ("what", "messages", "since", "do"), done)


def resumed_lines(resumed: ResumedReport | None) -> Iterator[Notice]:
    """That a person ended a wait after a 429 in the last day, and why."""
    if resumed and time.time() - resumed.at < _SHOWN:
        yield Notice(NoticeKind.WAITS_ENDED, since=resumed.at, text=resumed.reason)


def _sender(row: ParkedRow) -> str:
    """Sending application and facility, or the channel of messages that name none."""
    return f"{row.sending_application}|{row.sending_facility}".strip("|") or row.channel
