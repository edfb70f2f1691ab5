"""The records of all resources, their order, and the trigrams that find them.

Each resource has a full-text table of its own, so that how many records hold a term is counted
without looking at one of them; its rowid is `records.seq`. Trigrams find any part of a word from
three characters on; shorter terms are looked for in each text.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

#: a number, a text, or None for a record that has no value there
SortKey: TypeAlias = float | str | None

_COLUMNS = "seq, external_id, internal_id, fields, created_at, updated_at"
#: totals of lists that are remembered
_MOST_TOTALS = 1000
#: characters of a term from which on trigrams answer
_TRIGRAM = 3


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
class Index:
    """How a record is found and ordered."""

    sort_key: SortKey
    #: casefolded text that searches look in
    text: str
    #: external ids it refers to, by field
    referents: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Related:
    """A search word of another resource: `patient.fullName` of a visit's `patientId`."""

    field: str
    referent: str
    target: str


@dataclass(frozen=True, slots=True)
class Query:
    """What a list is of."""

    resource: str
    #: casefolded; "" for all records
    term: str = ""
    related: tuple[Related, ...] = ()
    #: by sort key; without, in the order of creation
    ordered: bool = False
    descending: bool = False


class Records:
    """Keeps, finds and lists records."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._resources: set[str] = set()
        #: how many records lists had, until anything is written: whoever reads a list page by
        #: page asks the same again and again
        self._totals: dict[Query, int] = {}

    def serve(self, resource: str) -> None:
        """Make ready for records of the resource; to be called before any other method is."""
        self._resources.add(resource)
        self._db.execute(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {_searched(resource)}"
            " USING fts5 (text, tokenize = 'trigram')"
        )

    def insert(self, resource: str, record: Stored, index: Index) -> int | None:
        """Keep a new record; its number, or None when the external id is taken."""
        self._totals.clear()
        cursor = self._db.execute(
            "INSERT INTO records (resource, external_id, internal_id, fields, sort_key,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                resource,
                record.external_id,
                record.internal_id,
                orjson.dumps(record.fields).decode(),
                index.sort_key,
                record.created_at,
                record.updated_at,
            ),
        )
        if not cursor.rowcount:
            return None
        seq = cursor.lastrowid or 0
        table = _searched(resource)
        self._db.execute(f"INSERT INTO {table} (rowid, text) VALUES (?, ?)", (seq, index.text))
        self._refer(resource, seq, index)
        return seq

    def replace(self, resource: str, record: Stored, index: Index) -> None:
        """Keep the record's new fields."""
        self._totals.clear()
        fields = orjson.dumps(record.fields).decode()
        self._db.execute(
            "UPDATE records SET fields = ?, sort_key = ?, updated_at = ? WHERE seq = ?",
            (fields, index.sort_key, record.updated_at, record.seq),
        )
        table = _searched(resource)
        self._db.execute(f"UPDATE {table} SET text = ? WHERE rowid = ?", (index.text, record.seq))
        self._db.execute("DELETE FROM referring WHERE seq = ?", (record.seq,))
        self._refer(resource, record.seq, index)

    def delete(self, resource: str, record: Stored) -> None:
        """Forget the record."""
        self._totals.clear()
        self._db.execute("DELETE FROM records WHERE seq = ?", (record.seq,))
        self._db.execute(f"DELETE FROM {_searched(resource)} WHERE rowid = ?", (record.seq,))
        self._db.execute("DELETE FROM referring WHERE seq = ?", (record.seq,))

    def clear(self) -> None:
        """Forget all records."""
        self._totals.clear()
        self._db.execute("DELETE FROM records")
        self._db.execute("DELETE FROM referring")
        for resource in self._resources:
            # row by row, a delete of a hundred thousand would take seconds
            self._db.execute(f"DROP TABLE {_searched(resource)}")
            self.serve(resource)

    def find(self, resource: str, external_id: str) -> Stored | None:
        """The record of that external id."""
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM records WHERE resource = ? AND external_id = ?",
            (resource, external_id),
        ).fetchone()
        return _stored(row) if row else None

    def count(self, wanted: Query) -> int:
        """How many records a list has in all."""
        if wanted not in self._totals:
            if len(self._totals) >= _MOST_TOTALS:
                self._totals.clear()
            self._totals[wanted] = self._count(wanted)
        return self._totals[wanted]

    def _count(self, wanted: Query) -> int:
        found, values = _found(wanted) if wanted.term else _all(wanted)
        return int(self._db.execute(f"SELECT count(*) FROM ({found})", values).fetchone()[0])

    def select(self, wanted: Query, *, limit: int, offset: int) -> list[Stored]:
        """One page of a list."""
        found, values = _in_order(wanted)
        way = "DESC" if wanted.descending else "ASC"
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM records WHERE seq IN ({found} LIMIT ? OFFSET ?)"
            f" ORDER BY sort_key {way}, seq {way}",
            (*values, limit, offset),
        )
        return [_stored(row) for row in rows]

    def _refer(self, resource: str, seq: int, index: Index) -> None:
        for field, external_id in index.referents.items():
            self._db.execute(
                "INSERT INTO referring (resource, field, external_id, seq) VALUES (?, ?, ?, ?)",
                (resource, field, external_id, seq),
            )


