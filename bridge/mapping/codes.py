"""Code tables: what a code of the source is called at the far end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


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

    __slots__ = ("_keep", "_otherwise", "_rows", "name")

    def __init__(self, name: str, rows: Mapping[str, str], otherwise: str) -> None:
        """`otherwise` is `drop`, `keep`, or the value of every other code."""
        self.name = name
        made = {code: Row(value, f"codes/{name}: {code}") for code, value in rows.items()}
        # as it is written too, which is how it nearly always comes
        self._rows = {**{normal(code): row for code, row in made.items()}, **made}
        self._keep = otherwise == "keep"
        fixed = otherwise not in ("keep", "drop")
        self._otherwise = Row(otherwise, f"codes/{name}: otherwise") if fixed else None

    def results(self) -> frozenset[str]:
        """Everything the table can give, `keep` aside."""
        fixed = [self._otherwise] if self._otherwise else []
        return frozenset(str(row.value) for row in (*self._rows.values(), *fixed))

    def row(self, code: Any) -> Row | None:
        """The row of a code, or None."""
        return self._rows.get(code) or self._rows.get(normal(str(code)))

    def otherwise(self, code: Any) -> Row | None:
        """What becomes of a code without a row; None drops it."""
        return Row(code, f"codes/{self.name}: otherwise keep") if self._keep else self._otherwise
