"""The statements of a SQLite connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from operator import itemgetter

from bridge.errors import Damaged, StoreError
from bridge.store.sqlite.sql import PREPARED, parameters_of, rows_of
from bridge.store.statements import Row, Value

#: how SQLite's module says that stored text is not UTF-8; what follows is the text
_NO_TEXT = "Could not decode to UTF-8"


class SqliteStatements:
    """`Statements` on a connection whose rows are `sqlite3.Row`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def each(self, name: str, /, **values: Value) -> Generator[Row, None, None]:
        try:
            yield from self._execute(name, values)
        except sqlite3.Error as error:
            raise _translated(error, name) from None

    def one(self, name: str, /, **values: Value) -> Row | None:
        try:
            row: Row | None = self._execute(name, values).fetchone()
        except sqlite3.Error as error:
            raise _translated(error, name) from None
        return row

    def all(self, name: str, /, **values: Value) -> Sequence[Row]:
        try:
            return self._execute(name, values).fetchall()
        except sqlite3.Error as error:
            raise _translated(error, name) from None

    def change(self, name: str, /, **values: Value) -> int:
        return self._execute(name, values).rowcount

    def insert(self, name: str, /, **values: Value) -> int | None:
        inserted = self._execute(name, values)
        return inserted.lastrowid if inserted.rowcount else None

    def _execute(self, name: str, values: Mapping[str, Value]) -> sqlite3.Cursor:
        prepared = PREPARED[name]
        return self._connection.execute(prepared.sql, prepared.values(values))

    def insert_rows(self, name: str, rows: Sequence[Mapping[str, Value]]) -> Sequence[int]:
        values = list(chain.from_iterable(map(itemgetter(*parameters_of(name)), rows)))
        inserted = self._connection.execute(rows_of(name, len(rows)), values)
        last = inserted.lastrowid or 0
        # there is one writer, so the ids that one statement gives follow each other
        return range(last - inserted.rowcount + 1, last + 1)

    @contextmanager
    def undoing(self) -> Iterator[None]:
        self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        except Exception:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO attempt")
                self._connection.execute("RELEASE attempt")
            raise
        self._connection.execute("RELEASE attempt")


def _translated(error: sqlite3.Error, name: str) -> Damaged | StoreError:
    """The error of a read as the contract knows it, without what was read."""
    if str(error).startswith(_NO_TEXT):
        return Damaged(f"A row for '{name}' holds bytes that are no text.")
    return StoreError(f"The store cannot be read: {error}.")
