"""The log beside the file: never deleted, replayed into another file or left behind unseen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import StoreBusy, StoreUnusable
from tests.store.opened import opened, process
from tests.store.samples import a_message, keep

#: keeps messages, and dies with them in the log only
KILLED = """
import asyncio, os, signal, sys
from tests.store.opened import opened
from tests.store.samples import a_message, keep

async def main():
    store = opened(sys.argv[1])
    for number in range(5):
        await store.run(lambda tx: keep(tx, a_message(control_id=f"K{number}")))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "bridge.db"


@pytest.fixture
async def killed(path: Path) -> Path:
    """A store with five messages in its log, whose process was killed."""
    await opened(path).close()
    with process(KILLED, str(path)) as dying:
        dying.wait()
    assert log(path).stat().st_size > 0
    return path


def log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


async def kept(path: Path) -> int:
    store = opened(path)
    try:
        return len(store.read(lambda view: view.messages()))
    finally:
        await store.close()


def is_moved(path: Path) -> None:
    path.rename(path.with_name("aside.db"))


def is_emptied(path: Path) -> None:
    shutil.copy(path, path.with_name("aside.db"))
    os.truncate(path, 0)


@pytest.mark.parametrize("harm", [is_moved, is_emptied])
async def test_a_log_without_its_store_is_refused_and_stays(
    killed: Path, harm: Callable[[Path], None]
) -> None:
    harm(killed)
    for _ in range(2):
        with pytest.raises(StoreUnusable, match=r"is missing or empty, and its log bridge\.db-wal"):
            opened(killed)
    aside = killed.with_name("aside.db")
    if killed.exists():
        killed.write_bytes(aside.read_bytes())
    else:
        aside.rename(killed)
    assert await kept(killed) == 5


async def test_a_log_is_not_replayed_into_another_file(killed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "bridge.db"
    await opened(other).close()
    aside = killed.with_name("aside.db")
    killed.rename(aside)
    other.replace(killed)
    with pytest.raises(StoreUnusable, match=r"is not the file that its log .* was written for"):
        opened(killed)
    aside.replace(killed)
    assert await kept(killed) == 5


async def test_a_store_that_was_copied_with_its_log_can_be_opened(
    killed: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(killed.parent, copy)
    copy.chmod(0o700)
    with pytest.raises(StoreUnusable, match=r"delete bridge\.db\.lock"):
        opened(copy / "bridge.db")
    (copy / "bridge.db.lock").unlink()
    assert await kept(copy / "bridge.db") == 5


async def test_a_killed_store_opens_as_it_is(killed: Path) -> None:
    assert await kept(killed) == 5


async def test_a_store_with_a_second_name_is_refused(path: Path) -> None:
    await opened(path).close()
    other = path.with_name("other.db")
    os.link(path, other)
    for each in (path, other):
        with pytest.raises(StoreUnusable, match="further names"):
            opened(each)
    other.unlink()
    await opened(path).close()


@pytest.mark.parametrize("harm", ["replaced", "moved"])
async def test_nothing_is_acknowledged_once_the_file_is_another(
    path: Path, tmp_path: Path, harm: str
) -> None:
    store = opened(path)
    await store.run(keep)
    aside = path.with_name("aside.db")
    path.rename(aside)
    if harm == "replaced":
        shutil.copy(aside, path)
    with pytest.raises(StoreBusy, match="was replaced while the bridge had it open"):
        await store.run(lambda tx: keep(tx, a_message(control_id="C2")))
    assert store.failing_since is not None
    aside.replace(path)
    await store.run(lambda tx: keep(tx, a_message(control_id="C3")))
    assert store.failing_since is None
    await store.close()
    assert await kept(path) == 2
