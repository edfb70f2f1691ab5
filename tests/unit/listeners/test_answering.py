from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable
from typing import Any

import pytest
from twisted.internet.interfaces import ITransport
from zope.interface import implementer

from bridge.hl7v2.framing import wrap
from bridge.listeners.answering import AnswerStream
from bridge.message import Reply


@implementer(ITransport)
class Transport:
    """Keeps what is written; over a socket of its own where it is given one."""

    def __init__(self, handle: socket.socket | None = None) -> None:
        self.written = b""
        self._handle = handle

    def getHandle(self) -> socket.socket | None:  # noqa: N802 - Twisted's name
        return self._handle

    def write(self, data: bytes) -> None:
        self.written += data

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not needed")


async def made(body: bytes | None) -> Reply:
    return Reply(body)


async def failing() -> Reply:
    raise RuntimeError


async def test_a_reply_is_sent_as_one_frame() -> None:
    transport = Transport()
    reply = await AnswerStream(transport).send(made(b"AA"))
    assert (reply.acknowledgment, transport.written) == (b"AA", wrap(b"AA"))


async def test_where_there_is_no_acknowledgment_nothing_is_sent() -> None:
    transport = Transport()
    await AnswerStream(transport).send(made(None))
    assert transport.written == b""


async def test_what_answers_no_frame_is_sent_at_once_where_no_reply_is_being_made() -> None:
    transport = Transport()
    assert AnswerStream(transport).tell(b"late")
    assert transport.written == wrap(b"late")


async def test_what_answers_no_frame_follows_the_reply_that_is_being_made() -> None:
    transport = Transport()
    stream = AnswerStream(transport)

    async def reply() -> Reply:
        assert stream.tell(b"late")
        assert transport.written == b""
        return Reply(b"AA")

    await stream.send(reply())
    assert transport.written == wrap(b"AA") + wrap(b"late")


@pytest.mark.parametrize("making", [made(None), failing()], ids=["no reply", "a fault"])
async def test_it_follows_also_where_no_reply_was_made(making: Awaitable[Reply]) -> None:
    transport = Transport()
    stream = AnswerStream(transport)

    async def reply() -> Reply:
        stream.tell(b"late")
        return await making

    await asyncio.gather(stream.send(reply()), return_exceptions=True)
    assert transport.written == wrap(b"late")
    stream.tell(b"later")
    assert transport.written == wrap(b"late") + wrap(b"later")


async def test_a_sender_that_does_not_read_is_told_nothing_until_it_does() -> None:
    transport = Transport()
    stream = AnswerStream(transport)
    stream.pauseProducing()
    clogged = stream.clogged
    stream.pauseProducing()
    assert clogged is not None
    assert stream.clogged is clogged
    assert not stream.tell(b"late")
    stream.resumeProducing()
    stream.resumeProducing()
    assert clogged.done()
    assert stream.tell(b"late")
    assert transport.written == wrap(b"late")


async def test_answers_go_to_the_kernel_until_it_takes_no_more() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        transport = Transport(ours)
        stream = AnswerStream(transport)
        stream.tell(b"first")
        assert theirs.recv(100) == wrap(b"first")
        stream.tell(b"x" * 10_000_000)
        theirs.recv(10_000_000)
        stream.tell(b"last")
    # what the kernel did not take, and whatever follows it, keeps its order in the transport
    assert transport.written.endswith(b"x" + b"\x1c\r" + wrap(b"last"))
