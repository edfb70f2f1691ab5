"""No text of a message is acknowledged unread, over the wire and by `bridge replay`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.hl7 import Person, Visit, adt
from tests.acceptance.mllp import END, START, Sender, field
from tests.acceptance.processes import ROOT, Bridge, Sandbox

CASES = ROOT.parent / "shared" / "cases"


@pytest.fixture
def bridge(one_bridge: Bridge) -> Bridge:
    return one_bridge


@pytest.fixture
async def sender(bridge: Bridge) -> AsyncIterator[Sender]:
    async with Sender(lambda: bridge.mllp) as sender:
        yield sender


def case(name: str) -> bytes:
    """A message of the cases beside the repository."""
    file = CASES / name
    if not file.exists():
        pytest.skip(f"{file} is not there")
    return file.read_bytes()


def codes(answer: bytes) -> list[tuple[str, str]]:
    """MSA-1 and MSA-2 of each acknowledgment in a frame."""
    lines = [line.split("|") for line in answer.decode().split("\r")]
    return [(line[1], line[2]) for line in lines if line[0] == "MSA"]


async def patient_of(sandbox: Sandbox, visit: str) -> str:
    record = await sandbox.record("patient-visits", visit)
    assert record is not None
    return str(record["patientId"])


async def test_two_messages_of_a_frame_are_two(
    bridge: Bridge, sender: Sender, one_sandbox: Sandbox
) -> None:
    bodies = [
        adt("A04", f"T{n}", Person(f"7100{n}"), Visit(f"VT{n}", doctor=None)) for n in range(2)
    ]
    answer = await sender.send(b"".join(bodies))
    assert codes(answer) == [("AA", "T0"), ("AA", "T1")]
    for n in range(2):
        await bridge.became(f"T{n}", "delivered")
        assert await patient_of(one_sandbox, f"VT{n}") == f"7100{n}"
    assert await sender.send(b"".join(bodies)) == answer
    assert [(await bridge.message_of(f"T{n}"))["duplicates"] for n in range(2)] == [1, 1]


async def test_an_fs_inside_a_field_is_text(bridge: Bridge, sender: Sender) -> None:
    body = adt("A04", "FS", Person("71010", address="12\x1cRose Street"), Visit("VFS"))
    assert codes(await sender.send(body)) == [("AA", "FS")]
    found = await bridge.became("FS", "delivered")
    assert found["body"].replace("\n", "\r") == body.decode()


async def test_a_frame_may_end_with_fs_alone(bridge: Bridge, sender: Sender) -> None:
    for number in range(2):
        body = adt("A04", f"BARE{number}", Person(f"7102{number}"), None)
        await sender.raw(START + body + END.removesuffix(b"\r"))
        assert codes(await sender.answer()) == [("AA", f"BARE{number}")]


async def test_a_line_that_no_reader_looks_at_is_named(bridge: Bridge, sender: Sender) -> None:
    body = adt("A04", "CUT", Person("71030", address="Flat 2\rRose Street"), Visit("VCUT"))
    assert codes(await sender.send(body)) == [("AA", "CUT")]
    found = await bridge.became("CUT", "delivered", "parked")
    named = [f"{each['path']}: {each['text']}" for each in found["remarks"]]
    assert "line 4: is not a segment; not read" in named


async def test_replay_cuts_a_file_as_the_door_cuts_a_frame(bridge: Bridge, tmp_path: Path) -> None:
    own = [adt("A04", f"R{n}", Person(f"7104{n}"), None) for n in range(3)]
    other = adt("A04", "RX", Person("71049"), None, facility="RURAL")
    file = tmp_path / "several.hl7"
    file.write_bytes(own[0] + own[1] + other + own[2] + b"BTS|4\r")
    host, port = bridge.mllp
    done = await bridge.command("replay", str(file), "--mllp", f"{host}:{port}", "--json")
    assert done.returncode == 1
    answers = [(row["control_id"], row["answer"]) for row in json.loads(done.stdout)]
    assert answers == [
        ("R0", "AA"),
        ("R1", "AE"),
        ("R2", "AA"),
        ("", "wrong count"),
    ]


async def test_the_first_case(bridge: Bridge, sender: Sender, one_sandbox: Sandbox) -> None:
    assert codes(await sender.send(case("F01-two-msh-in-one-frame.hl7"))) == [
        ("AA", "F1a"),
        ("AA", "F1b"),
    ]
    for control_id, number in (("F1a", "910001"), ("F1b", "910002")):
        await bridge.became(control_id, "delivered")
        assert await patient_of(one_sandbox, f"V{number}") == number


async def test_the_third_case(bridge: Bridge, sender: Sender, one_sandbox: Sandbox) -> None:
    body = case("F03-fs-inside-a-field.hl7")
    assert codes(await sender.send(body)) == [("AA", "G1")]
    await bridge.became("G1", "delivered")
    assert await patient_of(one_sandbox, "V920001") == "920001"


async def test_the_fourth_case(bridge: Bridge, sender: Sender) -> None:
    assert field(await sender.send(case("F04-cr-inside-a-field.hl7")), "MSA", 1) == "AA"
    found = await bridge.became("G3", "delivered", "parked")
    named = [f"{each['path']}: {each['text']}" for each in found["remarks"]]
    assert "line 4: is not a segment; not read" in named
