"""A line to a hospital that talks unasked: what it says does not pile up."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from bridge.senders.line import MOST_ANSWERS, Line


class Wire:
    """A transport that notes being hung up."""

    aborted = False

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        self.aborted = True

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def connected() -> tuple[Line, Wire]:
    line, wire = Line(Clock()), Wire()
    line.makeConnection(wire)  # type: ignore[no-untyped-call]
    return line, wire


def test_a_far_end_that_never_stops_talking_is_hung_up_on() -> None:
    line, wire = connected()

    for _ in range(MOST_ANSWERS + 1):
        line.dataReceived(b"\x0bMSA|AA\x1c\r")

    assert wire.aborted
    assert not line.open


async def test_a_late_answer_or_two_are_borne() -> None:
    line, wire = connected()

    line.dataReceived(b"\x0bone\x1c\r\x0btwo\x1c\r")

    assert [await line.answer(1.0), await line.answer(1.0)] == [b"one", b"two"]
    assert not wire.aborted
