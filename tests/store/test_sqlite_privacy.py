"""The files of the store: this user's own, and nobody else's to read or replace."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import StoreUnusable
from bridge.store.open import open_view
from tests.store.opened import opened
from tests.store.samples import keep

BESIDE = ("-wal", "-shm", "-journal")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "bridge.db"


def modes(folder: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.lstat().st_mode) for each in folder.iterdir()}


async def test_file_and_folder_are_private(path: Path) -> None:
    before = os.umask(0)
    try:
        store = opened(path)
        await store.run(keep)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        names = ["bridge.db", "bridge.db-wal", "bridge.db-shm", "bridge.db.lock"]
        assert modes(path.parent) == dict.fromkeys(names, 0o600)
        await store.close()
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o666])
async def test_files_that_others_could_read_become_private(path: Path, mode: int) -> None:
    path.parent.mkdir()
    for ending in ("", "-wal", "-shm", ".lock"):
        path.with_name(path.name + ending).touch()
        path.with_name(path.name + ending).chmod(mode)
    store = opened(path)
    assert set(modes(path.parent).values()) == {0o600}
    await store.run(keep)
    assert set(modes(path.parent).values()) == {0o600}
    await store.close()


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o775, 0o2775, 0o777, 0o1777])
def test_a_folder_that_others_may_write_is_refused(path: Path, mode: int) -> None:
    path.parent.mkdir()
    path.parent.chmod(mode)
    told = rf"{path.parent} can be written by other users \(mode {mode:04o}\).*chmod go-w"
    with pytest.raises(StoreUnusable, match=told):
        opened(path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755, 0o2755])
async def test_a_folder_that_others_may_look_into_is_taken(path: Path, mode: int) -> None:
    path.parent.mkdir()
    path.parent.chmod(mode)
    await opened(path).close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == mode


def a_link(path: Path) -> None:
    path.with_name("elsewhere.db").touch()
    path.symlink_to("elsewhere.db")


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to("elsewhere.db")


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_device(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


IRREGULAR = [
    pytest.param(a_link, "is a symbolic link: set `store.url` to the file", id="link"),
    pytest.param(a_link_to_nothing, "is a symbolic link", id="link to nothing"),
    pytest.param(a_fifo, "is not a regular file", id="fifo"),
    pytest.param(a_folder, "is not a regular file", id="folder"),
    pytest.param(
        a_device,
        "is not a regular file",
        id="device",
        marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices"),
    ),
]


@pytest.mark.parametrize(("make", "told"), IRREGULAR)
def test_what_is_not_a_regular_file_is_refused(
    path: Path, make: Callable[[Path], None], told: str
) -> None:
    path.parent.mkdir()
    make(path)
    before = modes(path.parent)
    for attempt in (opened, lambda path: open_view(f"sqlite:///{path}")):
        with pytest.raises(StoreUnusable, match=f"{path} {told}"):
            attempt(path)
    assert modes(path.parent) == before


@pytest.mark.parametrize("ending", [*BESIDE, ".lock"])
def test_a_link_beside_the_file_is_not_written_through(path: Path, ending: str) -> None:
    path.parent.mkdir()
    victim = path.parent.with_name("victim")
    victim.write_text("theirs")
    path.with_name(path.name + ending).symlink_to(victim)
    with pytest.raises(StoreUnusable, match="symbolic link"):
        opened(path)
    assert victim.read_text() == "theirs"


@pytest.mark.parametrize("name", ["bridge.db", *(f"bridge.db{each}" for each in BESIDE)])
def test_a_file_of_another_user_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path.parent.mkdir()
    foreign = path.with_name(name)
    foreign.touch(mode=0o644)
    pretend_owner(monkeypatch, foreign, uid=os.geteuid() + 1)
    told = rf"{foreign} belongs to another user \(uid {os.geteuid() + 1}\): run the bridge as"
    with pytest.raises(StoreUnusable, match=told):
        opened(path)


def test_a_folder_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    pretend_owner(monkeypatch, path.parent, uid=os.geteuid() + 1)
    with pytest.raises(StoreUnusable, match=f"{path.parent} belongs to another user"):
        opened(path)


async def test_a_folder_of_root_is_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.parent.mkdir()
    pretend_owner(monkeypatch, path.parent, uid=0)
    await opened(path).close()


def pretend_owner(monkeypatch: pytest.MonkeyPatch, path: Path, *, uid: int) -> None:
    """Let a file look as if it were another user's, also where the tests do not run as root."""

    def of(real: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def looked(at: Path, **more: bool) -> os.stat_result:
            found = real(at, **more)
            if at != path:
                return found
            fields = list(found)
            fields[stat.ST_UID] = uid
            return os.stat_result(fields)

        return looked

    monkeypatch.setattr(Path, "stat", of(Path.stat))
    monkeypatch.setattr(Path, "lstat", of(Path.lstat))
