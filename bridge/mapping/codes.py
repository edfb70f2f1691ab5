"""Code tables: what a code of the source is called at the far end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bridge.mapping.language import Rows, TableText
from bridge.yamlfile import Word

#: what `otherwise` says beside a value of its own
KEEP, DROP, HOLD = "keep", "drop", "hold"
NO_SENDERS: Final[Mapping[str, CodeTable]] = {}


def normal(code: str) -> str:
    """A code as it is compared: without case, and with single spaces."""
    return " ".join(code.casefold().split())


class Row(NamedTuple):
    """What a code becomes, and the row that says so."""

    value: Any
    #: `codes/gender: F`
    made_by: str


class CodeTable:
    """One table; a code is found whatever its case."""

    __slots__ = ("_otherwise", "_rows", "holds", "keeps", "senders", "text")

    def __init__(
        self,
        text: TableText,
        rows: Sequence[tuple[str, Row]],
        senders: Mapping[str, CodeTable] = NO_SENDERS,
    ) -> None:
        """`rows` by their code, of which a later one counts; `senders` are the whole tables of
        single ones. What becomes of any other code, `text` says."""
        #: as it was written
        self.text = text
        otherwise = text.otherwise.text if text.otherwise else DROP
        self._rows = {normal(code): row for code, row in rows}
        # as it is written too, which is how it nearly always comes
        self._rows |= {code: self._rows[normal(code)] for code, _ in rows}
        self.keeps = otherwise == KEEP
        #: whether a message with another code waits for a row
        self.holds = otherwise == HOLD
        fixed = otherwise not in (KEEP, DROP, HOLD)
        self._otherwise = Row(otherwise, f"codes/{text.name}: otherwise") if fixed else None
        #: by sending application, or application and facility: `MEDIS`, `MEDIS|RIVERSIDE`
        self.senders = senders

    @property
    def name(self) -> str:
        """As in `codes/NAME.yaml`."""
        return self.text.name

    def results(self) -> Iterator[tuple[str, Word]]:
        """Every word the table can give, `keep` aside, with its dotted key."""
        for code, value in self.text.rows:
            yield f"rows.{code.text}", value
        for sender, rows in self.text.senders:
            for code, value in rows:
                yield f"senders.{sender.text}.{code.text}", value
        if self.text.otherwise and self._otherwise:
            yield "otherwise", self.text.otherwise

    def row(self, code: Any) -> Row | None:
        """The row of a code, or None."""
        return self._rows.get(code) or self._rows.get(normal(str(code)))

    def of_sender(self, sender: str) -> CodeTable:
        """The table as it is for messages of a sender, `MEDIS|RIVERSIDE`: the more exact first."""
        senders = self.senders
        return senders.get(sender) or senders.get(sender.partition("|")[0], self)

    def otherwise(self, code: Any) -> Row | None:
        """What becomes of a code without a row; None drops or holds it."""
        return Row(code, f"codes/{self.name}: otherwise keep") if self.keeps else self._otherwise


def code_table(text: TableText) -> CodeTable:
    """A table as written; what a sender has no row for, the rows for its application and then
    those for all say."""
    rows = _rows(text.name, text.rows)
    stated = {sender.text: own for sender, own in text.senders}
    senders = {}
    for sender, own in stated.items():
        application = sender.partition("|")[0]
        of_all = _rows(f"{text.name}[{application}]", stated.get(application, ()))
        merged = (*rows, *of_all, *_rows(f"{text.name}[{sender}]", own))
        senders[sender] = CodeTable(text, merged)
    return CodeTable(text, rows, senders)


def _rows(table: str, rows: Rows) -> Sequence[tuple[str, Row]]:
    return [(code.text, Row(value.text, f"codes/{table}: {code.text}")) for code, value in rows]
