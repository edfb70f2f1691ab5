"""What the rules of every store ask of a database: statements by their names.

A statement stands in a `.sql` file of its database under a line `-- name: …`, with its parameters
by name, `:lane`. What must happen when is in `store/rules`, in Python and once; a further database
brings the same names, and a connection that has these methods.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

#: what a parameter may be; enumerations of strings are strings
Value: TypeAlias = str | bytes | int | float | None
#: the parameters of a statement
Values: TypeAlias = dict[str, Value]


class Row(Protocol):
    """One row, its columns by name."""

    def __getitem__(self, column: str, /) -> Any: ...


class Statements(Protocol):
    """The statements of one connection; inside of a job they are one transaction."""

    def each(self, name: str, /, **values: Value) -> Generator[Row, None, None]:
        """The rows, read as they are asked for; raises StoreError."""
        ...

    def one(self, name: str, /, **values: Value) -> Row | None:
        """The first row; raises StoreError."""
        ...

    def all(self, name: str, /, **values: Value) -> Sequence[Row]:
        """All rows at once; raises StoreError."""
        ...

    def change(self, name: str, /, **values: Value) -> int:
        """Run a statement that changes rows; returns how many it did."""
        ...

    def insert(self, name: str, /, **values: Value) -> int | None:
        """Run a statement that inserts one row; returns its id, or None where the row was there
        already and the statement lets it be."""
        ...

    def insert_rows(self, name: str, rows: Sequence[Mapping[str, Value]]) -> Sequence[int]:
        """Insert many rows at once by the statement that inserts one; the ids of those that were
        inserted, in the order of the rows."""
        ...

    def undoing(self) -> AbstractContextManager[None]:
        """What is done inside is undone where it raises, and nothing else is."""
        ...
