"""Application acknowledgments on the senders' own connections."""

from __future__ import annotations

import asyncio

from bridge.listeners.callers import Callers
from bridge.message import Owed, Reply
from bridge.service.reactor import GuestReactor
from bridge.settings import Channel
from tests.doors.test_mllp_listener import Door, FakeIntake, Sender, door, frame, message
from tests.patience import PATIENCE

ROUTE = "same/adt/LAB|HOSP"


class OwingIntake(FakeIntake):
    """Says of each message that its answer follows on its connection."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[bytes, int] = {}

    async def take_hl7(self, channel: Channel, body: bytes, peer: str) -> Reply:
        reply = await super().take_hl7(channel, body, peer)
        number = len(self.taken)
        self.numbers[body.split(b"|")[9]] = number
        return reply._replace(owes=(Owed(number, ROUTE),))


async def sent(opened: Door, control_id: bytes) -> Sender:
    """A connection on which one message was sent and its commit has come back."""
    sender = await opened.connect()
    await sender.send(frame(message(control_id)))
    assert await sender.answer() == b"AA " + control_id
    return sender


def owing(opened: Door) -> Callers:
    opened.listener.intake = opened.intake = OwingIntake()
    return opened.listener.callers


async def test_it_goes_by_the_connection_that_brought_the_message(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        callers = owing(opened)
        first, second = await sent(opened, b"A1"), await sent(opened, b"B1")
        assert callers.send(1, ROUTE, b"for A1")
        assert callers.send(2, ROUTE, b"for B1")
        assert await first.answer() == b"for A1"
        assert await second.answer() == b"for B1"


async def test_where_that_has_ended_it_goes_by_another_of_the_same_sender(
    reactor: GuestReactor,
) -> None:
    async with door(reactor) as opened:
        callers = owing(opened)
        (await sent(opened, b"A1")).hang_up()
        await opened.until_connected(0)
        assert not callers.reaches(ROUTE)
        assert not callers.send(1, ROUTE, b"for A1")
        again = await sent(opened, b"A2")
        assert callers.reaches(ROUTE)
        assert not callers.reaches("same/adt/OTHER|HOSP")
        assert callers.send(1, ROUTE, b"for A1")
        assert await again.answer() == b"for A1"


async def test_who_listens_is_told_when_a_sender_is_there(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        callers, called = owing(opened), asyncio.Event()
        callers.called = called.set
        await sent(opened, b"A1")
        await asyncio.wait_for(called.wait(), PATIENCE)


async def test_it_stands_behind_the_commit_of_the_frame_under_way(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        callers = owing(opened)
        sender = await sent(opened, b"A1")
        opened.intake.gate = asyncio.Event()
        await sender.send(frame(message(b"A2")))
        await opened.intake.until_taken(2)
        assert callers.send(1, ROUTE, b"for A1")
        opened.intake.gate.set()
        assert [await sender.answer() for _ in range(2)] == [b"AA A2", b"for A1"]


async def test_it_is_sent_though_the_frame_under_way_fails(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        callers = owing(opened)
        sender = await sent(opened, b"A1")
        opened.intake.gate = asyncio.Event()
        opened.intake.faults[message(b"A2")] = ZeroDivisionError()
        await sender.send(frame(message(b"A2")))
        await opened.intake.until_taken(2)
        assert callers.send(1, ROUTE, b"for A1")
        opened.intake.gate.set()
        assert await sender.answer() == b"for A1"


async def test_a_sender_that_does_not_read_is_sent_nothing_more(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        callers = owing(opened)
        await sent(opened, b"A1")
        (connection,) = opened.listener._lives
        connection.answers.pauseProducing()
        assert not callers.send(1, ROUTE, b"for A1")
        connection.answers.resumeProducing()
        assert callers.send(1, ROUTE, b"for A1")


async def test_nothing_is_remembered_of_what_was_sent_or_has_ended(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        callers = owing(opened)
        sender = await sent(opened, b"A1")
        other = await sent(opened, b"B1")
        callers.send(1, ROUTE, b"for A1")
        assert set(callers._by_message) == {2}
        for each in (sender, other):
            each.hang_up()
        await opened.until_connected(0)
        assert not any((callers._by_message, callers._by_route, callers._messages, callers._routes))
