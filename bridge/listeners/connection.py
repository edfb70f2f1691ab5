"""One MLLP sender: its frames are handed to intake one at a time, in the order they came.

So a resend never overtakes what it repeats.
"""

from __future__ import annotations

import asyncio
import typing

import structlog
from OpenSSL import SSL
from twisted.internet.interfaces import IConsumer, IHandshakeListener, IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from bridge.errors import StoreBusy
from bridge.listeners.answering import AnswerStream
from bridge.listeners.callers import Callers
from bridge.listeners.deadline import LINGER_SECONDS, Deadline
from bridge.listeners.reception import Receiving, Reception
from bridge.listeners.replies import Replying, reply_to
from bridge.listeners.tls import words_of

log = structlog.get_logger()


class Listener(Receiving, Replying, typing.Protocol):
    """What a connection needs of its listener."""

    callers: Callers
    stopping: bool

    def watch(self, connection: Connection, host: str, life: asyncio.Task[None]) -> None:
        """Count a connection until its life ends."""


class _Transport(ITCPTransport, IPushProducer, IConsumer):
    """What Twisted gives a TCP connection, which its own interface names only in part."""


@implementer(IHandshakeListener)
class Connection(Protocol):
    """One sender. Its life is one task; what Twisted calls only fills and wakes it."""

    transport: _Transport

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.deadline = Deadline(listener.settings, listener.clock.seconds)
        #: no piece will be answered
        self._served = False

    # Twisted calls these.

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        peer = self.transport.getPeer()
        self._peer = f"{peer.host}:{peer.port}"
        self.reception = Reception(self.transport, self._listener, self.deadline)
        self.answers = AnswerStream(self.transport)
        self.transport.registerProducer(self.answers, True)
        loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[None] = loop.create_future()
        self._listener.watch(self, peer.host, loop.create_task(self._live()))

    def handshakeCompleted(self) -> None:  # noqa: N802 - Twisted's name
        self.deadline.shaking = False
        self.reception.allow_next()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self.reception.receive(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        if isinstance(reason.value, SSL.Error):
            channel, why = self._listener.channel.name, words_of(reason.value)
            log.info("TLS failed", channel=channel, peer=self._peer, why=why)
        # Whole frames that came before the end are still kept: their sender may not wait for
        # answers, and if it sends them again they are duplicates.
        if not self.reception.ended:
            self.reception.break_off()
        self.reception.end()
        self.answers.resumeProducing()
        self._lost.set_result(None)

    # The listener calls these.

    def finish(self) -> None:
        """Take no further frame, then hang up."""
        self.reception.drop()
        if self._served:
            self.abort()

    def abort(self) -> None:
        """Hang up at once."""
        self.reception.end()
        if not self._lost.done():
            self.transport.abortConnection()

    def expire(self) -> None:
        """Hang up on a sender that was waited for too long, and keep what it had begun."""
        channel = self._listener.channel.name
        log.info("connection closed: waited too long", channel=channel, peer=self._peer)
        self.reception.break_off()
        self.abort()

    # Callers calls this.

    def tell(self, body: bytes) -> bool:
        """Send what answers no frame, behind the answer under way; whether it was sent."""
        return not self.reception.ended and self.answers.tell(body)

    # The task.

    async def _live(self) -> None:
        try:
            await self._serve()
            self._hang_up()
        except StoreBusy:
            self._stay_silent()
        except Exception as error:  # noqa: BLE001 - one message must not end the service
            name = self._listener.channel.name
            log.error("intake failed", channel=name, error=type(error).__name__)
            self._hang_up()
        self._served = True
        await self._lost

    async def _serve(self) -> None:
        while (piece := await self.reception.next()) is not None:
            reply = await self.answers.send(reply_to(piece, self._listener, self._peer))
            if reply.owes:
                self._listener.callers.note(self, reply.owes)
            if reply.close:
                return
            if self.answers.clogged is not None:
                self.deadline.allow(self._listener.settings.frame_seconds)
                await self.answers.clogged

    def _hang_up(self) -> None:
        self.reception.end()
        if self._lost.done():
            return
        self.transport.unregisterProducer()
        if self._listener.stopping or self._listener.settings.tls is not None:
            # TLS says its goodbye itself, and waits for the sender's
            self.transport.loseConnection()
        else:
            # Closing with unread bytes makes TCP reset the connection, which can take the answer
            # away from the sender; so say goodbye and read on for a while.
            self.transport.loseWriteConnection()
            self.reception.read()
        self.deadline.allow(LINGER_SECONDS)

    def _stay_silent(self) -> None:
        self.reception.end()
        self.reception.stop_reading()
        self.deadline.allow(self._listener.settings.busy_seconds)
