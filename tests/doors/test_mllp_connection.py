"""A connection to a hospital that talks unasked: what it says does not pile up."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from bridge.hl7v2.silence import END_SILENCE
from bridge.senders.connection import MOST_ANSWERS, MllpConnection


class Wire:
    """A transport that notes being hung up."""

    aborted = False

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        self.aborted = True

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def connected(clock: Clock | None = None) -> tuple[MllpConnection, Wire]:
    connection, wire = MllpConnection(clock or Clock()), Wire()
    connection.makeConnection(wire)  # type: ignore[no-untyped-call]
    return connection, wire


def test_a_far_end_that_never_stops_talking_is_hung_up_on() -> None:
    connection, wire = connected()

    for _ in range(MOST_ANSWERS + 1):
        connection.dataReceived(b"\x0bMSA|AA\x1c\r")

    assert wire.aborted
    assert not connection.open


async def test_a_late_answer_or_two_are_borne() -> None:
    connection, wire = connected()

    connection.dataReceived(b"\x0bone\x1c\r\x0btwo\x1c\r")

    assert [await connection.answer(1.0), await connection.answer(1.0)] == [b"one", b"two"]
    assert not wire.aborted


async def test_an_answer_without_the_carriage_return_ends_by_silence() -> None:
    clock = Clock()
    connection, _ = connected(clock)

    connection.dataReceived(b"\x0bMSA|AA|1\x1c")
    clock.advance(END_SILENCE - 0.01)
    assert not connection._answers
    clock.advance(0.01)

    assert await connection.answer(1.0) == b"MSA|AA|1"


async def test_an_fs_in_an_answer_is_text() -> None:
    clock = Clock()
    connection, _ = connected(clock)

    connection.dataReceived(b"\x0bMSA|AA|1|one\x1c")
    connection.dataReceived(b"two\x1c\r")
    clock.advance(END_SILENCE)

    assert await connection.answer(1.0) == b"MSA|AA|1|one\x1ctwo"
    assert not connection._answers


async def test_an_answer_may_end_with_the_connection() -> None:
    connection, _ = connected()

    connection.dataReceived(b"\x0bMSA|AA|1\x1c")
    connection.connectionLost()

    assert await connection.answer(1.0) == b"MSA|AA|1"


async def test_nothing_is_an_answer_once_the_line_was_closed() -> None:
    clock = Clock()
    connection, _ = connected(clock)

    connection.dataReceived(b"\x0bMSA|AA|1\x1c")
    connection.close()
    connection.connectionLost()
    clock.advance(END_SILENCE)

    assert await connection.answer(1.0) is None
