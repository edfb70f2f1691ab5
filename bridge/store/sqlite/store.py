"""The store on one SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from bridge.errors import StoreUnusable
from bridge.store.contract import Transaction, View
from bridge.store.records import Keeping, Kept
from bridge.store.rules.transaction import RuledView
from bridge.store.sqlite import opening, privacy
from bridge.store.sqlite.lock import FileLock, hold
from bridge.store.sqlite.readers import Readers
from bridge.store.sqlite.space import Space
from bridge.store.sqlite.statements import SqliteStatements
from bridge.store.sqlite.writer import Writer

T = TypeVar("T")


class SqliteStore:
    """The contract's `Store`; `open_sqlite` makes it."""

    def __init__(
        self,
        lock: FileLock,
        connection: sqlite3.Connection,
        space: Space,
        clock: Callable[[], float],
    ) -> None:
        self._lock = lock
        self._connection = connection
        self._space = space
        self._writer = Writer(connection, space, unreplaced=lock.refuse_replaced, clock=clock)
        self._readers = Readers(self._connect_reader)
        self._writer.start()

    async def run(self, job: Callable[[Transaction], T]) -> T:
        return await self._writer.submit(job)

    async def keep(self, keeping: Keeping) -> Kept:
        return await self._writer.submit(lambda tx: tx.keep_one(keeping), keeping)

    def read(self, job: Callable[[View], T]) -> T:
        with self._readers.lend() as connection:
            connection.execute("BEGIN")
            try:
                return job(RuledView(SqliteStatements(connection)))
            finally:
                connection.rollback()

    def _connect_reader(self) -> sqlite3.Connection:
        self._lock.refuse_replaced()
        return opening.connect_reader(self._lock.path)

    @property
    def pressure(self) -> int:
        return self._writer.pressure

    @property
    def has_room(self) -> bool:
        return self._space.enough()

    @property
    def failing_since(self) -> float | None:
        return self._writer.failing_since

    async def close(self) -> None:
        """Finish what waits, bring the log into the file, and let the file go."""
        await self._writer.stop()
        await asyncio.to_thread(self._readers.close)
        # The last connection to close checkpoints and removes the log.
        self._connection.close()
        self._lock.release()


def open_sqlite(url: str, *, free_bytes: int, clock: Callable[[], float]) -> SqliteStore:
    """Open the file of a URL as its only writer; raises StoreUnusable."""
    path = opening.path_of(url)
    try:
        privacy.make_folder(path.parent)
        lock = hold(path)
    except OSError as error:
        raise StoreUnusable(f"{path} cannot be opened: {error.strerror}.") from error
    try:
        connection = _connect_writer(lock)
    except BaseException:
        lock.release()
        raise
    return SqliteStore(lock, connection, Space(path.parent, free_bytes, clock), clock)


def _connect_writer(lock: FileLock) -> sqlite3.Connection:
    try:
        privacy.close_to_others(lock.path)
        return opening.connect_writer(lock)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnusable(f"{lock.path} cannot be used as a store: {error}.") from error


def view_sqlite(url: str) -> View:
    """Read the file of a URL without touching it; raises StoreUnusable."""
    reader = opening.connect_reader(opening.path_of(url))
    return RuledView(SqliteStatements(reader))
