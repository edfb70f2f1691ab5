"""Read-only connections, used again and again, by several threads."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bridge.errors import StoreUnusable


class Readers:
    """Lends connections until closed; each is used by one thread at a time."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._idle: list[sqlite3.Connection] = []
        self._lent = 0
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """A connection for one job; raises StoreUnusable after the end."""
        connection = self._take()
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._changed:
            if self._closed:
                raise StoreUnusable("The store is closed.")
            connection = self._idle.pop() if self._idle else self._connect()
            self._lent += 1
            return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._changed:
            self._lent -= 1
            self._idle.append(connection)
            self._changed.notify_all()

    def close(self) -> None:
        """Wait for the jobs under way, then close all connections."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._lent)
            for each in self._idle:
                each.close()
            self._idle.clear()