def casefold(value: object) -> str:
    """SQL's `casefold`: what upper and lower case of any script have in common."""
    return "" if value is None else str(value).casefold()


def _searched(resource: str) -> str:
    name = resource.replace('"', '""')
    return f'"searched {name}"'


def _stored(row: tuple[Any, ...]) -> Stored:
    seq, external_id, internal_id, fields, created_at, updated_at = row
    return Stored(seq, external_id, internal_id, orjson.loads(fields), created_at, updated_at)


def _in_order(wanted: Query) -> tuple[str, list[str]]:
    """Numbers of the records wanted, in their order: a page reads no further than its end."""
    if wanted.term and not wanted.ordered:
        found, values = _found(wanted)
        return f"SELECT seq FROM ({found}) ORDER BY seq", values
    way = "DESC" if wanted.descending else "ASC"
    order = f"ORDER BY sort_key {way}, seq {way}"
    if not wanted.term:
        return f"SELECT seq FROM records WHERE resource = ? {order}", [wanted.resource]
    found, values = _found(wanted)
    return f"SELECT seq FROM records WHERE seq IN ({found}) {order}", values


def _all(wanted: Query) -> tuple[str, list[str]]:
    return "SELECT seq FROM records WHERE resource = ?", [wanted.resource]


def _found(wanted: Query) -> tuple[str, list[str]]:
    """Numbers of the records that hold the term, or refer to one that does."""
    match, pattern = _match(wanted.resource, wanted.term)
    found, values = [match], [pattern]
    for other in wanted.related:
        match, pattern = _match(other.referent, wanted.term)
        found.append(
            "SELECT referring.seq FROM records AS referent"
            " JOIN referring ON referring.external_id = referent.external_id"
            " AND referring.resource = ? AND referring.field = ?"
            f" WHERE referent.seq IN ({match})"
            " AND instr(casefold(json_extract(referent.fields, ?)), ?)"
        )
        values += [wanted.resource, other.field, pattern, f'$."{other.target}"', wanted.term]
    return " UNION ".join(found), values


def _match(resource: str, term: str) -> tuple[str, str]:
    """Numbers of the records of a resource whose text holds the term."""
    table = _searched(resource)
    if len(term) < _TRIGRAM:
        return f"SELECT rowid AS seq FROM {table} WHERE instr(text, ?)", term
    phrase = term.replace('"', '""')
    return f"SELECT rowid AS seq FROM {table} WHERE {table} MATCH ?", f'"{phrase}"'
