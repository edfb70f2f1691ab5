"""When the disk says no: nothing is acknowledged, and the store recovers by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bridge.errors import StoreBusy
from bridge.message import Status
from bridge.store.records import Kept
from bridge.store.sqlite.space import Space
from bridge.store.sqlite.store import SqliteStore, open_sqlite
from tests.store.samples import a_keeping, a_message, keep
from tests.store.test_keeping import together


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = open_sqlite(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 0.0)
    yield opened
    await opened.close()


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as a full disk would."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


async def test_a_commit_the_disk_refuses_is_busy_for_all_and_keeps_nothing(
    store: SqliteStore, tmp_path: Path
) -> None:
    await store.run(keep)
    with file_size_limit((tmp_path / "bridge.db-wal").stat().st_size):
        refused = await asyncio.gather(*(store.run(keep) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in refused] == [StoreBusy] * 3
    await store.run(keep)
    assert store.read(lambda view: view.tally()).messages == {Status.WAITING: 2}


async def test_messages_kept_at_once_that_the_disk_refuses_are_all_busy(
    store: SqliteStore, tmp_path: Path
) -> None:
    await store.keep(a_keeping(0))
    with file_size_limit((tmp_path / "bridge.db-wal").stat().st_size):
        refused = await together(store, [a_keeping(number) for number in range(1, 4)])
    assert [type(each) for each in refused] == [StoreBusy] * 3
    kept = await together(store, [a_keeping(number) for number in range(1, 4)])
    assert [(type(each), each.duplicate) for each in kept] == [(Kept, False)] * 3


async def test_messages_that_wait_together_are_one_statement(store: SqliteStore) -> None:
    statements: list[str] = []
    store._connection.set_trace_callback(statements.append)
    await together(store, [a_keeping(number) for number in range(20)])
    store._connection.set_trace_callback(None)
    # one of `message` is told once more by each run of its trigger
    assert sum(each.startswith("INSERT INTO body") for each in statements) == 1


async def test_a_full_file_is_busy_and_recovers(store: SqliteStore) -> None:
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]

    def limit(most: int) -> None:
        store._connection.execute(f"PRAGMA max_page_count = {most}")

    limit(pages)
    large = a_message(body=b"x" * 100_000)
    with pytest.raises(StoreBusy):
        await store.run(lambda tx: keep(tx, large))
    limit(pages + 1000)
    await store.run(lambda tx: keep(tx, large))
    assert store.read(lambda view: view.tally()).messages == {Status.WAITING: 1}


async def test_a_file_somebody_else_locked_is_busy_and_recovers(
    store: SqliteStore, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="locked"):
            await store.run(keep)
        other.execute("ROLLBACK")
    await store.run(keep)


async def test_a_loop_that_went_away_does_not_end_the_writer(tmp_path: Path) -> None:
    store = open_sqlite(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 0.0)

    async def hand_in_and_leave() -> None:
        store._writer.submit(keep)

    await asyncio.to_thread(asyncio.run, hand_in_and_leave())
    await store.run(keep)
    assert store.read(lambda view: view.tally()).messages == {Status.WAITING: 2}
    await store.close()


class Disk:
    """A disk whose free space is what the test says; counts how often it is asked."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.asked = 0

    def statvfs(self, folder: Path) -> os.statvfs_result:
        self.asked += 1
        return os.statvfs_result((4096, 1, 0, 0, self.free, 0, 0, 0, 0, 255))


async def test_a_store_says_whether_its_disk_has_room(tmp_path: Path) -> None:
    for free_bytes, room in ((0, True), (2**62, False)):
        url = f"sqlite:///{tmp_path}/{free_bytes}.db"
        store = open_sqlite(url, free_bytes=free_bytes, clock=lambda: 0.0)
        assert store.has_room is room
        await store.close()


def test_free_space_is_asked_at_most_once_a_second(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    disk, now = Disk(free=100), [1000.0]
    monkeypatch.setattr(os, "statvfs", disk.statvfs)
    space = Space(tmp_path, 50, lambda: now[0])
    assert (space.enough(), disk.asked) == (True, 1)
    disk.free = 49
    now[0] = 1000.9
    assert (space.enough(), disk.asked) == (True, 1)
    now[0] = 1001.0
    assert (space.enough(), disk.asked) == (False, 2)
    disk.free = 50
    now[0] = 900.0
    assert (space.enough(), disk.asked) == (True, 3)
