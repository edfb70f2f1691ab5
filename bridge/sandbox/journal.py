"""The journal: every request, what it brought about, and in which order. Never changed.

An entry is written in the transaction of its effect, so the sequence is the order of effects.
The schema refuses to change or delete one. No token and no secret is in it; records are, as the
sandbox holds only what was made up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

import orjson


class Effect(StrEnum):
    """What a request changed."""

    NONE = ""
    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    #: all records went, and the test records came back
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One request, or one effect that came late."""

    #: seconds since the epoch
    at: float
    #: client id; "" where none was known
    client: str
    #: "" where the clock acted
    method: str
    path: str
    #: what the API answered, whatever a fault made of it on its way; 0 where it was not asked
    status: int
    #: catalogue name; "" for the token and other addresses
    resource: str
    external_id: str
    effect: Effect = Effect.NONE
    #: body that made or changed a record, as JSON text; "" for others
    sent: str = ""
    #: kind of the fault that was played; "" for none
    fault: str = ""
    #: sequence of the request whose late effect this is; 0 for a request
    late_for: int = 0

    def shown(self, sequence: int) -> Mapping[str, Any]:
        """The entry as JSON shows it."""
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        told["sent"] = orjson.loads(self.sent) if self.sent else None
        return {"sequence": sequence, **told, "created": self.effect is Effect.CREATED}


_COLUMNS = ", ".join(each.name for each in fields(JournalEntry))
_INSERT = f"INSERT INTO journal ({_COLUMNS}) VALUES ({', '.join('?' * len(fields(JournalEntry)))})"
_SELECT = f"SELECT sequence, {_COLUMNS} FROM journal"


class Journal:
    """Appends and reads entries."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def write(self, entry: JournalEntry) -> int:
        """Append an entry; its sequence number."""
        columns = (
            entry.at,
            entry.client,
            entry.method,
            entry.path,
            entry.status,
            entry.resource,
            entry.external_id,
            entry.effect,
            entry.sent,
            entry.fault,
            entry.late_for,
        )
        return self._db.execute(_INSERT, columns).lastrowid or 0

    def after(self, sequence: int, limit: int) -> list[tuple[int, JournalEntry]]:
        """The entries behind a sequence number, oldest first."""
        rows = self._db.execute(
            f"{_SELECT} WHERE sequence > ? ORDER BY sequence LIMIT ?", (sequence, limit)
        )
        return [_entry(*row) for row in rows]

    def last(self, limit: int, *, before: int | None = None) -> list[tuple[int, JournalEntry]]:
        """The newest entries, or those before a sequence number, newest first."""
        behind = 2**63 - 1 if before is None else before
        rows = self._db.execute(
            f"{_SELECT} WHERE sequence < ? ORDER BY sequence DESC LIMIT ?", (behind, limit)
        )
        return [_entry(*row) for row in rows]


def _entry(sequence: int, *columns: Any) -> tuple[int, JournalEntry]:
    entry = JournalEntry(*columns)
    return sequence, replace(entry, effect=Effect(entry.effect))
