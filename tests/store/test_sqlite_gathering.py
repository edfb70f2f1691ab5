"""The writer waits a little for those who came together before, and for nobody else."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.store.records import Kept
from bridge.store.sqlite import opening
from bridge.store.sqlite.lock import hold
from bridge.store.sqlite.space import Space
from bridge.store.sqlite.writer import Writer
from tests.store.samples import keep


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    lock = hold(tmp_path / "bridge.db")
    yield opening.connect_writer(lock)
    lock.release()


@asynccontextmanager
async def writer(
    connection: sqlite3.Connection, sleep: Callable[[float], None]
) -> AsyncIterator[Writer]:
    made = Writer(connection, Space(Path("/"), 0, lambda: 0.0), sleep=sleep)
    yield made
    await made.stop()
    connection.close()


async def test_a_job_after_many_that_came_together_is_waited_with_less_than_a_millisecond(
    connection: sqlite3.Connection,
) -> None:
    waited: list[float] = []
    async with writer(connection, waited.append) as made:
        many = [made.submit(keep) for _ in range(20)]
        made.start()
        await asyncio.gather(*many)
        assert waited == []
        assert isinstance(await made.submit(keep), Kept)
        assert 0 < sum(waited) < 0.001
        waited.clear()
        await made.submit(keep)
        assert waited == []


async def test_the_wait_ends_when_half_as_many_are_there(connection: sqlite3.Connection) -> None:
    waited: list[float] = []
    more: list[asyncio.Future[Kept]] = []

    def nine_come(seconds: float) -> None:
        waited.append(seconds)
        handed_in = asyncio.run_coroutine_threadsafe(hand_in(9), loop)
        handed_in.result(10)

    async def hand_in(count: int) -> None:
        more.extend(made.submit(keep) for _ in range(count))

    loop = asyncio.get_running_loop()
    async with writer(connection, nine_come) as made:
        many = [made.submit(keep) for _ in range(20)]
        made.start()
        await asyncio.gather(*many)
        await made.submit(keep)
        await asyncio.gather(*more)
        assert len(waited) == 1


async def test_who_sends_alone_is_never_waited_with(connection: sqlite3.Connection) -> None:
    waited: list[float] = []
    async with writer(connection, waited.append) as made:
        made.start()
        for _ in range(5):
            await made.submit(keep)
    assert waited == []
