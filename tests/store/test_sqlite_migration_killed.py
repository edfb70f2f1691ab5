"""A migration that is killed at any moment: the next start continues, and nothing is lost."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from bridge.store.contract import View
from bridge.store.open import open_store
from bridge.store.sqlite import migrate, opening
from bridge.store.sqlite.sql import schema_steps
from tests.store import schema_12
from tests.store.schema_12 import assert_same, at_present, content, disk_of, later_steps

ROOT = Path(__file__).resolve().parents[2]
BEFORE, AFTER = len(schema_steps()), len(later_steps())

#: opens a store with two later schema steps and kills itself at the moment that is named
DYING = """
import os, signal, sqlite3, sys, threading
from functools import partial
from pathlib import Path
from bridge.store.open import open_store
from bridge.store.sqlite import migrate, opening
from tests.store.schema_12 import disk_of, later_steps

url, path, capacity, moment = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def die_at(now):
    if now == moment:
        die()

def die_once_the_log_grows():
    log = path.with_name(path.name + "-wal")
    while log.stat().st_size < 100_000:
        pass
    die()

def half_copied(status, remaining, total):
    if moment == "during copy" and remaining < total / 2:
        die()

class Dying(sqlite3.Connection):
    def backup(self, target, pages):
        die_at("before copy")
        super().backup(target, pages=10, progress=half_copied)
        die_at("after copy")

    def execute(self, sql, *values):
        die_at(f"before {sql}")
        if sql == "BEGIN IMMEDIATE":
            super().execute("PRAGMA cache_size = 10")
        if sql == "VACUUM" and moment == "during VACUUM":
            self.set_progress_handler(die, 5000)
        if sql == "VACUUM" and moment == "in the log of VACUUM":
            threading.Thread(target=die_once_the_log_grows).start()
        done = super().execute(sql, *values)
        die_at(f"after {sql}")
        return done

def connect(path, mode):
    connection = sqlite3.connect(path, isolation_level=None, factory=Dying)
    connection.row_factory = sqlite3.Row
    if moment.isdecimal():
        connection.set_progress_handler(die, int(moment))
    return connection

synced = []

def fsync(descriptor, sync=os.fsync):
    die_at(f"before sync {len(synced)}")
    sync(descriptor)
    die_at(f"after sync {len(synced)}")
    synced.append(descriptor)

os.fsync = fsync
opening._connect = connect
opening.schema_steps = later_steps
opening.migrate = partial(migrate.migrate, free=disk_of(capacity))
open_store(url, free_bytes=0, clock=lambda: 0.0)
"""

MOMENTS = {
    "before copy": "old",
    "during copy": "old",
    "after copy": "old",
    "before sync 0": "old",
    "after sync 0": "old",
    # renamed, but its folder is not on the disk yet
    "before sync 1": "old",
    "after sync 1": "old",
    "after BEGIN IMMEDIATE": "old",
    f"after PRAGMA user_version = {BEFORE + 1}": "old",
    f"after PRAGMA user_version = {AFTER}": "old",
    "before COMMIT": "old",
    "after COMMIT": "new",
    "before VACUUM": "new",
    "during VACUUM": "new",
    "in the log of VACUUM": "new",
    "after VACUUM": "new",
    # in the first statement that takes so many operations of SQLite
    "1000": "either",
    "3000": "either",
    "7000": "either",
}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("few") / "bridge.db"
    schema_12.build(path, 50)
    return path


@pytest.fixture
def path(few: Path, tmp_path: Path) -> Path:
    """A store of schema 12, alone in its folder."""
    (tmp_path / "kept").mkdir()
    return Path(shutil.copy(few, tmp_path / "kept" / "bridge.db"))


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "schema_steps", later_steps)


def killed_at(moment: str, path: Path, capacity: int) -> None:
    arguments = [f"sqlite:///{path}", str(path), str(capacity), moment]
    ended = subprocess.run(
        [sys.executable, "-c", DYING, *arguments], cwd=ROOT, capture_output=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


async def assert_opens_as(path: Path, before: View) -> None:
    store = open_store(f"sqlite:///{path}", free_bytes=0, clock=lambda: 0.0)
    try:
        store.read(lambda view: assert_same(content(before), content(view)))
    finally:
        await store.close()


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as file:
        return file.execute(f"PRAGMA {name}").fetchone()[0]


def room_for(moment: str, size: int) -> int:
    """A disk that has as much as the first start needs, where it does not come to a compaction."""
    # beside the store and its log SQLite keeps an index of the log, and the bridge its lock
    return int(size * 3.25) + 40_000 if MOMENTS[moment] == "old" else size * 5


@pytest.mark.parametrize("moment", MOMENTS)
async def test_the_next_start_continues(
    moment: str, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = at_present(path, tmp_path)
    capacity = room_for(moment, path.stat().st_size)
    killed_at(moment, path, capacity)
    monkeypatch.setattr(opening, "migrate", partial(migrate.migrate, free=disk_of(capacity)))
    assert_whole(Path(shutil.copytree(path.parent, tmp_path / "left")) / path.name, moment)

    await assert_opens_as(path, before)
    assert pragma(path, "user_version") == AFTER

    monkeypatch.setattr(opening, "migrate", migrate.migrate)
    await assert_opens_as(path, before)
    assert pragma(path, "auto_vacuum") == 2
    assert pragma(path, "integrity_check") == "ok"
    assert pragma(migrate.copy_of(path, 12), "integrity_check") == "ok"
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "bridge.db",
        "bridge.db.before-12",
        "bridge.db.lock",
    ]


def assert_whole(left: Path, moment: str) -> None:
    """What a kill left is a store of the old schema or of the new one."""
    versions = {"old": (12,), "new": (AFTER,), "either": (12, AFTER)}[MOMENTS[moment]]
    assert pragma(left, "user_version") in versions
    assert pragma(left, "integrity_check") == "ok"


@pytest.mark.parametrize("moment", ["after BEGIN IMMEDIATE", "before COMMIT", "after COMMIT"])
async def test_a_new_store_is_made_whole_at_the_next_start(moment: str, path: Path) -> None:
    path.unlink()
    killed_at(moment, path, 10**9)
    await open_store(f"sqlite:///{path}", free_bytes=0, clock=lambda: 0.0).close()
    assert pragma(path, "user_version") == AFTER
    assert pragma(path, "auto_vacuum") == 2
    assert not list(path.parent.glob("*.before-*"))


async def test_going_back_by_the_copy(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = at_present(path, tmp_path)
    killed_at("after VACUUM", path, 10**9)
    newer = path.parent / "newer"
    newer.mkdir()
    for name in ("bridge.db", "bridge.db-wal", "bridge.db-shm"):
        path.with_name(name).rename(newer / name)
    path.with_name("bridge.db.before-12").rename(path)
    monkeypatch.setattr(opening, "schema_steps", schema_steps)
    await assert_opens_as(path, before)
    assert pragma(newer / "bridge.db", "user_version") == AFTER
