"""What the file of a code table says, ready to look codes up in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.mapping.codes import DROP, HOLD, KEEP, CodeRow, CodeTable
from bridge.mapping.language.words import Rows, TableText
from bridge.yamlfile import Word


def code_table(text: TableText) -> CodeTable:
    """A table as written; what a sender has no row for, the rows for its application and then
    those for all say."""
    rows = _rows(text.name, text.rows)
    otherwise = text.otherwise.text if text.otherwise else DROP
    stated = {sender.text: own for sender, own in text.senders}
    senders = {}
    for sender, own in stated.items():
        application = sender.partition("|")[0]
        of_all = _rows(f"{text.name}[{application}]", stated.get(application, ()))
        merged = (*rows, *of_all, *_rows(f"{text.name}[{sender}]", own))
        senders[sender] = CodeTable(text.name, merged, otherwise)
    return CodeTable(text.name, rows, otherwise, senders, tuple(_results(text)))


def _rows(table: str, rows: Rows) -> Sequence[tuple[str, CodeRow]]:
    return [(code.text, CodeRow(value.text, f"codes/{table}: {code.text}")) for code, value in rows]


def _results(text: TableText) -> Iterator[tuple[str, Word]]:
    for code, value in text.rows:
        yield f"rows.{code.text}", value
    for sender, rows in text.senders:
        for code, value in rows:
            yield f"senders.{sender.text}.{code.text}", value
    if text.otherwise and text.otherwise.text not in (KEEP, DROP, HOLD):
        yield "otherwise", text.otherwise
