"""Stuck: what a person is needed for, counted by cause and sender."""

from __future__ import annotations

from pydantic import Field

from bridge.causes import EXPLANATIONS, CauseKind
from bridge.remarks import RemarkCode
from bridge.reports.report import Report
from bridge.store.notes import NotesView

#: rows of parked messages that are shown
MOST_PARKED = 20
#: what to do after a remark, which has no action of its own
_BY_HAND = "see what the remarks of these messages leave out, and add it at ZautoAI by hand"


class ParkedRow(Report):
    """Parked messages of one sender with one cause."""

    cause: str = Field(description="kind of the cause")
    sending_application: str = Field(description="MSH-3")
    sending_facility: str = Field(description="MSH-4")
    channel: str = Field(description="the channel they came in through")
    count: int = Field(description="how many")
    oldest: float = Field(description="when the oldest came, seconds since the epoch")


class TaskRow(Report):
    """Messages because of which a person must do something by hand."""

    what: str = Field(description="kind of the cause, or code of the remark")
    do: str = Field(description="what to do; empty for a kind of a later version")
    count: int = Field(description="how many messages")
    since: float = Field(description="since when, seconds since the epoch")


class StuckReport(Report):
    """What a person is needed for."""

    parked_by: list[ParkedRow] = Field(description="parked messages by cause and sender")
    tasks: list[TaskRow] = Field(description="what must be done by hand")


def stuck_report(view: NotesView) -> StuckReport:
    """Parked messages by cause and sender, and what must be done by hand."""
    return StuckReport(
        parked_by=[
            ParkedRow(**each._asdict(), count=each.number)
            for each in view.parked_counts(MOST_PARKED)
        ],
        tasks=[
            TaskRow(**each._asdict(), do=_action(each.what), count=each.number)
            for each in view.tasks()
        ],
    )


def _action(what: str) -> str:
    """What to do, for a kind of cause or a code of a remark; "" for one of a later version."""
    if what in set(CauseKind):
        return EXPLANATIONS[CauseKind(what)].action
    return _BY_HAND if what in set(RemarkCode) else ""
