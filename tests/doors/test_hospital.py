"""The hospital's stand-in, talked to byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.sandbox.hospital import SILENCE, HospitalReceiver, HospitalReply, receiving


def order(control_id: str = "ZB1", *, accept: str = "", application: str = "") -> bytes:
    header = "MSH|^~\\&|ZAUTO|ZAUTOAI|HIS|CITY|20260115103000||RDE^O11^RDE_O11"
    return f"{header}|{control_id}|P|2.5.1|||{accept}|{application}\rPID|1||M1\r".encode()


@asynccontextmanager
async def talking(
    hospital: HospitalReceiver,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", hospital.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> list[str]:
    writer.write(b"\x0b" + body + b"\x1c\r")
    return await hear(reader)


async def hear(reader: asyncio.StreamReader) -> list[str]:
    frame = await reader.readuntil(b"\x1c\r")
    assert frame[:1] == b"\x0b"
    return frame[1:-2].decode().rstrip("\r").split("\r")


async def test_a_message_is_kept_and_accepted_with_its_control_id() -> None:
    async with receiving() as hospital, talking(hospital) as (reader, writer):
        header, acknowledgment = await ask(reader, writer, order("ZB7"))
    assert hospital.received == [order("ZB7")]
    assert acknowledgment == "MSA|AA|ZB7"
    assert header.split("|")[2:6] == ["HIS", "CITY", "ZAUTO", "ZAUTOAI"]
    assert header.split("|")[8] == "ACK"


@pytest.mark.parametrize(
    ("accept", "application", "codes"),
    [("AL", "NE", ["CA"]), ("AL", "AL", ["CA", "AA"]), ("NE", "AL", ["AA"]), ("AL", "", ["CA"])],
)
async def test_in_enhanced_mode_it_answers_what_is_asked_for(
    accept: str, application: str, codes: list[str]
) -> None:
    async with receiving() as hospital, talking(hospital) as (reader, writer):
        writer.write(b"\x0b" + order(accept=accept, application=application) + b"\x1c\r")
        answers = [await hear(reader) for _ in codes]
    assert [answer[1] for answer in answers] == [f"MSA|{code}|ZB1" for code in codes]


async def test_it_answers_as_planned_and_then_as_usual() -> None:
    async with receiving() as hospital, talking(hospital) as (reader, writer):
        hospital.planned += [
            HospitalReply("AE", error=207),
            HospitalReply("AR"),
            HospitalReply(control_id="OTHER"),
        ]
        answers = [await ask(reader, writer, order(f"ZB{n}")) for n in range(4)]
    assert [answer[1:] for answer in answers] == [
        ["MSA|AE|ZB0", "ERR|||207|E"],
        ["MSA|AR|ZB1"],
        ["MSA|AA|OTHER"],
        ["MSA|AA|ZB3"],
    ]


async def test_it_can_stay_silent_and_hang_up() -> None:
    async with receiving() as hospital, talking(hospital) as (reader, writer):
        hospital.usual = SILENCE
        writer.write(b"\x0b" + order() + b"\x1c\r")
        await hospital.wait_for(1)
        hospital.hang_up()
        assert await reader.read() == b""
    assert len(hospital.received) == 1


async def test_frames_may_come_in_pieces_or_together() -> None:
    both = b"noise\x0b" + order("A") + b"\x1c\r\x0b" + order("B") + b"\x1c\r"
    async with receiving() as hospital, talking(hospital) as (reader, writer):
        for at in range(0, len(both), 7):
            writer.write(both[at : at + 7])
            await writer.drain()
        assert [(await hear(reader))[1] for _ in "AB"] == ["MSA|AA|A", "MSA|AA|B"]


async def test_half_a_frame_is_not_kept() -> None:
    async with receiving() as hospital:
        async with talking(hospital) as (reader, writer):
            writer.write(b"\x0b" + order())
            writer.write_eof()
            assert await reader.read() == b""
        assert hospital.received == []
