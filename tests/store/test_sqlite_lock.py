"""The lock: on the file itself, whatever path leads to it, and against every other process."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bridge.errors import StoreUnusable
from bridge.store.open import open_view
from bridge.store.sqlite import lock as locking
from bridge.store.sqlite import mounts, opening
from bridge.store.sqlite.lock import hold
from bridge.store.sqlite.mounts import network_file_system
from tests.store.opened import opened, process
from tests.store.samples import keep

#: holds the store until its standard input ends
HOLDING = """
import asyncio, sys
from tests.store.opened import opened
from tests.store.samples import keep

async def main():
    store = opened(sys.argv[1])
    await store.run(keep)
    print("held", flush=True)
    sys.stdin.read()

asyncio.run(main())
"""
#: holds a store as a version did that locked a file beside it
HOLDING_AS_EARLIER = """
import fcntl, os, sys
file = open(sys.argv[1] + ".lock", "w")
fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("held", flush=True)
sys.stdin.read()
"""
#: whether the store can be opened, from a process of its own
TRYING = """
import sys
from bridge.errors import StoreUnusable
from bridge.store.sqlite.lock import hold
from pathlib import Path

try:
    hold(Path(sys.argv[1]))
except StoreUnusable as error:
    print(error)
else:
    print("free")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A path in a folder that is there."""
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept" / "bridge.db"


@contextmanager
def held_elsewhere(path: Path, code: str = HOLDING) -> Iterator[subprocess.Popen[str]]:
    """The store while another process holds it."""
    with process(code, str(path)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


def tried_elsewhere(path: Path) -> str:
    """What another process is told that wants to hold the file."""
    with process(TRYING, str(path)) as trying:
        return trying.communicate()[0].strip()


def hard_link(path: Path) -> Path:
    link = path.with_name("other.db")
    link.hardlink_to(path)
    return link


def in_a_linked_folder(path: Path) -> Path:
    link = path.parent.with_name("linked")
    link.symlink_to(path.parent)
    return link / path.name


def with_dots(path: Path) -> Path:
    return path.parent / ".." / path.parent.name / path.name


def relative(path: Path) -> Path:
    return Path(os.path.relpath(path))


OTHER_PATHS = [hard_link, in_a_linked_folder, with_dots, relative]


async def test_a_second_process_is_refused_until_the_first_is_killed(path: Path) -> None:
    with held_elsewhere(path) as holder:
        with pytest.raises(StoreUnusable, match=f"{path} is held .*pid {holder.pid}.: stop"):
            opened(path)
        assert open_view(f"sqlite:///{path}").messages(limit=1)
        holder.kill()
        holder.wait()
        await opened(path).close()


@pytest.mark.parametrize("other", OTHER_PATHS)
def test_every_path_of_the_file_meets_the_lock_of_another_process(
    path: Path, other: Callable[[Path], Path]
) -> None:
    with (
        held_elsewhere(path) as holder,
        pytest.raises(StoreUnusable, match=f"held by another process .pid {holder.pid}."),
    ):
        opened(other(path))


@pytest.mark.parametrize("other", [Path, *OTHER_PATHS])
async def test_a_second_store_in_this_process_is_refused_and_takes_no_lock_away(
    path: Path, other: Callable[[Path], Path]
) -> None:
    store = opened(path)
    await store.run(keep)
    before = locks_of(path)
    with pytest.raises(StoreUnusable, match=f"held by this process .*pid {os.getpid()}"):
        opened(other(path))
    assert locks_of(path) == before
    await store.close()


async def test_the_lock_and_sqlites_own_are_both_held(path: Path) -> None:
    store = opened(path)
    await store.run(keep)
    store.read(lambda view: view.message(1))
    assert {kind for kind, _ in locks_of(path)} == {"FLOCK", "POSIX"}
    await store.close()
    assert locks_of(path) == []


def locks_of(path: Path) -> list[tuple[str, str]]:
    """Kind and range of this process's locks on a file, as the kernel lists them."""
    number = path.stat().st_ino
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return sorted(
        (words[1], " ".join(words[6:]))
        for words in lines
        if words[4] == str(os.getpid()) and words[5].endswith(f":{number}")
    )


