"""What the sandbox holds: records, journal, clients, tokens and pushes, in one SQLite file.

WAL with `synchronous=OFF`: killing the process loses nothing, a power cut may spoil the file,
which is then deleted; a stand-in need not take the disk's time from what is being tested. One
connection, used from the event loop's thread only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.errors import DoorError
from bridge.sandbox.group import Group
from bridge.sandbox.journal import Journal
from bridge.sandbox.records import Records, casefold

SCHEMA_VERSION = 2
_SCHEMA = Path(__file__).with_name("schema.sql")


class Database:
    """The file, or memory when there is none."""

    def __init__(self, file: Path | None = None, *, wait_seconds: float = 2) -> None:
        """Open the file, made when it is missing; raises DoorError when it cannot be used.

        `wait_seconds` is how long another process may still hold it, one that is stopping.
        """
        try:
            self.db = sqlite3.connect(
                file or ":memory:", isolation_level=None, timeout=wait_seconds
            )
            with _closed_on_error(self.db):
                self._prepare()
        except sqlite3.Error as error:
            raise DoorError(
                f"{file}: cannot be used as the sandbox's state: {error}; "
                "stop the sandbox that holds it, or name another file"
            ) from error
        self.group = Group(self.db)
        self.journal = Journal(self.db)
        self.records = Records(self.db)

    def _prepare(self) -> None:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=OFF"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.create_function("casefold", 1, casefold, deterministic=True)
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            schema = f"{_SCHEMA.read_text(encoding='utf-8')}PRAGMA user_version={SCHEMA_VERSION};"
            self.db.executescript(f"BEGIN;{schema}COMMIT;")
        elif version != SCHEMA_VERSION:
            raise sqlite3.DatabaseError(
                f"it is of version {version}, this sandbox reads {SCHEMA_VERSION}"
            )

    def close(self) -> None:
        """Close the file; what was written stays."""
        self.group.end()
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is written inside, apart from any group."""
        self.group.end()
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self.db.in_transaction:  # a full disk has ended it already
                self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def note(self, name: str) -> float | None:
        """A number that is remembered."""
        row = self.db.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return None if row is None else float(row[0])

    def remember(self, name: str, value: float) -> None:
        """Remember a number."""
        self.db.execute("INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)", (name, value))


@contextmanager
def _closed_on_error(db: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error:
        db.close()
        raise
