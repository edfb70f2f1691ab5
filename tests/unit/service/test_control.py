"""The control socket: private, and never silent towards who asks."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import BridgeError, DoorError
from bridge.service.control import LONGEST_PATH, LONGEST_QUESTION, ControlSocket, ask, socket_path
from tests.patience import PATIENCE


async def _echo(question: Mapping[str, Any]) -> Any:
    return question


async def _refuse(_: Mapping[str, Any]) -> Any:
    raise BridgeError("not today")


async def _fail(_: Mapping[str, Any]) -> Any:
    raise ValueError("Meera Nair")


async def _unspeakable(_: Mapping[str, Any]) -> Any:
    return {1j}


ANSWERS = {"echo": _echo, "refuse": _refuse, "fail": _fail, "unspeakable": _unspeakable}


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    path = socket_path(tmp_path / "bridge.db")
    control = ControlSocket(path, ANSWERS)
    await control.start()
    yield path
    await control.stop()
    assert not path.exists()


async def asked(path: Path, question: Mapping[str, Any]) -> Any:
    return await asyncio.to_thread(ask, path, question, seconds=PATIENCE)


async def raw(path: Path, question: bytes) -> bytes:
    """What comes back for these bytes until the service hangs up or a line ends."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(question)
    answer = await asyncio.wait_for(reader.readline(), PATIENCE)
    writer.close()
    return answer


def test_the_socket_is_beside_the_store() -> None:
    assert socket_path(Path("/var/lib/bridge.db")) == Path("/var/lib/bridge.db.sock")


async def test_a_question_is_answered(path: Path) -> None:
    assert await asked(path, {"ask": "echo", "id": 7}) == {"ask": "echo", "id": 7}


async def test_only_the_owner_may_ask(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_refusal_is_told(path: Path) -> None:
    with pytest.raises(BridgeError, match="not today"):
        await asked(path, {"ask": "refuse"})


@pytest.mark.parametrize("question", ["fail", "unspeakable"])
async def test_a_fault_of_ours_is_answered_without_its_words(path: Path, question: str) -> None:
    with pytest.raises(BridgeError, match="the service failed on this question"):
        await asked(path, {"ask": question})


@pytest.mark.parametrize("question", [b"{}", b"[]", b"7", b"{", b'{"ask": []}', b'{"ask": "x"}'])
async def test_an_odd_question_is_answered(path: Path, question: bytes) -> None:
    answer = json.loads(await raw(path, question + b"\n"))
    assert answer == {"error": "the service does not know this question"}


async def test_a_question_without_an_end_is_hung_up_on(path: Path) -> None:
    assert await raw(path, b"x" * (2 * LONGEST_QUESTION)) == b""
    assert await asked(path, {"ask": "echo"}) == {"ask": "echo"}


async def test_many_questions_go_over_one_connection(path: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(str(path))
    for number in range(3):
        writer.write(json.dumps({"ask": "echo", "n": number}).encode() + b"\n")
        assert json.loads(await reader.readline())["ok"]["n"] == number
    writer.close()


async def test_a_socket_left_behind_is_replaced(path: Path) -> None:
    successor = ControlSocket(path, ANSWERS)
    await successor.start()
    assert await asked(path, {"ask": "echo"}) == {"ask": "echo"}
    await successor.stop()


async def test_a_path_too_long_for_a_socket_is_reached_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)
    folder.mkdir(parents=True)
    path = socket_path(folder / "bridge.db")
    assert len(str(path)) > LONGEST_PATH
    control = ControlSocket(path, ANSWERS)
    await control.start()
    assert await asked(path, {"ask": "echo"}) == {"ask": "echo"}
    await control.stop()


@pytest.mark.parametrize("there", [True, False])
def test_where_no_service_is_that_is_told(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "gone" / "bridge.db.sock"
    if there:
        path.parent.mkdir()
        path.write_bytes(b"")
    with pytest.raises(DoorError, match="no service answers at"):
        ask(path, {"ask": "status"})
