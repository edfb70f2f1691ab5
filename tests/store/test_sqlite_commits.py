"""The store knows since when its commits fail, and that they work again."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from bridge.errors import StoreBusy
from bridge.store.contract import Transaction
from bridge.store.sqlite.store import SqliteStore, open_sqlite
from tests.store.samples import a_message, keep
from tests.store.test_sqlite_trouble import file_size_limit

#: more than a full file has pages for
LARGE = a_message(body=b"x" * 100_000)


class Clock:
    """The time that the test says."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteStore]:
    opened = open_sqlite(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=clock)
    await opened.run(keep)
    yield opened
    await opened.close()


class Trouble(Protocol):
    def __call__(self, store: SqliteStore, folder: Path) -> AbstractContextManager[None]: ...


@contextmanager
def full_disk(store: SqliteStore, folder: Path) -> Iterator[None]:
    with file_size_limit((folder / "bridge.db-wal").stat().st_size):
        yield


@contextmanager
def locked_file(store: SqliteStore, folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / "bridge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def full_file(store: SqliteStore, folder: Path) -> Iterator[None]:
    """A limit that the statement meets, not the commit."""
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1000}")


@contextmanager
def read_only(store: SqliteStore, folder: Path) -> Iterator[None]:
    store._connection.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        store._connection.execute("PRAGMA query_only = OFF")


@pytest.mark.parametrize("trouble", [full_disk, locked_file, full_file, read_only])
async def test_it_is_known_since_when_commits_fail_until_one_works(
    store: SqliteStore, tmp_path: Path, clock: Clock, trouble: Trouble
) -> None:
    assert store.failing_since is None
    with trouble(store, tmp_path):
        for clock.now in (2_000.0, 2_060.0):
            with pytest.raises(StoreBusy):
                await store.run(lambda tx: keep(tx, LARGE))
            assert store.failing_since == 2_000.0
    assert store.failing_since == 2_000.0
    await store.run(lambda tx: keep(tx, LARGE))
    assert store.failing_since is None
    clock.now = 3_000.0
    with trouble(store, tmp_path), pytest.raises(StoreBusy):
        await store.run(lambda tx: keep(tx, LARGE))
    assert store.failing_since == 3_000.0


async def test_a_commit_without_a_change_shows_nothing(store: SqliteStore, tmp_path: Path) -> None:
    with full_disk(store, tmp_path):
        with pytest.raises(StoreBusy):
            await store.run(keep)
        await store.run(lambda tx: tx.forget_codes(1_000))
        assert store.failing_since is not None
    await store.run(lambda tx: tx.put_note("any", "value"))
    assert store.failing_since is None


async def test_one_that_is_refused_counts_beside_one_that_works(
    store: SqliteStore, tmp_path: Path
) -> None:
    def refused(tx: Transaction) -> None:
        with read_only(store, tmp_path):
            tx.put_note("other", "value")

    answers = await asyncio.gather(
        store.run(lambda tx: tx.put_note("any", "value")),
        store.run(refused),
        return_exceptions=True,
    )
    assert [type(each) for each in answers] == [type(None), StoreBusy]
    assert store.failing_since is not None


@pytest.mark.parametrize(
    "statement", ["SELECT nonsense", "INSERT INTO note (key, value) VALUES ('any', NULL)"]
)
async def test_a_jobs_own_error_is_no_trouble_of_the_store(
    store: SqliteStore, statement: str
) -> None:
    with pytest.raises(Exception, match="store"):
        await store.run(lambda tx: store._connection.execute(statement))
    assert store.failing_since is None


async def test_a_message_refused_for_the_room_it_must_leave_is_no_failure(tmp_path: Path) -> None:
    store = open_sqlite(f"sqlite:///{tmp_path}/bridge.db", free_bytes=2**62, clock=lambda: 0.0)
    with pytest.raises(StoreBusy):
        await store.run(keep)
    assert (store.has_room, store.failing_since) == (False, None)
    await store.close()
