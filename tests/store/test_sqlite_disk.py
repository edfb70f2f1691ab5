"""A disk that fails: what it damaged can come again, and a disk that cannot be asked is full."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.errors import StoreBusy
from bridge.store.sqlite.store import SqliteStore, open_sqlite
from tests.store.samples import a_message, keep


def opened(path: Path) -> SqliteStore:
    return open_sqlite(f"sqlite:///{path}", free_bytes=0, clock=lambda: 0.0)


async def test_a_copy_of_a_damaged_message_is_kept_anew(tmp_path: Path) -> None:
    path = tmp_path / "bridge.db"
    store = opened(path)
    await store.run(lambda tx: keep(tx, a_message(body=b"bad"), identity=b"one"))
    await store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE body SET bytes = CAST('bae' AS BLOB)")

    store = opened(path)
    again = await store.run(lambda tx: keep(tx, a_message(body=b"bad"), identity=b"one"))
    third = await store.run(lambda tx: keep(tx, a_message(body=b"bad"), identity=b"one"))
    await store.close()

    assert not again.duplicate
    assert (third.id, third.duplicate) == (again.id, True)


async def test_a_disk_that_cannot_be_asked_is_busy(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    store = opened(tmp_path / "kept" / "bridge.db")
    shutil.rmtree(tmp_path / "kept")

    for job in (keep, lambda tx: None):
        with pytest.raises(StoreBusy):
            await store.run(job)
    await store.close()
