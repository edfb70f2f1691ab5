"""The runbook: the pages of causes and notices in docs/reference, and their tables in
docs/operating.md.

python -m bridge.reports.pages.runbook causes > docs/reference/causes.md
python -m bridge.reports.pages.runbook status > docs/reference/status.md
python -m bridge.reports.pages.runbook docs/operating.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bridge import logs
from bridge.causes import EXPLANATIONS, CauseKind, Explanation
from bridge.reports.pages import notices as notice_page
from bridge.template import readable

_HEAD = """\
# Causes

Why a message or call is where it is, as `bridge messages show` names it, and what to do about it.
Each cause is a constant: `bridge messages --cause NAME` lists the messages that have it, and
`bridge status` counts parked ones by it. In a sentence, `key`, `said` and `sent` stand for patient
data or foreign text, which is shown with `--reveal` only.

This page is generated from `bridge/causes/explanations.py` (`make reference`).
"""
#: what stands around a table that is written by a program
_TABLE = re.compile(
    r"(<!-- table of (\w+), written by make reference -->\n).*?(<!-- end of table -->)", re.DOTALL
)


def page() -> str:
    """The whole of docs/reference/causes.md."""
    return "\n".join([_HEAD, *(_section(kind, row) for kind, row in EXPLANATIONS.items())])


def table() -> str:
    """The table of docs/operating.md: what parks or holds a message, and what to do."""
    rows = [
        f"| [`{kind}`](reference/causes.md#{kind}) | {readable(row.sentence)} "
        f"| {readable(row.action)} |"
        for kind, row in EXPLANATIONS.items()
        if row.by is not None
    ]
    return "\n".join(["| cause | the message says | do |", "|---|---|---|", *rows, ""])


def _section(kind: CauseKind, row: Explanation) -> str:
    return "\n".join([f"## {kind}", "", *_paragraphs(row)])


def _paragraphs(row: Explanation) -> Iterator[str]:
    yield f"> {readable(row.sentence)}"
    yield ""
    if row.background:
        yield row.background.replace("](reference/", "](")
        yield ""
    if row.action:
        yield f"**Do:** {readable(row.action).replace('](reference/', '](')}."
        yield ""
    if row.by is not None:
        yield f"Has to act: {row.by}. ERR-3 of an application acknowledgment: {row.code}."
        yield ""


def with_tables(text: str) -> str:
    """A page of the docs with its tables as they are now."""
    return _TABLE.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", text)


#: by the names of the pages, and by the names between the marks
PAGES: Mapping[str, Callable[[], str]] = {"causes": page, "status": notice_page.page}
TABLES: Mapping[str, Callable[[], str]] = {"causes": table, "notices": notice_page.table}

if __name__ == "__main__":
    logs.configure("WARNING")
    if sys.argv[1] in PAGES:
        sys.stdout.write(PAGES[sys.argv[1]]())
    else:
        target = Path(sys.argv[1])
        target.write_text(with_tables(target.read_text(encoding="utf-8")), encoding="utf-8")