async def test_the_lock_is_given_back_on_closing_and_only_once(path: Path) -> None:
    store = opened(path)
    await store.close()
    again = opened(path)
    await store.close()
    assert "held by another process" in tried_elsewhere(path)
    await again.close()
    assert tried_elsewhere(path) == "free"


async def test_the_lock_is_held_until_the_last_reader_is_done(path: Path) -> None:
    store, reading, may_end = opened(path), threading.Event(), threading.Event()
    told: list[str] = []

    def read(_: object) -> None:
        reading.set()
        may_end.wait()
        told.append(tried_elsewhere(path))

    reader = threading.Thread(target=store.read, args=[read])
    reader.start()
    reading.wait()
    closing = asyncio.create_task(store.close())
    while not store._readers._closed:
        await asyncio.sleep(0)
    may_end.set()
    await closing
    reader.join()
    assert "held by another process" in told[0]
    assert tried_elsewhere(path) == "free"
    with pytest.raises(StoreUnusable, match="closed"):
        store.read(lambda view: view.message(1))


def test_a_version_that_locks_a_file_beside_it_is_met(path: Path) -> None:
    with (
        held_elsewhere(path, HOLDING_AS_EARLIER) as holder,
        pytest.raises(StoreUnusable, match=f"held by another process .pid {holder.pid}."),
    ):
        opened(path)
    lock = hold(path)
    assert path.with_name("bridge.db.lock").read_text().split()[0] == str(os.getpid())
    with path.with_name("bridge.db.lock").open() as beside, pytest.raises(BlockingIOError):
        fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lock.release()


def test_a_pid_that_was_left_behind_is_not_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.with_name("bridge.db.lock").write_text("4711")
    monkeypatch.setattr(locking, "_LOCKS", path.with_name("no such list"))
    with (
        held_elsewhere(path),
        pytest.raises(StoreUnusable, match=f"pid not known: `fuser {path}` may show it"),
    ):
        opened(path)


def test_a_file_that_is_replaced_while_it_is_opened_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = opening._connect

    def replace_first(at: Path, mode: str) -> sqlite3.Connection:
        other = path.with_name("other.db")
        other.touch()
        other.replace(path)
        return connect(at, mode)

    monkeypatch.setattr(opening, "_connect", replace_first)
    with pytest.raises(StoreUnusable, match="was replaced"):
        opened(path)
    assert path.stat().st_size == 0
    monkeypatch.undo()
    hold(path).release()


async def test_a_file_that_was_replaced_is_not_read_instead(path: Path) -> None:
    store = opened(path)
    with closing(sqlite3.connect(path.with_name("other.db"))):
        path.with_name("other.db").touch()
    path.with_name("other.db").replace(path)
    with pytest.raises(StoreUnusable, match="was replaced"):
        store.read(lambda view: view.message(1))
    await store.close()


MOUNTS = """\
25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
38 25 0:41 / /mnt/share rw,relatime shared:2 - nfs4 server:/export rw,vers=4.2
39 25 0:42 / /mnt/windows\\040share rw - cifs //server/share rw
40 25 0:43 / /tmp rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("device", "kind"),
    [((254, 0), ""), ((0, 41), "nfs4"), ((0, 42), "cifs"), ((0, 43), ""), ((0, 99), "")],
)
def test_a_network_file_system_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: tuple[int, int], kind: str
) -> None:
    listed = tmp_path / "mountinfo"
    listed.write_text(MOUNTS)
    monkeypatch.setattr(mounts, "_MOUNTS", listed)
    assert network_file_system(os.makedev(*device)) == kind
    listed.unlink()
    assert network_file_system(os.makedev(*device)) == ""


def test_a_store_on_a_network_file_system_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "network_file_system", lambda device: "nfs4")
    with pytest.raises(StoreUnusable, match=r"network file system .nfs4.*local disk"):
        opened(path)
