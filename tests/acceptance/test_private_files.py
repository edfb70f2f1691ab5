"""Whatever a command writes, only its user can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, Visit, adt
from tests.acceptance.processes import Bridge, Process, Sandbox

MESSAGE = adt("A04", "C1", Person("93001"), Visit("V93001"))
#: what others may do with a file or folder
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """A umask as most users have it, which lets others read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def readable_by_others(folder: Path) -> set[str]:
    """What below a folder others can read, but for what the tests write there themselves."""
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.lstat().st_mode & OTHERS and file.suffix not in (".out", ".err", ".hl7")
    }


async def run(bridge: Bridge, *words: str) -> None:
    ended = await bridge.command(*words)
    assert ended.returncode == 0, ended.stdout + ended.stderr


async def test_what_the_commands_write_is_private(
    sandbox: Sandbox, launch: Launch, connect: Connect, tmp_path: Path
) -> None:
    bridge = await launch(sandbox.url)
    assert (await connect(bridge).send(MESSAGE)).startswith(b"MSH")
    (tmp_path / "one.hl7").write_bytes(MESSAGE)
    host, port = bridge.mllp
    await run(bridge, "replay", "one.hl7", "--mllp", f"{host}:{port}")
    await run(bridge, "coverage", "one.hl7", "--html", "coverage.html")
    await run(bridge, "sandbox", "--state", "sandbox.db", "--new-client", "someone")
    kept = {each.name.removeprefix("bridge.db") for each in (tmp_path / "kept").iterdir()}
    assert kept == {"", "-wal", "-shm", ".lock", ".sock"}
    assert {"coverage.html", "sandbox.db"} <= {each.name for each in tmp_path.iterdir()}
    assert readable_by_others(tmp_path) == set()

    # A test beside mappings holds no person, and the service's user reads it.
    await run(bridge, "fixture", "1", "--to", "site", "--as", "someone")
    assert stat.S_IMODE((tmp_path / "site").stat().st_mode) == 0o755
    assert {file.split("/")[0] for file in readable_by_others(tmp_path)} == {"site"}


async def test_the_demonstration_keeps_its_files_to_itself(tmp_path: Path) -> None:
    demo = Process(tmp_path, ["demo", "--keep"], {"TMPDIR": str(tmp_path)})
    try:
        await demo.printed("Ctrl-C")
        assert list(tmp_path.glob("bridge-demo-*/bridge.db"))
        assert readable_by_others(tmp_path) == set()
        demo.tell_to_stop()
        await demo.end()
    finally:
        demo.kill()
