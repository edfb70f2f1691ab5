"""The store on one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, TypeVar

from bridge.errors import StoreUnusable
from bridge.store.contract import Transaction, View
from bridge.store.records import Keeping, Kept
from bridge.store.rules.transaction import RuledView
from bridge.store.sqlite import opening
from bridge.store.sqlite.space import Space
from bridge.store.sqlite.statements import SqliteStatements
from bridge.store.sqlite.writer import Writer

T = TypeVar("T")


class SqliteStore:
    """The contract's `Store`; `open_sqlite` makes it."""

    def __init__(
        self, path: Path, lock: TextIO, connection: sqlite3.Connection, space: Space
    ) -> None:
        self._path = path
        self._lock = lock
        self._connection = connection
        self._space = space
        self._writer = Writer(connection, space)
        #: read-only connections nobody uses now; readers may be on several threads
        self._idle: list[sqlite3.Connection] = []
        self._writer.start()

    async def run(self, job: Callable[[Transaction], T]) -> T:
        return await self._writer.submit(job)

    async def keep(self, keeping: Keeping) -> Kept:
        return await self._writer.submit(lambda tx: tx.keep_one(keeping), keeping)

    def read(self, job: Callable[[View], T]) -> T:
        connection = self._reader()
        connection.execute("BEGIN")
        try:
            return job(RuledView(SqliteStatements(connection)))
        finally:
            connection.rollback()
            self._idle.append(connection)

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return opening.connect_reader(self._path)

    @property
    def pressure(self) -> int:
        return self._writer.pressure

    @property
    def has_room(self) -> bool:
        return self._space.enough()

    async def close(self) -> None:
        """Finish what waits, bring the log into the file, and let the file go."""
        await self._writer.stop()
        for reader in self._idle:
            reader.close()
        self._idle.clear()
        # The last connection to close checkpoints and removes the log.
        self._connection.close()
        self._lock.close()


def open_sqlite(url: str, *, free_bytes: int, clock: Callable[[], float]) -> SqliteStore:
    """Open the file of a URL as its only writer; raises StoreUnusable."""
    path = opening.path_of(url)
    try:
        opening.make_private(path)
        lock = opening.hold(path)
    except OSError as error:
        raise StoreUnusable(f"{path} cannot be opened: {error.strerror}.") from error
    try:
        connection = opening.connect_writer(path)
    except sqlite3.Error as error:
        lock.close()
        raise StoreUnusable(f"{path} cannot be used as a store: {error}.") from error
    except StoreUnusable:
        lock.close()
        raise
    return SqliteStore(path, lock, connection, Space(path.parent, free_bytes, clock))


def view_sqlite(url: str) -> View:
    """Read the file of a URL without touching it; raises StoreUnusable."""
    reader = opening.connect_reader(opening.path_of(url))
    return RuledView(SqliteStatements(reader))
