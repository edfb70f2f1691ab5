"""Whether what is handed to the store reaches the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

#: the last byte of an error's code is what kind it is (https://sqlite.org/rescode.html)
_KIND = 0xFF


class CommitHealth:
    """Since when commits fail; written by the writer's thread, read by all."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: seconds since the epoch; None while commits work
        self.failing_since: float | None = None

    def failed(self) -> None:
        """SQLite refused to commit, or to take what was to be committed."""
        if self.failing_since is None:
            self.failing_since = self._clock()

    def worked(self) -> None:
        """A change is on the disk."""
        self.failing_since = None


def refuses_all(error: BaseException) -> bool:
    """Whether SQLite met something that is not the statement's own fault: a full disk, I/O, a lock.

    It would meet it with any other statement that writes.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return isinstance(error, sqlite3.OperationalError) and code & _KIND != sqlite3.SQLITE_ERROR
