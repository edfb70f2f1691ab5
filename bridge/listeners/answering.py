"""In which order answers leave for one sender, and whether it reads them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable

from twisted.internet.interfaces import IPushProducer, ITransport
from zope.interface import implementer

from bridge.hl7v2.framing import wrap
from bridge.message import Reply


@implementer(IPushProducer)
class AnswerStream:
    """The answers to one sender."""

    def __init__(self, transport: ITransport) -> None:
        self._transport = transport
        handle = getattr(transport, "getHandle", lambda: None)()
        #: where answers can be written at once; None once that failed, and for TLS
        self._socket = handle if isinstance(handle, socket.socket) else None
        #: done once the sender reads its answers again; None while it does
        self.clogged: asyncio.Future[None] | None = None
        #: a reply is being made, and what follows it
        self._replying = False
        self._following: list[bytes] = []

    async def send(self, making: Awaitable[Reply]) -> Reply:
        """Send a reply once it is made, and then what came for the sender meanwhile."""
        self._replying = True
        try:
            reply = await making
            if reply.acknowledgment is not None:
                self._write(wrap(reply.acknowledgment))
            return reply
        finally:
            self._replying = False
            for body in self._following:
                self._write(wrap(body))
            self._following.clear()

    def tell(self, body: bytes) -> bool:
        """Send what answers no frame, behind the answer under way; whether it was sent."""
        if self.clogged is not None:
            return False
        if self._replying:
            self._following.append(body)
        else:
            self._write(wrap(body))
        return True

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Twisted: the sender does not read what it is answered."""
        if self.clogged is None:
            self.clogged = asyncio.get_running_loop().create_future()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Twisted: it does again."""
        if self.clogged is not None:
            self.clogged.set_result(None)
            self.clogged = None

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Twisted: the connection is gone, as `connectionLost` says too."""

    def _write(self, data: bytes) -> None:
        """Give an answer to the kernel at once, as long as it takes whole answers.

        `transport.write` first asks epoll whether it may write and is called back: for each
        answer that costs more than the writing.
        """
        sent = 0
        if self._socket is not None:
            with contextlib.suppress(OSError):
                sent = self._socket.send(data)
        if sent < len(data):
            # from now on Twisted's buffer keeps the order
            self._socket = None
            self._transport.write(data[sent:])
