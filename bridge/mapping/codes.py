"""Code tables: what a code of the source is called at the far end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from bridge.yamlfile import Word

#: what `otherwise` says beside a value of its own
KEEP, DROP, HOLD = "keep", "drop", "hold"
NO_SENDERS: Final[Mapping[str, CodeTable]] = {}


def normal(code: str) -> str:
    """A code as it is compared: without case, and with single spaces."""
    return " ".join(code.casefold().split())


class CodeRow(NamedTuple):
    """What a code becomes, and the row that says so."""

    value: Any
    #: `codes/gender: F`
    made_by: str


class CodeTable:
    """One table; a code is found whatever its case."""

    __slots__ = ("_otherwise", "_rows", "holds", "keeps", "name", "results", "senders")

    def __init__(
        self,
        name: str,
        rows: Sequence[tuple[str, CodeRow]],
        otherwise: str = DROP,
        senders: Mapping[str, CodeTable] = NO_SENDERS,
        results: Sequence[tuple[str, Word]] = (),
    ) -> None:
        """`rows` by their code, of which a later one counts; `senders` are the whole tables of
        single ones, and `otherwise` says what becomes of any other code."""
        #: as in `codes/NAME.yaml`
        self.name = name
        #: every word that it can give, `keep` aside, with its dotted key
        self.results = results
        self._rows = {normal(code): row for code, row in rows}
        # as it is written too, which is how it nearly always comes
        self._rows |= {code: self._rows[normal(code)] for code, _ in rows}
        self.keeps = otherwise == KEEP
        #: whether a message with another code waits for a row
        self.holds = otherwise == HOLD
        fixed = otherwise not in (KEEP, DROP, HOLD)
        self._otherwise = CodeRow(otherwise, f"codes/{name}: otherwise") if fixed else None
        #: by sending application, or application and facility: `MEDIS`, `MEDIS|RIVERSIDE`
        self.senders = senders

    def row(self, code: Any) -> CodeRow | None:
        """The row of a code, or None."""
        return self._rows.get(code) or self._rows.get(normal(str(code)))

    def of_sender(self, sender: str) -> CodeTable:
        """The table as it is for messages of a sender, `MEDIS|RIVERSIDE`: the more exact first."""
        senders = self.senders
        return senders.get(sender) or senders.get(sender.partition("|")[0], self)

    def otherwise(self, code: Any) -> CodeRow | None:
        """What becomes of a code without a row; None drops or holds it."""
        return (
            CodeRow(code, f"codes/{self.name}: otherwise keep") if self.keeps else self._otherwise
        )
