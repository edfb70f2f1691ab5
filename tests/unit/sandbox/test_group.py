"""Requests that arrive together share a commit, and are answered after it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import httpx
import pytest

from bridge.sandbox.database import Database

PATIENT = {"uhid": 1, "fullName": "Meera Iyer", "phoneNumber": "+919812345678"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


@pytest.fixture
def state(file: Path) -> Database:
    return Database(file)


async def test_all_that_join_in_one_turn_are_committed_at_once(state: Database) -> None:
    commits: list[str] = []
    state.db.set_trace_callback(commits.append)

    async def note(name: str) -> None:
        with state.group.join() as committed:
            state.remember(name, 1)
        await asyncio.shield(committed)
        assert not state.db.in_transaction

    await asyncio.gather(note("a"), note("b"), note("c"))
    assert [each for each in commits if each.startswith(("BEGIN", "COMMIT"))] == [
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]
    state.close()


async def test_what_fails_undoes_the_group_and_tells_all_of_it(state: Database) -> None:
    with state.group.join() as committed:
        state.remember("a", 1)
    with pytest.raises(ZeroDivisionError), state.group.join():
        state.remember("b", 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await committed
    assert (state.note("a"), state.note("b")) == (None, None)
    with state.group.join() as again:
        state.remember("c", 1)
    await again
    assert state.note("c") == 1
    state.close()


async def test_a_transaction_of_its_own_ends_the_group_before_it(state: Database) -> None:
    with state.group.join() as committed:
        state.remember("a", 1)
    with pytest.raises(ZeroDivisionError), state.transaction():
        state.remember("b", 1 / 0)
    assert committed.done()
    assert (state.note("a"), state.note("b")) == (1, None)
    state.close()


async def test_closing_keeps_what_was_written(state: Database, file: Path) -> None:
    with state.group.join():
        state.remember("a", 1)
    state.close()
    again = Database(file)
    assert again.note("a") == 1
    again.close()


async def test_requests_side_by_side_are_each_answered(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(api.post("/zauto-api/patients", json=PATIENT | {"id": f"p{n % 20}"}) for n in range(40))
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] * 20 + [409] * 20
    total = (await api.get("/zauto-api/patients")).json()["pagination"]["totalCount"]
    assert total == 21


async def test_a_caller_that_gives_up_takes_nobody_with_it(state: Database) -> None:
    async def note(name: str) -> None:
        with state.group.join() as committed:
            state.remember(name, 1)
        await asyncio.shield(committed)

    tasks = [asyncio.create_task(note(name)) for name in ("a", "b")]
    while not state.db.in_transaction:
        await asyncio.sleep(0)
    tasks[0].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert done[1] is None
    assert (state.note("a"), state.note("b")) == (1, 1)
    state.close()


async def test_a_commit_that_fails_is_told_to_all_and_the_next_group_goes_on(
    state: Database,
) -> None:
    state.db.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    state.db.execute(
        "CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    state.db.execute("PRAGMA foreign_keys = ON")
    with state.group.join() as committed:
        state.remember("a", 1)
        state.db.execute("INSERT INTO child VALUES (7)")
    with pytest.raises(sqlite3.IntegrityError):
        await committed
    assert state.note("a") is None
    with state.group.join() as again:
        state.remember("b", 1)
    await again
    assert state.note("b") == 1
    state.close()


def fill(state: Database) -> None:
    for number in range(1000):
        state.remember(f"{number} {'x' * 4000}", 1)


async def test_a_full_disk_is_told_and_leaves_no_transaction_behind(state: Database) -> None:
    pages = state.db.execute("PRAGMA page_count").fetchone()[0]
    state.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"), state.group.join():
        fill(state)
    assert not state.db.in_transaction
    with pytest.raises(sqlite3.OperationalError, match="full"), state.transaction():
        fill(state)
    assert not state.db.in_transaction
    state.close()
