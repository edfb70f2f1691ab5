"""Notices in docs/reference/status.md, and their table in docs/operating.md."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.notices import EXPLANATIONS, Actor, NoticeExplanation, NoticeKind
from bridge.template import readable


def sections() -> str:
    """A section for each kind, in docs/reference/status.md."""
    return "\n".join(_section(kind, row) for kind, row in EXPLANATIONS.items())


def table() -> str:
    """The table of docs/operating.md: what there may be something to do about."""
    rows = [
        f"| [`{kind}`](reference/status.md#{kind}) | {readable(row.sentence)} | {row.meaning} "
        f"| {readable(row.action)} |"
        for kind, row in EXPLANATIONS.items()
        if row.action
    ]
    head = ["| kind | `bridge status` says | it means | do |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _section(kind: NoticeKind, row: NoticeExplanation) -> str:
    return "\n".join([f"## {kind}", "", *_paragraphs(row)])


def _paragraphs(row: NoticeExplanation) -> Iterator[str]:
    yield f"> {readable(row.sentence).strip()}"
    yield ""
    if row.meaning:
        yield f"**It means:** {row.meaning}."
        yield ""
    if row.background:
        yield row.background
        yield ""
    if row.action:
        yield f"**Do:** {readable(row.action)}."
        yield ""
    if row.by is not Actor.NOBODY:
        yield f"Has to act: {row.by}."
        yield ""
