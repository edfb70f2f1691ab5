from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field

from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from zope.interface import implementer

from bridge.hl7v2.framing import Frame, Junk
from bridge.listeners.deadline import Deadline
from bridge.listeners.partials import Partials
from bridge.listeners.reception import Reception
from bridge.settings import Limits, Mllp

FRAME_SECONDS = 30
IDLE_SECONDS = 600
SILENCE = 0.25


@implementer(IPushProducer)
class Transport:
    """Whether it is read from."""

    read = True

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.read = False

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.read = True

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.read = False


@dataclass
class Listener:
    """What a listener knows for all its senders."""

    settings: Mllp = field(
        default_factory=lambda: Mllp(frame_seconds=FRAME_SECONDS, idle_seconds=IDLE_SECONDS)
    )
    limits: Limits = field(default_factory=lambda: Limits(frame=65536))
    clock: Clock = field(default_factory=Clock)
    partials: Partials = field(default_factory=lambda: Partials(50))
    paused: bool = False


class Sender:
    """One sender's side of a listener."""

    def __init__(self, listener: Listener | None = None) -> None:
        self.listener = listener or Listener()
        self.transport = Transport()
        self.deadline = Deadline(self.listener.settings, self.listener.clock.seconds)
        self.reception = Reception(self.transport, self.listener, self.deadline)

    async def waiting(self) -> asyncio.Task[object]:
        """The next piece, waited for."""
        task: asyncio.Task[object] = asyncio.create_task(self.reception.next())
        await asyncio.sleep(0)
        return task


async def test_pieces_are_handed_out_in_the_order_they_came() -> None:
    sender = Sender()
    sender.reception.receive(b"\x0bone\x1c\r\x0btwo\x1c\r")
    assert await sender.reception.next() == Frame(b"one")
    assert await sender.reception.next() == Frame(b"two")


async def test_while_pieces_wait_nothing_is_read() -> None:
    sender = Sender()
    sender.reception.receive(b"\x0bone\x1c\r\x0btwo\x1c\r")
    assert not sender.transport.read
    await sender.reception.next()
    await sender.reception.next()
    assert not sender.transport.read
    next_piece = await sender.waiting()
    assert sender.transport.read
    sender.reception.receive(b"\x0bthree\x1c\r")
    assert await next_piece == Frame(b"three")
    # one that is waited for leaves nothing behind it
    assert sender.transport.read


async def test_time_runs_while_a_piece_is_waited_for() -> None:
    sender = Sender()
    assert sender.deadline.at == math.inf
    next_piece = await sender.waiting()
    assert sender.deadline.at == IDLE_SECONDS
    sender.reception.receive(b"\x0bo")
    assert sender.deadline.at == FRAME_SECONDS
    sender.listener.clock.advance(1)
    sender.reception.receive(b"n")
    assert sender.deadline.at == FRAME_SECONDS, "a drip gains no time"
    sender.reception.receive(b"e\x1c\r")
    await next_piece
    assert sender.deadline.at == math.inf


async def test_while_the_listener_is_paused_nothing_is_read_and_no_time_runs() -> None:
    sender = Sender()
    sender.listener.paused = True
    sender.reception.stop_reading()
    await sender.waiting()
    assert not sender.transport.read
    assert sender.deadline.at == math.inf
    sender.listener.paused = False
    sender.reception.read_if_awaited()
    assert sender.transport.read
    assert sender.deadline.at == IDLE_SECONDS


async def test_where_no_piece_is_waited_for_reading_does_not_begin_again() -> None:
    sender = Sender()
    sender.reception.stop_reading()
    sender.reception.read_if_awaited()
    assert not sender.transport.read


async def test_a_frame_whose_last_byte_is_fs_ends_with_silence() -> None:
    sender = Sender()
    sender.reception.receive(b"\x0bone\x1c")
    sender.listener.clock.advance(SILENCE)
    sender.listener.clock.advance(0)
    assert await sender.reception.next() == Frame(b"one")


async def test_silence_does_not_count_while_nothing_is_read() -> None:
    sender = Sender()
    sender.reception.receive(b"\x0bone\x1c")
    sender.reception.stop_reading()
    sender.listener.clock.advance(SILENCE)
    sender.listener.clock.advance(0)
    next_piece = await sender.waiting()
    assert not next_piece.done()
    next_piece.cancel()


async def test_a_sender_waits_while_the_frames_of_others_are_too_large() -> None:
    first = Sender()
    second = Sender(first.listener)
    first.reception.receive(b"\x0b" + b"x" * 30)
    next_piece = await second.waiting()
    second.reception.receive(b"\x0b" + b"y" * 30)
    assert (first.transport.read, second.transport.read) == (True, False)
    assert second.deadline.at == math.inf
    first.reception.end()
    assert second.transport.read
    assert second.deadline.at == FRAME_SECONDS
    next_piece.cancel()


async def test_after_the_end_what_waits_is_handed_out_and_nothing_comes() -> None:
    sender = Sender()
    sender.reception.receive(b"\x0bone\x1c\r\x0btw")
    sender.reception.break_off()
    sender.reception.end()
    sender.reception.receive(b"o\x1c\r")
    assert await sender.reception.next() == Frame(b"one")
    assert await sender.reception.next() == Junk(b"tw", 2)
    assert await sender.reception.next() is None


async def test_the_end_wakes_who_waits() -> None:
    sender = Sender()
    next_piece = await sender.waiting()
    sender.reception.end()
    assert await next_piece is None


async def test_what_was_dropped_is_not_handed_out() -> None:
    sender = Sender()
    sender.reception.receive(b"\x0bone\x1c\r\x0btwo\x1c\r")
    sender.reception.drop()
    assert await sender.reception.next() is None
    assert not sender.transport.read
