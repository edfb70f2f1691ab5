"""Notices in docs/reference/status.md, and their table in docs/operating.md."""

from __future__ import annotations

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
    paragraphs = (
        f"## {kind}",
        f"> {readable(row.sentence).strip()}",
        f"**It means:** {row.meaning}." if row.meaning else "",
        row.background,
        f"**Do:** {readable(row.action)}." if row.action else "",
        f"Has to act: {row.by}." if row.by is not Actor.NOBODY else "",
    )
    return "\n\n".join(filter(None, paragraphs)) + "\n"
