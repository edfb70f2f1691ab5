"""Group commit: one transaction for all requests that arrive together.

A commit costs as much as the rest of a create, because the full-text index writes out what it
gathered. Requests that the event loop finds ready in one turn share one; each is answered after
it, so that killing the process loses nothing that was answered.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


class Group:
    """The transaction that requests join; used from one event loop."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._over: asyncio.Future[None] | None = None

    @contextmanager
    def join(self) -> Iterator[asyncio.Future[None]]:
        """Write within the transaction; what is yielded is done once it is committed.

        What fails inside undoes all of the group, as a request may have written half of its own.
        """
        over = self._over or self._begin()
        try:
            yield over
        except BaseException as error:
            self._undo(error)
            raise

    def end(self) -> None:
        """Commit what has joined; nothing where nobody has."""
        if self._over is None:
            return
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo(error)
        else:
            over, self._over = self._over, None
            over.set_result(None)

    def _begin(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        self._db.execute("BEGIN IMMEDIATE")
        self._over = loop.create_future()
        # behind every request that is ready now
        loop.call_soon(self.end)
        return self._over

    def _undo(self, error: BaseException) -> None:
        over, self._over = self._over, None
        if self._db.in_transaction:  # a full disk has ended it already
            self._db.execute("ROLLBACK")
        if over is not None:
            over.set_exception(error)
            over.exception()  # it is told to whoever waits; perhaps nobody does
