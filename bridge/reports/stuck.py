"""Stuck: what a person is needed for, counted by cause and sender, as plain JSON values."""

from __future__ import annotations

from typing import Any

from bridge.causes import EXPLANATIONS, CauseKind
from bridge.remarks import RemarkCode
from bridge.store.notes import NotesView
from bridge.store.records import ManualTasks, ParkedCount

#: rows of parked messages that are shown
MOST_PARKED = 20
#: what to do after a remark, which has no action of its own
_BY_HAND = "see what the remarks of these messages leave out, and add it at ZautoAI by hand"


def stuck_report(view: NotesView) -> dict[str, Any]:
    """Parked messages by cause and sender, and what must be done by hand; all times are epoch
    seconds."""
    return {
        "parked_by": [_parked_row(each) for each in view.parked_counts(MOST_PARKED)],
        "tasks": [_task_row(each) for each in view.tasks()],
    }


def _parked_row(parked: ParkedCount) -> dict[str, Any]:
    return {
        "cause": parked.cause,
        "sending_application": parked.sending_application,
        "sending_facility": parked.sending_facility,
        "channel": parked.channel,
        "count": parked.number,
        "oldest": parked.oldest,
    }


def _task_row(task: ManualTasks) -> dict[str, Any]:
    return {
        "what": task.what,
        "do": _action(task.what),
        "count": task.number,
        "since": task.since,
    }


def _action(what: str) -> str:
    """What to do, for a kind of cause or a code of a remark; "" for one of a later version."""
    if what in set(CauseKind):
        return EXPLANATIONS[CauseKind(what)].action
    return _BY_HAND if what in set(RemarkCode) else ""
