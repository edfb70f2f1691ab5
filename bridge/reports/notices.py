"""Notices as rows."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bridge.notices import Actor, Notice, NoticeKind, action, explain, sentence
from bridge.reports.report import Report


class NoticeRow(Report):
    """A line of `bridge status`."""

    kind: NoticeKind
    by: Actor = Field(description="who has to act")
    text: str = Field(description="the sentence, with times in the time zone of the site")
    do: str = Field(description="what to do; empty where there is nothing to do")
    parameters: dict[str, Any] = Field(description="those that the kind has")


def notice_row(notice: Notice, zone: str) -> NoticeRow:
    """A notice for programs."""
    return NoticeRow(
        kind=notice.kind,
        by=explain(notice).by,
        text=sentence(notice, zone),
        do=action(notice, zone),
        parameters=notice.parameters(),
    )
