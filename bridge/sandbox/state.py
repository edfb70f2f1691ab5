"""What the sandbox holds: records, the journal, clients and tokens, in one SQLite file.

WAL with `synchronous=OFF`: killing the process loses nothing, a power cut may spoil the file,
which is then deleted; a stand-in need not take the disk's time from what is being tested. One
connection, used from the event loop's thread only; every request is one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from bridge.errors import DoorError

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    resource TEXT NOT NULL,
    external_id TEXT NOT NULL,
    internal_id TEXT NOT NULL,
    fields TEXT NOT NULL,
    -- what a list of the resource is ordered by: number, text or NULL
    sort_key,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    UNIQUE (resource, external_id)
);
CREATE INDEX records_in_order ON records (resource, sort_key, seq);
-- rowid is records.seq; trigrams find any part of a word without reading every record
CREATE VIRTUAL TABLE searched USING fts5 (text, tokenize = 'trigram');
CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    client TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    resource TEXT NOT NULL,
    external_id TEXT NOT NULL,
    created INTEGER NOT NULL
);
CREATE TABLE clients (id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL);
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    kind TEXT NOT NULL,
    expires_at REAL NOT NULL
);
"""

#: a number, a text, or None for a record that has no value there
SortKey: TypeAlias = float | str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """One record as it is kept."""

    seq: int
    external_id: str
    #: ZautoAI's own id
    internal_id: str
    #: what was sent, without `id` and without nulls
    fields: dict[str, Any]
    #: seconds since the epoch
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as the journal keeps it."""

    at: float
    client: str
    method: str
    path: str
    status: int
    resource: str
    external_id: str
    #: the request made a record
    created: bool


@dataclass(frozen=True, slots=True)
class Related:
    """A search word of another resource: `patient.fullName` of a visit's `patientId`."""

    field: str
    referent: str
    target: str


class State:
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

    def _prepare(self) -> None:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=OFF"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.create_function("casefold", 1, _casefold, deterministic=True)
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self.db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
        elif version != SCHEMA_VERSION:
            raise sqlite3.DatabaseError(
                f"it is of version {version}, this sandbox reads {SCHEMA_VERSION}"
            )

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is written inside."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def insert(
        self, resource: str, record: Stored, *, sort_key: SortKey, searched: str
    ) -> int | None:
        """Keep a new record; its number, or None when the external id is taken."""
        cursor = self.db.execute(
            "INSERT INTO records (resource, external_id, internal_id, fields, sort_key,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                resource,
                record.external_id,
                record.internal_id,
                orjson.dumps(record.fields).decode(),
                sort_key,
                record.created_at,
                record.updated_at,
            ),
        )
        if not cursor.rowcount:
            return None
        seq = cursor.lastrowid
        self.db.execute("INSERT INTO searched (rowid, text) VALUES (?, ?)", (seq, searched))
        return seq

    def replace(self, record: Stored, *, sort_key: SortKey, searched: str) -> None:
        """Keep the record's new fields."""
        fields = orjson.dumps(record.fields).decode()
        self.db.execute(
            "UPDATE records SET fields = ?, sort_key = ?, updated_at = ? WHERE seq = ?",
            (fields, sort_key, record.updated_at, record.seq),
        )
        self.db.execute("UPDATE searched SET text = ? WHERE rowid = ?", (searched, record.seq))

    def delete(self, record: Stored) -> None:
        """Forget the record."""
        self.db.execute("DELETE FROM records WHERE seq = ?", (record.seq,))
        self.db.execute("DELETE FROM searched WHERE rowid = ?", (record.seq,))

    def clear(self) -> None:
        """Forget all records; journal, clients and tokens stay."""
        self.db.execute("DELETE FROM records")
        self.db.execute("DELETE FROM searched")

    def find(self, resource: str, external_id: str) -> Stored | None:
        """The record of that external id."""
        row = self.db.execute(
            f"SELECT {_COLUMNS} FROM records WHERE resource = ? AND external_id = ?",
            (resource, external_id),
        ).fetchone()
        return _stored(row) if row else None

    def count(self, resource: str, term: str = "", related: tuple[Related, ...] = ()) -> int:
        """How many records a list has; `term` casefolded, "" for all."""
        where, values = _condition(resource, term, related)
        return int(
            self.db.execute(f"SELECT count(*) FROM records WHERE {where}", values).fetchone()[0]
        )

    def select(
        self,
        resource: str,
        term: str = "",
        related: tuple[Related, ...] = (),
        *,
        descending: bool = False,
        limit: int,
        offset: int,
    ) -> list[Stored]:
        """One page of a list, by sort key and then in the order of creation."""
        where, values = _condition(resource, term, related)
        way = "DESC" if descending else "ASC"
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM records WHERE {where}"
            f" ORDER BY sort_key {way}, seq {way} LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )
        return [_stored(row) for row in rows]

    def write(self, entry: Entry) -> None:
        """Append to the journal."""
        self.db.execute(
            "INSERT INTO journal (at, client, method, path, status, resource, external_id,"
            " created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.at,
                entry.client,
                entry.method,
                entry.path,
                entry.status,
                entry.resource,
                entry.external_id,
                entry.created,
            ),
        )

    def journal(self, after: int, limit: int) -> list[tuple[int, Entry]]:
        """The entries behind a sequence number, oldest first."""
        rows = self.db.execute(
            "SELECT sequence, at, client, method, path, status, resource, external_id, created"
            " FROM journal WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (after, limit),
        )
        return [_entry(*row) for row in rows]


@contextmanager
def _closed_on_error(db: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error:
        db.close()
        raise


_COLUMNS = "seq, external_id, internal_id, fields, created_at, updated_at"


def _stored(row: tuple[Any, ...]) -> Stored:
    seq, external_id, internal_id, fields, created_at, updated_at = row
    return Stored(seq, external_id, internal_id, orjson.loads(fields), created_at, updated_at)


def _entry(sequence: int, *columns: Any) -> tuple[int, Entry]:
    entry = Entry(*columns)
    return sequence, replace(entry, created=bool(entry.created))


def _casefold(value: object) -> str:
    return "" if value is None else str(value).casefold()


def _condition(
    resource: str, term: str, related: tuple[Related, ...]
) -> tuple[str, tuple[str, ...]]:
    if not term:
        return "resource = ?", (resource,)
    match, pattern = _match(term)
    either = [f"seq IN ({match})"]
    values = [resource, pattern]
    for other in related:
        either.append(
            "json_extract(fields, ?) IN (SELECT external_id FROM records WHERE resource = ?"
            f" AND seq IN ({match}) AND instr(casefold(json_extract(fields, ?)), ?))"
        )
        values += [f'$."{other.field}"', other.referent, pattern, f'$."{other.target}"', term]
    return f"resource = ? AND ({' OR '.join(either)})", tuple(values)


def _match(term: str) -> tuple[str, str]:
    """Rows whose text holds the term; a trigram index answers for three characters and more."""
    if len(term) < 3:
        return "SELECT rowid FROM searched WHERE instr(text, ?)", term
    phrase = term.replace('"', '""')
    return "SELECT rowid FROM searched WHERE searched MATCH ?", f'"{phrase}"'
