"""Enhanced mode over both acknowledgments, with the bridge as a process that is killed between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox.hospital import HospitalReceiver, HospitalReply, receiving
from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, Visit, adt
from tests.acceptance.mllp import field
from tests.acceptance.processes import Bridge, Sandbox, until
from tests.patience import PATIENCE

ASKING = {"accept": "AL", "application_acknowledgment": "AL"}


def registration(control_id: str, number: str = "71001", **person: Any) -> bytes:
    return adt("A04", control_id, Person(number, **person), Visit(f"V{number}"), **ASKING)


def config(folder: Path, **chosen: str) -> tuple[str, str]:
    """The arguments that name a settings file with this of its one channel."""
    told = ", ".join(f'{key}: "{value}"' for key, value in chosen.items())
    file = folder / "bridge.yaml"
    file.write_text(f"channels: [{{name: default, application_acknowledgment: {{{told}}}}}]\n")
    return "--config", str(file)


def told(answer: bytes) -> tuple[str, str]:
    return field(answer, "MSA", 1), field(answer, "MSA", 2)


async def later(bridge: Bridge, control_id: str) -> dict[str, Any]:
    """What the bridge tells of a message's application acknowledgment."""
    found: dict[str, Any] = (await bridge.message_of(control_id))["application_acknowledgment"]
    return found


async def until_sent(bridge: Bridge, control_id: str) -> dict[str, Any]:
    """The same, once it is sent."""
    found: dict[str, Any] = {}

    async def look() -> bool:
        nonlocal found
        found = await later(bridge, control_id)
        return bool(found["state"] == "sent")

    await until(look, lambda: f"sent, but {found}")
    return found


@pytest.fixture
async def engine() -> AsyncIterator[HospitalReceiver]:
    """A listener of the hospital's own, for what the application says."""
    async with receiving() as hospital:
        yield hospital


async def test_the_commit_comes_first_then_what_the_translation_says(
    sandbox: Sandbox, launch: Launch, connect: Connect
) -> None:
    bridge = await launch(sandbox.url)
    sender = connect(bridge)
    assert told(await sender.send(registration("C1"))) == ("CA", "C1")
    answer = await sender.answer()
    assert told(answer) == ("AA", "C1")
    assert [field(answer, "MSH", n) for n in (3, 5, 9, 15, 16)] == [
        "ZAUTO",
        "HIS",
        "ACK^A04^ACK",
        "NE",
        "NE",
    ]
    row = await until_sent(bridge, "C1")
    assert (row["code"], row["after"], row["line"]) == (
        "AA",
        "translation",
        "same/default/HIS|CITY",
    )
    assert row["body"].replace("\n", "\r").encode() == answer
    (listed,) = await bridge.messages()
    assert (listed["answer"], listed["application_answer"]) == ("CA", "AA sent")


async def test_what_was_owed_at_a_kill_is_sent_once_its_sender_is_back(
    sandbox: Sandbox, launch: Launch, connect: Connect, tmp_path: Path
) -> None:
    bridge = await launch(sandbox.url, *config(tmp_path, after="delivery"))
    await bridge.command("pause")
    sender = connect(bridge)
    for number in (1, 2, 3):
        assert told(await sender.send(registration(f"C{number}", f"7100{number}")))[0] == "CA"
    assert (await bridge.status())["application_acknowledgments"]["owed"] == 3
    bridge.kill()
    sender.hang_up()
    await bridge.start()
    await bridge.command("resume")
    await bridge.settled()
    assert (await bridge.status())["application_acknowledgments"]["due"] == 3
    shown = await bridge.command("status")
    assert "application acknowledgments: 3 due" in shown.stdout
    assert told(await sender.send(registration("C4", "71004"))) == ("CA", "C4")
    answers = [told(await sender.answer()) for _ in range(4)]
    assert answers == [("AA", f"C{number}") for number in (1, 2, 3, 4)]
    await until_sent(bridge, "C4")
    assert (await bridge.status())["application_acknowledgments"] == {
        "owed": 0,
        "due": 0,
        "sent": 4,
        "unwanted": 0,
        "abandoned": 0,
    }


async def test_after_delivery_it_says_what_became_of_it_there(
    sandbox: Sandbox, launch: Launch, connect: Connect, tmp_path: Path
) -> None:
    bridge = await launch(sandbox.url, *config(tmp_path, after="delivery"))
    sender = connect(bridge)
    assert told(await sender.send(registration("C1"))) == ("CA", "C1")
    assert told(await sender.answer()) == ("AA", "C1")
    assert await sandbox.record("patients", "71001") is not None
    assert told(await sender.send(registration("C2", "71002", phone=None))) == ("CA", "C2")
    answer = await sender.answer()
    assert told(answer) == ("AE", "C2")
    assert field(answer, "ERR", 3).startswith("101^")
    assert "phoneNumber" in field(answer, "ERR", 8)


async def test_to_an_address_it_is_sent_until_it_is_accepted(
    sandbox: Sandbox, launch: Launch, connect: Connect, tmp_path: Path, engine: HospitalReceiver
) -> None:
    engine.planned.extend([HospitalReply(code="CE"), HospitalReply()])
    to = f"127.0.0.1:{engine.port}"
    bridge = await launch(sandbox.url, *config(tmp_path, to=to, accept_acknowledgment="AL"))
    sender = connect(bridge)
    assert told(await sender.send(registration("C1"))) == ("CA", "C1")
    await asyncio.wait_for(engine.wait_for(2), PATIENCE)
    first, again = engine.received
    assert (told(first), first) == (("AA", "C1"), again)
    assert [field(first, "MSH", n) for n in (15, 16)] == ["AL", "NE"]
    row = await until_sent(bridge, "C1")
    assert row["line"] == to
    # nothing of it came over the sender's own line: the next answer there is to the next message
    assert told(await sender.send(registration("C2", "71002"))) == ("CA", "C2")


async def test_an_address_that_is_down_is_told_and_caught_up_with(
    sandbox: Sandbox, launch: Launch, connect: Connect, tmp_path: Path
) -> None:
    async with receiving() as engine:
        port = engine.port
    bridge = await launch(sandbox.url, *config(tmp_path, to=f"127.0.0.1:{port}"))
    sender = connect(bridge)
    for number in (1, 2):
        await sender.send(registration(f"C{number}", f"7100{number}"))

    async def noticed() -> bool:
        notices = (await bridge.status())["notices"]
        return any(f"127.0.0.1:{port}, where application" in each for each in notices)

    await until(noticed, "a notice")
    async with receiving(port=port) as engine:
        await asyncio.wait_for(engine.wait_for(2), PATIENCE)
        assert [told(body) for body in engine.received] == [("AA", "C1"), ("AA", "C2")]
        await until_sent(bridge, "C2")
