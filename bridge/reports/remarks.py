"""What people and programs are shown of remarks: those of a message, and those that were counted,
which hold no patient data."""

from __future__ import annotations

from pydantic import Field

from bridge.causes import MASK
from bridge.remarks import Remark, RemarkCode
from bridge.reports.report import Report
from bridge.store.notes import NotesView
from bridge.store.records import RemarkCount

#: rows that `bridge status` shows
TOP = 5
#: more rows than are kept
_ALL = 100_000
#: nothing of a message is thrown away with these
_WITHOUT_LOSS = frozenset({RemarkCode.NOTHING_KEPT, RemarkCode.NOTHING_NEW})


class RemarkReport(Report):
    """What a translation met and continued from."""

    code: RemarkCode
    path: str = Field(description="where in the message, or which resource")
    text: str = Field(description="what is odd")
    sent: str = Field(description="what stood there; patient data")


class RemarkRow(Report):
    """A remark as often as one sender's messages brought it."""

    sender: str = Field(description="sending application and facility, `MEDIS|RIVERSIDE`")
    path: str = Field(description="where in the messages, or which resource")
    code: str = Field(description="code of the remark")
    text: str = Field(description="what is odd; empty for a code of a later version")
    count: int = Field(description="how often")
    first_at: float = Field(description="when it was met first, seconds since the epoch")
    last_at: float = Field(description="when it was met last, seconds since the epoch")
    message: int = Field(description="number of the latest message with it")


def remark_report(remark: Remark, *, reveal: bool) -> RemarkReport:
    """One remark, with what stood there if it may be shown."""
    shown = reveal or not remark.sent
    return RemarkReport.model_validate(remark if shown else remark._replace(sent=MASK))


def remark_rows(view: NotesView, *, limit: int, sender: str = "") -> list[RemarkRow]:
    """The remarks met most often, of one sender or all; `message` is the latest example."""
    return [_row(each) for each in view.remark_counts(limit, sender=sender)]


def top_remarks(view: NotesView) -> list[RemarkRow]:
    """What is thrown away or left out most often."""
    lost = [each for each in view.remark_counts(_ALL) if each.code not in _WITHOUT_LOSS]
    return [_row(each) for each in lost[:TOP]]


def _row(count: RemarkCount) -> RemarkRow:
    stated = count._asdict()
    return RemarkRow(**stated, text=_text(count), count=count.number, message=count.message_id)


def _text(count: RemarkCount) -> str:
    """The sentence of the code; a store of a later version may have codes that have none here."""
    known = count.code in set(RemarkCode)
    return Remark(RemarkCode(count.code), count.path, count.name).text if known else ""
