"""The runbook: docs/reference/causes.md, and the table of causes in docs/operating.md.

python -m bridge.pipeline.runbook > docs/reference/causes.md
python -m bridge.pipeline.runbook docs/operating.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from bridge import logs
from bridge.causes import EXPLANATIONS, CauseKind, Explanation

_HEAD = """\
# Causes

Why a message or call is where it is, as `bridge messages show` names it, and what to do about it.
Each cause is a constant: `bridge messages --cause NAME` lists the messages that have it, and
`bridge status` counts parked ones by it. In a sentence, `key`, `said` and `sent` stand for patient
data or foreign text, which is shown with `--reveal` only.

This page is generated from `bridge/causes/explanations.py` (`make reference`).
"""
_OPTIONAL = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")
_PARAMETER = re.compile(r"\{(?:number:)?([\w ]+)\}")


def page() -> str:
    """The whole of docs/reference/causes.md."""
    return "\n".join([_HEAD, *(_section(kind, row) for kind, row in EXPLANATIONS.items())])


def table() -> str:
    """The table of docs/operating.md: what parks or holds a message, and what to do."""
    rows = [
        f"| [`{kind}`](reference/causes.md#{kind}) | {_readable(row.sentence)} "
        f"| {_readable(row.action)} |"
        for kind, row in EXPLANATIONS.items()
        if row.by is not None
    ]
    return "\n".join(["| cause | the message says | do |", "|---|---|---|", *rows, ""])


def _section(kind: CauseKind, row: Explanation) -> str:
    return "\n".join([f"## {kind}", "", *_paragraphs(row)])


def _paragraphs(row: Explanation) -> Iterator[str]:
    yield f"> {_readable(row.sentence)}"
    yield ""
    if row.background:
        yield row.background.replace("](reference/", "](")
        yield ""
    if row.action:
        yield f"**Do:** {_readable(row.action).replace('](reference/', '](')}."
        yield ""
    if row.by is not None:
        yield f"Has to act: {row.by}. ERR-3 of an application acknowledgment: {row.code}."
        yield ""


def _readable(sentence: str) -> str:
    """A template as people read it: parameters in italics, optional parts as they are, links
    untouched."""
    text = _OPTIONAL.sub(lambda part: part[1], sentence)
    return _PARAMETER.sub(lambda name: f"*{name[1]}*", text)


def with_table(text: str) -> str:
    """A page of the docs with its table of causes as it is now."""
    head = table().split("\n", 1)[0]
    before, _, rest = text.partition(head)
    # the table ends at the first empty line
    return before + table() + rest.partition("\n\n")[2].join(["\n", ""])


if __name__ == "__main__":
    logs.configure("WARNING")
    if len(sys.argv) > 1:
        target = Path(sys.argv[1])
        target.write_text(with_table(target.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(page())
