from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from bridge.errors import DoorError, StoreBusy
from bridge.listeners.deadline import LINGER_SECONDS, STRAY_SECONDS
from bridge.listeners.mllp import MllpListener
from bridge.listeners.replies import STRAY_BYTES
from bridge.listeners.tls import Certificates
from bridge.message import Reply
from bridge.service.reactor import GuestReactor, start_reactor, stop_reactor
from bridge.settings import Channel, Limits, Mllp
from tests.patience import PATIENCE

HEAD = b"MSH|^~\\&|LAB|HOSP|ZAUTO|CLINIC|20261122090000||ADT^A04|%b|P|2.5.1"


def message(control_id: bytes, tail: bytes = b"") -> bytes:
    return (HEAD % control_id) + b"\rPID|1||77\r" + tail


def frame(body: bytes) -> bytes:
    return b"\x0b" + body + b"\x1c\r"


class FakeIntake:
    """Keeps what it is handed; answers `AA <control id>` at once or when let go."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.quarantined: list[tuple[str, bytes]] = []
        self.faults: dict[bytes, BaseException] = {}
        self.close = False
        self.answer: bytes | None = None
        self.silent = False
        self.gate: asyncio.Event | None = None
        self.under_way = 0
        self.most_under_way = 0
        self.changed = asyncio.Event()

    async def take_hl7(self, channel: Channel, body: bytes, peer: str) -> Reply:
        self.taken.append(body)
        self.changed.set()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        self.under_way -= 1
        if body in self.faults:
            raise self.faults.pop(body)
        if self.silent:
            return Reply(None)
        control_id = body.split(b"|")[9] if body.count(b"|") > 9 else b"?"
        return Reply(self.answer or b"AA " + control_id, close=self.close)

    async def quarantine(self, channel: str, peer: str, reason: str, head: bytes) -> None:
        self.quarantined.append((reason, head))
        self.changed.set()

    async def until_taken(self, count: int) -> None:
        while len(self.taken) < count:
            self.changed.clear()
            await self.changed.wait()

    async def until_idle(self) -> None:
        while self.under_way:
            await asyncio.sleep(0)

    async def until_quarantined(self, count: int) -> None:
        while len(self.quarantined) < count:
            self.changed.clear()
            await self.changed.wait()


class Sender:
    """A hospital's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        block = await asyncio.wait_for(self.reader.readuntil(b"\x1c\r"), PATIENCE)
        return block.removeprefix(b"\x0b").removesuffix(b"\x1c\r")

    async def closed(self) -> bytes:
        """What still comes before the other side hangs up."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE)
        except ConnectionError:
            return b""

    def hang_up(self) -> None:
        self.writer.transport.abort()


class Door:
    """A listener on a free port, its intake, its clock, and senders to it."""

    def __init__(self, listener: MllpListener, intake: FakeIntake, clock: Clock) -> None:
        self.listener = listener
        self.intake = intake
        self.clock = clock
        self.address = ("", 0)
        self.senders: list[Sender] = []

    async def connect(self) -> Sender:
        sender = Sender(*await asyncio.open_connection(*self.address, limit=1 << 20))
        self.senders.append(sender)
        return sender

    async def ask(self, data: bytes) -> bytes:
        sender = await self.connect()
        await sender.send(data)
        return await sender.answer()

    async def until_connected(self, count: int) -> None:
        while self.listener.connected != count:
            await asyncio.sleep(0)


@asynccontextmanager
async def door(
    reactor: GuestReactor, mllp: Mllp | None = None, limits: Limits | None = None
) -> AsyncIterator[Door]:
    intake, clock = FakeIntake(), Clock()
    mllp = mllp or Mllp(port=0)
    listener = MllpListener(
        Channel(name="adt"),
        mllp,
        limits or Limits(frame=65536),
        intake,
        reactor=reactor,
        clock=clock,
        new_id=lambda: "BRIDGE1",
        certificates=Certificates(mllp.tls) if mllp.tls else None,
    )
    opened = Door(listener, intake, clock)
    opened.address = await listener.start()
    try:
        yield opened
    finally:
        for sender in opened.senders:
            sender.hang_up()
        if intake.gate is not None:
            intake.gate.set()
        await listener.stop(5)


async def test_a_frame_is_taken_and_answered(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        assert await opened.ask(frame(message(b"A1"))) == b"AA A1"
        assert opened.intake.taken == [message(b"A1")]


async def test_an_address_in_use_is_named(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        taken = Mllp(port=opened.address[1])
        with pytest.raises(DoorError, match=str(taken.port)):
            async with door(reactor, taken):
                pass


async def test_frames_of_one_connection_are_taken_one_at_a_time_in_order(
    reactor: GuestReactor,
) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        ids = [b"%d" % n for n in range(50)]
        await sender.send(b"".join(frame(message(i)) for i in ids))
        assert [await sender.answer() for _ in ids] == [b"AA " + i for i in ids]
        assert opened.intake.most_under_way == 1


async def test_connections_are_taken_side_by_side(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        opened.intake.gate = asyncio.Event()
        first, second = await opened.connect(), await opened.connect()
        await first.send(frame(message(b"A1")))
        await second.send(frame(message(b"B1")))
        await opened.intake.until_taken(2)
        opened.intake.gate.set()
        assert (await first.answer(), await second.answer()) == (b"AA A1", b"AA B1")


async def test_nothing_is_read_while_frames_wait(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        opened.intake.gate = asyncio.Event()
        sender = await opened.connect()
        await sender.send(frame(message(b"A1")))
        await opened.intake.until_taken(1)
        # far more than the buffers of both sockets hold, and turns enough to read it all
        flood = asyncio.ensure_future(sender.send(frame(message(b"A2", b"X" * 50_000)) * 400))
        for _ in range(10_000):
            await asyncio.sleep(0)
        assert not flood.done()
        assert len(opened.intake.taken) == 1
        flood.cancel()


async def test_where_no_acknowledgment_is_wanted_none_is_sent(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        opened.intake.silent = True
        await sender.send(frame(message(b"A1")))
        await opened.intake.until_taken(1)
        await opened.intake.until_idle()
        opened.intake.silent = False
        await sender.send(frame(message(b"A2")))
        assert await sender.answer() == b"AA A2"


async def test_a_reply_that_closes_is_sent_before_hanging_up(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        opened.intake.close = True
        sender = await opened.connect()
        await sender.send(frame(message(b"A1")) + frame(message(b"A2")))
        assert await sender.closed() == frame(b"AA A1")
        assert opened.intake.taken == [message(b"A1")]


async def test_a_busy_store_gives_silence_and_then_a_closed_connection(
    reactor: GuestReactor,
) -> None:
    async with door(reactor, Mllp(port=0, busy_seconds=20)) as opened:
        opened.intake.faults[message(b"A1")] = StoreBusy("over the watermark")
        sender = await opened.connect()
        await sender.send(frame(message(b"A1")) + frame(message(b"A2")))
        await opened.intake.until_taken(1)
        await asyncio.sleep(0)
        opened.clock.advance(19)
        assert opened.listener.connected == 1
        opened.clock.advance(1)
        assert await sender.closed() == b""
        assert len(opened.intake.taken) == 1


async def test_a_fault_in_intake_closes_only_its_connection_without_an_answer(
    reactor: GuestReactor,
) -> None:
    async with door(reactor) as opened:
        opened.intake.faults[message(b"A2")] = ZeroDivisionError("PID|1||77")
        sender = await opened.connect()
        await sender.send(frame(message(b"A1")) + frame(message(b"A2")) + frame(message(b"A3")))
        assert await sender.closed() == frame(b"AA A1")
        assert await opened.ask(frame(message(b"A2"))) == b"AA A2"


async def test_a_frame_not_ended_in_time_is_hung_up_on_and_kept(reactor: GuestReactor) -> None:
    async with door(reactor, Mllp(port=0, frame_seconds=60)) as opened:
        sender = await opened.connect()
        await sender.send(frame(message(b"A1")) + b"\x0bMSH|^~")
        await sender.answer()
        opened.clock.advance(59)
        await sender.send(b"\\&|drip")
        opened.clock.advance(1)
        assert await sender.closed() == b""
        await opened.intake.until_quarantined(1)
        assert opened.intake.quarantined[0][1].startswith(b"MSH|^~")


async def test_an_idle_connection_stays_open_unless_the_settings_limit_it(
    reactor: GuestReactor,
) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        await opened.until_connected(1)
        opened.clock.advance(1_000_000)
        await sender.send(frame(message(b"A1")))
        assert await sender.answer() == b"AA A1"
    async with door(reactor, Mllp(port=0, idle_seconds=300)) as opened:
        sender = await opened.connect()
        await opened.until_connected(1)
        opened.clock.advance(301)
        assert await sender.closed() == b""


async def test_time_with_intake_counts_for_no_limit(reactor: GuestReactor) -> None:
    async with door(reactor, Mllp(port=0, idle_seconds=1, frame_seconds=1)) as opened:
        opened.intake.gate = asyncio.Event()
        sender = await opened.connect()
        await sender.send(frame(message(b"A1")) + b"\x0bMSH|")
        await opened.intake.until_taken(1)
        opened.clock.advance(1000)
        opened.intake.gate.set()
        assert await sender.answer() == b"AA A1"


async def test_line_ends_and_padding_between_frames_are_nothing(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        await sender.send(b"\r\n\0 \x1c\x1c" + frame(message(b"A1")) + b"\r\n\r\n\0\0")
        assert await sender.answer() == b"AA A1"
        await sender.send(frame(message(b"A2")))
        assert await sender.answer() == b"AA A2"
        assert opened.intake.quarantined == []


async def test_junk_before_a_frame_is_kept_and_the_frame_taken(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        assert await opened.ask(b"hello" + frame(message(b"A1"))) == b"AA A1"
        assert [head for _, head in opened.intake.quarantined] == [b"hello"]


async def test_a_frame_begun_again_is_kept_and_the_whole_one_taken(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        assert await opened.ask(b"\x0bMSH|cut" + frame(message(b"A1"))) == b"AA A1"
        assert [head for _, head in opened.intake.quarantined] == [b"MSH|cut"]


async def test_a_stream_that_is_not_mllp_is_hung_up_on(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        await sender.send(b"j" * (STRAY_BYTES + 1))
        assert await sender.closed() == b""
        assert opened.intake.quarantined[0][1] == b"j" * STRAY_BYTES


async def test_an_http_request_is_hung_up_on_soon(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        await sender.send(b"GET / HTTP/1.1\r\nHost: bridge\r\n\r\n")
        (connection,) = opened.listener._lives
        while connection.deadline.at > STRAY_SECONDS:
            await asyncio.sleep(0)
        opened.clock.advance(STRAY_SECONDS)
        assert await sender.closed() == b""
        await opened.intake.until_quarantined(1)
        assert opened.intake.quarantined[0][1].startswith(b"GET / HTTP/1.1")


async def test_a_frame_too_large_is_refused_with_its_control_id(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        await sender.send(b"\x0b" + message(b"A1", b"X" * 70_000))
        answer = await sender.closed()
        assert b"MSA|AR|A1" in answer
        assert opened.intake.taken == []
        assert opened.intake.quarantined[0][1] == message(b"A1", b"X" * 70_000)[:4096]


async def test_a_giant_frame_gets_its_answer_although_it_is_still_being_sent(
    reactor: GuestReactor,
) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        await sender.send(frame(message(b"A1", b"X" * 50_000_000)))
        assert b"MSA|AR|A1" in await sender.closed()


async def test_a_giant_that_is_not_hl7_is_hung_up_on_without_an_answer(
    reactor: GuestReactor,
) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        await sender.send(b"\x0b" + b"X" * 70_000)
        assert await sender.closed() == b""


async def test_a_sender_hung_up_on_that_stays_is_dropped(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        opened.intake.close = True
        sender = await opened.connect()
        await sender.send(frame(message(b"A1")))
        assert await sender.closed() == frame(b"AA A1")
        assert opened.listener.connected == 1
        opened.clock.advance(LINGER_SECONDS)
        await opened.until_connected(0)


async def test_a_connection_lost_inside_a_frame_leaves_a_trace(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        await sender.send(frame(message(b"A1")) + b"\x0bMSH|half")
        await sender.answer()
        sender.writer.close()
        await opened.intake.until_quarantined(1)
        assert opened.intake.taken == [message(b"A1")]
        assert opened.intake.quarantined[0][1] == b"MSH|half"
        await opened.until_connected(0)


async def test_frames_of_a_sender_that_does_not_wait_for_answers_are_all_taken(
    reactor: GuestReactor,
) -> None:
    async with door(reactor) as opened:
        sender = await opened.connect()
        await sender.send(b"".join(frame(message(b"%d" % n)) for n in range(20)))
        sender.writer.close()
        await opened.intake.until_taken(20)
        assert opened.intake.taken == [message(b"%d" % n) for n in range(20)]


async def test_more_connections_than_allowed_are_refused(reactor: GuestReactor) -> None:
    async with door(reactor, Mllp(port=0, connections=1)) as opened:
        first = await opened.connect()
        await opened.until_connected(1)
        second = await opened.connect()
        assert await second.closed() == b""
        await first.send(frame(message(b"A1")))
        assert await first.answer() == b"AA A1"


async def test_a_sender_that_never_reads_is_dropped(reactor: GuestReactor) -> None:
    async with door(reactor, Mllp(port=0, frame_seconds=60)) as opened:
        opened.intake.answer = b"A" * 1_000_000
        sender = await opened.connect()
        sender.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await sender.send(frame(message(b"A1")) * 100)
        (connection,) = opened.listener._lives
        while connection.answers.clogged is None or connection.deadline.at > 60:
            await asyncio.sleep(0)
        assert len(opened.intake.taken) < 20
        opened.clock.advance(60)
        await opened.until_connected(0)


async def test_while_paused_nothing_is_taken_and_no_time_runs(reactor: GuestReactor) -> None:
    async with door(reactor, Mllp(port=0, idle_seconds=5)) as opened:
        sender = await opened.connect()
        await opened.until_connected(1)
        opened.listener.pause()
        await sender.send(frame(message(b"A1")))
        late = await opened.connect()
        await late.send(frame(message(b"B1")))
        await opened.until_connected(2)
        opened.clock.advance(3)
        assert opened.intake.taken == []
        opened.listener.resume()
        assert (await sender.answer(), await late.answer()) == (b"AA A1", b"AA B1")


async def test_stop_answers_what_is_with_intake_and_takes_nothing_more(
    reactor: GuestReactor,
) -> None:
    async with door(reactor) as opened:
        opened.intake.gate = asyncio.Event()
        idle, sender = await opened.connect(), await opened.connect()
        await sender.send(frame(message(b"A1")) + frame(message(b"A2")))
        await opened.intake.until_taken(1)
        stopping = asyncio.ensure_future(opened.listener.stop(5))
        await asyncio.sleep(0)
        opened.intake.gate.set()
        assert await sender.closed() == frame(b"AA A1")
        assert await idle.closed() == b""
        await stopping
        assert opened.intake.taken == [message(b"A1")]
        with pytest.raises(OSError, match=r"refused|failed"):
            await asyncio.open_connection(*opened.address)


async def test_stop_does_not_wait_longer_than_its_grace(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        opened.intake.gate = asyncio.Event()
        sender = await opened.connect()
        await sender.send(frame(message(b"A1")))
        await opened.intake.until_taken(1)
        await opened.listener.stop(0)
        assert await sender.closed() == b""


async def test_frames_under_way_wait_for_the_oldest_when_they_are_too_large_together(
    reactor: GuestReactor,
) -> None:
    limits = Limits(frame=100_000, partial_frames=70_000)
    async with door(reactor, Mllp(port=0, frame_seconds=60), limits) as opened:
        first, second = await opened.connect(), await opened.connect()
        await first.send(b"\x0b" + message(b"A1", b"X" * 40_000))
        await until(lambda: opened.listener.partials.total > 40_000)
        await second.send(b"\x0b" + message(b"B1", b"X" * 40_000))
        await until(lambda: opened.listener.partials.total > 80_000)
        await second.send(b"X" * 20_000 + b"\x1c\r")
        opened.clock.advance(59)
        assert opened.intake.taken == []
        await first.send(b"X" * 20_000 + b"\x1c\r")
        assert await first.answer() == b"AA A1"
        assert await second.answer() == b"AA B1"
        assert opened.listener.partials.total == 0


async def test_a_frame_that_is_given_up_makes_room(reactor: GuestReactor) -> None:
    limits = Limits(frame=100_000, partial_frames=1024)
    async with door(reactor, Mllp(port=0, frame_seconds=60), limits) as opened:
        first, second = await opened.connect(), await opened.connect()
        await first.send(b"\x0b" + message(b"A1", b"X" * 2000))
        await until(lambda: opened.listener.partials.total > 2000)
        await second.send(b"\x0b" + message(b"B1", b"X" * 2000))
        await until(lambda: opened.listener.partials.total > 4000)
        opened.clock.advance(60)
        assert await first.closed() == b""
        await second.send(b"\x1c\r")
        assert await second.answer() == b"AA B1"


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


async def test_the_last_frame_seen_is_told(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        assert opened.listener.last_seen is None
        opened.clock.advance(42)
        await opened.ask(frame(message(b"A1")))
        assert opened.listener.last_seen == 42


STREAM = b"".join(
    [
        b"\r\n",
        frame(message(b"A1")),
        frame(message(b"A2", b"X" * 300)) + b"\n",
        b"stray",
        frame(b"not HL7"),
        b"\x0b" + message(b"A3"),
        frame(message(b"A4")),
        frame(message(b"A5", b"Y" * 3000)),
    ]
)
ANSWERED = frame(b"AA A1") + frame(b"AA A2") + frame(b"AA ?") + frame(b"AA A4")


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_chunking_makes_no_difference_to_the_acknowledgments(cuts: list[int]) -> None:
    async def answers() -> bytes:
        reactor = start_reactor(asyncio.get_running_loop())
        async with door(reactor, limits=Limits(frame=2048)) as opened:
            sender = await opened.connect()
            places = [0, *sorted(cuts), len(STREAM)]
            for start, end in itertools.pairwise(places):
                await sender.send(STREAM[start:end])
                await asyncio.sleep(0)
            answered = await sender.closed()
        stop_reactor(reactor)
        return answered

    answered = asyncio.run(answers())
    assert answered.startswith(ANSWERED)
    assert b"MSA|AR|A5" in answered
