"""What people and programs are shown of remarks that were counted, without patient data."""

from __future__ import annotations

from typing import Any

from bridge.remarks import Remark, RemarkCode
from bridge.store.notes import NotesView
from bridge.store.records import RemarkCount

#: rows that `bridge status` shows
TOP = 5
#: more rows than are kept
_ALL = 100_000
#: nothing of a message is thrown away with these
_WITHOUT_LOSS = frozenset({RemarkCode.NOTHING_KEPT, RemarkCode.NOTHING_NEW})


def remark_rows(view: NotesView, *, limit: int, sender: str = "") -> list[dict[str, Any]]:
    """The remarks met most often, of one sender or all; `message` is the latest example."""
    return [_row(each) for each in view.remark_counts(limit, sender=sender)]


def top_remarks(view: NotesView) -> list[dict[str, Any]]:
    """What is thrown away or left out most often."""
    lost = [each for each in view.remark_counts(_ALL) if each.code not in _WITHOUT_LOSS]
    return [_row(each) for each in lost[:TOP]]


def _row(count: RemarkCount) -> dict[str, Any]:
    return {
        "sender": count.sender,
        "path": count.path,
        "code": count.code,
        "text": _text(count),
        "count": count.number,
        "first_at": count.first_at,
        "last_at": count.last_at,
        "message": count.message_id,
    }


def _text(count: RemarkCount) -> str:
    """The sentence of the code; a store of a later version may have codes that have none here."""
    known = count.code in set(RemarkCode)
    return Remark(RemarkCode(count.code), count.path, count.name).text if known else ""
