"""What the store counts and notes beside messages and records."""

from __future__ import annotations

import sqlite3

from bridge.remarks import Remark
from bridge.store.contract import MappingVersion
from bridge.store.sqlite import rows
from bridge.store.sqlite.sql import SQL
from bridge.store.sqlite.view import SqliteView


class SqliteNotes(SqliteView):
    """The part of the contract's `Transaction` that depends on nothing else."""

    def _write(self, query: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(SQL[query], values)

    def _write_named(self, query: str, **values: object) -> sqlite3.Cursor:
        return self._connection.execute(SQL[query], values)

    def count_remark(self, sender: str, remark: Remark, message_id: int, at: float) -> None:
        of = (sender, remark.place, str(remark.code))
        self._write("count_remark", *of, at, at, remark.name, message_id)

    def forget_remarks(self, most: int) -> None:
        self._write("forget_remarks", most)

    def add_task(self, message_id: int, what: str, at: float) -> None:
        self._write("add_task", message_id, what, at)

    def forget_code(self, table: str, code: str, sender: str) -> None:
        self._write("forget_code", table, code, sender)

    def forget_codes(self, most: int) -> int:
        return self._write("forget_codes", most).rowcount

    def count_code(self, table: str, code: str, sender: str, at: float) -> None:
        self._write("count_code", table, code, sender, at, at)

    def put_note(self, key: str, value: str) -> None:
        self._write("put_note", key, value)

    def keep_mappings(self, version: MappingVersion) -> None:
        folders = rows.to_json([dict(folder) for folder in version.folders])
        legend = rows.to_json([list(line) for line in version.legend])
        self._write("keep_version", version.hash, version.first_used_at, folders, legend)
