"""What docs/ says of causes, notices, events, ZautoAI's API and the words of mappings.

`make reference` writes it anew between marks; what stands beside is the page's own, and stays.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bridge import logs
from bridge.causes import EXPLANATIONS, CauseKind, Explanation
from bridge.reports.pages import events, notices
from bridge.reports.pages.words import with_words
from bridge.shipped import mappings_folder
from bridge.template import readable
from bridge.zauto.catalogue import load
from bridge.zauto.reference import reference

_MARKED = re.compile(
    r"(<!-- (\w+ of \w+), written by make reference -->\n).*?(<!-- end of \w+ -->)", re.DOTALL
)


def sections() -> str:
    """A section for each cause, in docs/reference/causes.md."""
    return "\n".join(_section(kind, row) for kind, row in EXPLANATIONS.items())


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
    code = f"ERR-3 of an application acknowledgment: {row.code}."
    paragraphs = (
        f"## {kind}",
        f"> {readable(row.sentence)}",
        row.background.replace("](reference/", "]("),
        f"**Do:** {readable(row.action).replace('](reference/', '](')}." if row.action else "",
        f"Has to act: {row.by}. {code}" if row.by is not None else "",
    )
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def rewritten(page: str) -> str:
    """A page of the docs with what is written between its marks as it is now."""
    return with_words(_MARKED.sub(lambda found: f"{found[1]}{MADE[found[2]]()}{found[3]}", page))


#: by the names in the marks
MADE: Mapping[str, Callable[[], str]] = {
    "table of causes": table,
    "sections of causes": sections,
    "table of notices": notices.table,
    "sections of notices": notices.sections,
    "table of events": events.table,
    "sections of zautoai": lambda: reference(load(mappings_folder() / "zauto")),
}

if __name__ == "__main__":
    logs.configure("WARNING")
    for _file in map(Path, sys.argv[1:]):
        _file.write_text(rewritten(_file.read_text(encoding="utf-8")), encoding="utf-8")
