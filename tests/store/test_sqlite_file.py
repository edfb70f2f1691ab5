"""The SQLite file: durable, of a known version, and honest about damage."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.errors import DamagedMessage, StoreError, StoreUnusable
from bridge.message import Status
from bridge.store.contract import Store
from bridge.store.open import open_store, open_view
from bridge.store.sqlite import opening
from bridge.store.sqlite.lock import hold
from tests.store.samples import a_message, keep

ROOT = Path(__file__).resolve().parents[2]

#: keeps messages for ever, and prints the id of each once it is acknowledged
KEEPING = """
import asyncio, sys
from bridge.store.open import open_store
from tests.store.samples import a_message, keep

async def main():
    store = open_store(sys.argv[1], free_bytes=0, clock=lambda: 0.0)
    async def one(number):
        while True:
            kept = await store.run(lambda tx: keep(tx, a_message(body=b"x" * 2000)))
            print(kept.id, flush=True)
    await asyncio.gather(*map(one, range(8)))

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "bridge.db"


def opened(path: Path, free_bytes: int = 0) -> Store:
    return open_store(f"sqlite:///{path}", free_bytes=free_bytes, clock=lambda: 0.0)


@pytest.fixture
def keeping(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the store and keeps messages."""
    with subprocess.Popen(
        [sys.executable, "-c", KEEPING, f"sqlite:///{path}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


async def test_what_was_acknowledged_survives_a_kill(
    keeping: subprocess.Popen[str], path: Path
) -> None:
    assert keeping.stdout is not None
    acknowledged = {int(keeping.stdout.readline()) for _ in range(300)}
    keeping.send_signal(signal.SIGKILL)
    acknowledged |= {int(line) for line in keeping.stdout if line.endswith("\n")}
    keeping.wait()
    store = opened(path)
    try:
        found = store.read(lambda view: [view.message(each) for each in acknowledged])
        assert all(each is not None and each.message.body == b"x" * 2000 for each in found)
    finally:
        await store.close()


def test_the_writer_is_durable(path: Path) -> None:
    path.parent.mkdir()
    lock = hold(path)
    with closing(opening.connect_writer(lock)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    lock.release()


def test_a_file_that_cannot_be_durable_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        opening, "_connect", lambda path, mode: sqlite3.connect(":memory:", isolation_level=None)
    )
    with pytest.raises(StoreUnusable, match=r"journal_mode=memory.*local disk"):
        opened(path)


def set_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


async def test_a_newer_schema_is_refused(path: Path) -> None:
    await opened(path).close()
    set_version(path, 999)
    for attempt in (opened, lambda path: open_view(f"sqlite:///{path}")):
        with pytest.raises(StoreUnusable, match=r"newer version of the bridge .schema 999"):
            attempt(path)


async def test_an_older_schema_is_migrated_with_what_it_holds(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(path)
    kept = await store.run(keep)
    await store.close()
    steps = [*opening.schema_steps(), "CREATE TABLE extra (id INTEGER PRIMARY KEY);"]
    monkeypatch.setattr(opening, "schema_steps", lambda: steps)
    with pytest.raises(StoreUnusable, match="start the service once"):
        open_view(f"sqlite:///{path}")
    store = opened(path)
    assert store.read(lambda view: view.message(kept.id)) is not None
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(steps),)
        assert connection.execute("SELECT count(*) FROM extra").fetchone() == (0,)


async def test_a_file_that_broke_is_a_store_error(path: Path) -> None:
    store = opened(path)
    await store.run(keep)
    await store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StoreError, match="cannot be read"):
        open_view(f"sqlite:///{path}").messages()


def test_a_view_of_nothing_says_what_to_do(path: Path) -> None:
    with pytest.raises(StoreUnusable, match=r"no store at .*start the service"):
        open_view(f"sqlite:///{path}")
    assert not path.exists()


def test_a_file_of_something_else_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnusable, match="not a database"):
        opened(path)
    with pytest.raises(StoreUnusable, match="not a database"):
        open_view(f"sqlite:///{path}")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        opened(tmp_path / "file" / "bridge.db")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:bridge.db"])
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(StoreUnusable, match="names no SQLite file"):
        open_store(url, free_bytes=0, clock=lambda: 0.0)


def test_a_url_with_three_slashes_is_relative(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert opening.path_of("sqlite:///var/bridge.db") == tmp_path / "var" / "bridge.db"
    assert opening.path_of("sqlite:////var/lib/bridge.db") == Path("/var/lib/bridge.db").resolve()


async def damaged(path: Path, bodies: list[bytes]) -> None:
    """Keep messages of which those that say `bad` lose a bit on the disk."""
    store = opened(path)
    for body in bodies:
        await store.run(lambda tx, body=body: keep(tx, a_message(body=body)))
    await store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE body SET bytes = CAST('bae' AS BLOB) WHERE bytes = x'626164'")


async def test_damaged_bytes_are_found_and_the_message_named(path: Path) -> None:
    await damaged(path, [b"good", b"bad"])
    store = opened(path)
    with pytest.raises(DamagedMessage, match="message 2 is not what was kept") as raised:
        store.read(lambda view: view.message(2))
    assert raised.value.message_id == 2
    assert len(store.read(lambda view: view.messages())) == 2
    await store.close()


async def test_damage_stops_translation_only_until_it_is_marked(path: Path) -> None:
    await damaged(path, [b"good", b"bad", b"good"])
    store = opened(path)
    assert [each.id for each in store.read(lambda view: view.untranslated(9))] == [1]
    await store.run(lambda tx: tx.mark(1, Status.UNMAPPED, at=1.0))
    with pytest.raises(DamagedMessage):
        store.read(lambda view: view.untranslated(9))
    await store.run(lambda tx: tx.mark(2, Status.PARKED, at=1.0))
    assert [each.id for each in store.read(lambda view: view.untranslated(9))] == [3]
    await store.close()


async def test_huge_bodies_are_not_all_read_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.rules.messages._BODIES_AT_ONCE", 1500)
    store = opened(path)
    for _ in range(4):
        await store.run(lambda tx: keep(tx, a_message(body=b"x" * 1000)))
    assert len(store.read(lambda view: view.untranslated(9))) == 2
    await store.close()
