"""Where a frame ends: an FS before CR, LF or VT, or one behind which nothing comes for a time."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.service.reactor import GuestReactor, start_reactor, stop_reactor
from bridge.settings import Limits, Mllp
from tests.doors.test_mllp_listener import Door, Sender, door, frame, message, until

SILENCE = 0.25
TEXT = b"NTE|1||one\x1ctwo\r"


async def until_fs_is_last(opened: Door) -> None:
    (connection,) = opened.listener._lives
    await until(lambda: connection.reception._framer.fs_last)


async def begin(opened: Door, data: bytes) -> Sender:
    """A sender whose bytes were read up to their FS."""
    sender = await opened.connect()
    await sender.send(data)
    await opened.until_connected(1)
    await until_fs_is_last(opened)
    return sender


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\x0b"])
async def test_what_follows_an_fs_ends_its_frame(reactor: GuestReactor, end: bytes) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        following = frame(message(b"A2")).removeprefix(end)
        await sender.send(b"\x0b" + message(b"A1", TEXT) + b"\x1c" + end + following)
        assert [await sender.answer() for _ in range(2)] == [b"AA A1", b"AA A2"]
        assert opened.intake.taken == [message(b"A1", TEXT), message(b"A2")]
        assert opened.intake.quarantined == []


async def test_an_fs_behind_which_nothing_comes_ends_its_frame(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await begin(opened, b"\x0b" + message(b"A1") + b"\x1c")
        opened.clock.advance(SILENCE - 0.01)
        assert opened.intake.taken == []
        opened.clock.advance(0.01)
        assert await sender.answer() == b"AA A1"
        await sender.send(b"\r" + frame(message(b"A2")))
        assert await sender.answer() == b"AA A2"
        assert opened.intake.quarantined == []


async def test_the_time_is_a_setting(reactor: GuestReactor) -> None:
    async with door(reactor, Mllp(port=0, end_silence_ms=2000)) as opened:
        sender = await begin(opened, b"\x0b" + message(b"A1") + b"\x1c")
        opened.clock.advance(1.9)
        assert opened.intake.taken == []
        opened.clock.advance(0.1)
        assert await sender.answer() == b"AA A1"


@pytest.mark.parametrize("rest", [b"two\r\x1c\r", b"\x1c\r", b"\x1c\x1c\n"])
async def test_what_comes_in_time_is_the_rest_of_the_text(
    reactor: GuestReactor, rest: bytes
) -> None:
    async with door(reactor) as opened:
        sender = await begin(opened, b"\x0b" + message(b"A1", b"NTE|1||one\x1c"))
        opened.clock.advance(SILENCE - 0.01)
        await sender.send(rest)
        assert await sender.answer() == b"AA A1"
        opened.clock.advance(10)
        assert opened.intake.taken == [message(b"A1", b"NTE|1||one\x1c" + rest[:-2])]


async def test_the_silence_begins_again_with_each_fs(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await begin(opened, b"\x0b" + message(b"A1", b"NTE|1||one\x1c"))
        (connection,) = opened.listener._lives
        for length in (1, 2, 3):
            opened.clock.advance(SILENCE - 0.01)
            held = connection.reception._framer.held
            await sender.send(b"x\x1c")
            await until(lambda held=held: connection.reception._framer.held > held)
            assert opened.intake.taken == [], length
        opened.clock.advance(SILENCE)
        assert await sender.answer() == b"AA A1"
        assert opened.intake.taken[0].endswith(b"one\x1cx\x1cx\x1cx")


async def test_the_end_of_the_connection_ends_the_frame(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await begin(opened, b"\x0b" + message(b"A1") + b"\x1c")
        sender.writer.close()
        await opened.intake.until_taken(1)
        assert (opened.intake.taken, opened.intake.quarantined) == ([message(b"A1")], [])


async def test_no_silence_is_counted_while_nothing_is_read(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await begin(opened, b"\x0b" + message(b"A1", b"NTE|1||one\x1c"))
        opened.listener.pause()
        opened.clock.advance(10)
        assert opened.intake.taken == []
        opened.listener.resume()
        opened.clock.advance(SILENCE - 0.01)
        await sender.send(b"two\r\x1c\r")
        assert await sender.answer() == b"AA A1"
        assert opened.intake.taken == [message(b"A1", TEXT)]


async def test_a_frame_behind_one_that_is_with_intake_waits_for_its_turn(
    reactor: GuestReactor,
) -> None:
    async with door(reactor) as opened:
        opened.intake.gate = asyncio.Event()
        sender = await begin(opened, frame(message(b"A1")) + b"\x0b" + message(b"A2") + b"\x1c")
        await opened.intake.until_taken(1)
        opened.clock.advance(SILENCE)
        assert opened.intake.taken == [message(b"A1")]
        opened.intake.gate.set()
        assert await sender.answer() == b"AA A1"
        opened.clock.advance(SILENCE)
        assert await sender.answer() == b"AA A2"


async def test_a_frame_of_fs_and_text_must_end_in_time(reactor: GuestReactor) -> None:
    mllp = Mllp(port=0, frame_seconds=60, end_silence_ms=100_000)
    async with door(reactor, mllp) as opened:
        sender = await begin(opened, b"\x0b" + message(b"A1", b"NTE|1||") + b"\x1c")
        opened.clock.advance(59)
        await sender.send(b"x\x1c")
        opened.clock.advance(1)
        assert await sender.closed() == b""


async def test_a_frame_of_fs_and_text_may_not_be_too_large(reactor: GuestReactor) -> None:
    async with door(reactor, limits=Limits(frame=1024)) as opened:
        sender = await opened.connect()
        await sender.send(b"\x0b" + message(b"A1", b"NTE|1||" + b"x\x1c" * 1000))
        assert b"MSA|AR|A1" in await sender.closed()
        assert opened.intake.taken == []


STREAM = b"".join(
    [
        frame(message(b"A1", TEXT)),
        b"\x0b" + message(b"A2", b"NTE|1||\x1c\x1c two\x0b\x1c.\r") + b"\x1c\n",
        b"\x0b" + message(b"A3") + b"\x1c" + frame(message(b"A4", b"NTE|1||\x1c\x1c")),
        b"\r\n" + frame(message(b"A5", TEXT * 9)),
    ]
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_chunking_makes_no_difference_to_the_frames(cuts: list[int]) -> None:
    async def taken() -> list[bytes]:
        reactor = start_reactor(asyncio.get_running_loop())
        async with door(reactor) as opened:
            sender = await opened.connect()
            places = [0, *sorted(cuts), len(STREAM)]
            for start, end in itertools.pairwise(places):
                await sender.send(STREAM[start:end])
                await asyncio.sleep(0)
            assert [await sender.answer() for _ in range(5)] == [b"AA A%d" % n for n in range(1, 6)]
        stop_reactor(reactor)
        return opened.intake.taken

    assert asyncio.run(taken()) == [
        message(b"A1", TEXT),
        message(b"A2", b"NTE|1||\x1c\x1c two\x0b\x1c.\r"),
        message(b"A3"),
        message(b"A4", b"NTE|1||\x1c\x1c"),
        message(b"A5", TEXT * 9),
    ]
