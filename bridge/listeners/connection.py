"""One MLLP sender: its frames are handed to intake one at a time, in the order they came.

So a resend never overtakes what it repeats. While frames wait their connection is not read from,
so memory stays bounded and a fast sender is slowed by TCP itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import typing
from collections import deque
from collections.abc import Callable

import structlog
from OpenSSL import SSL
from twisted.internet.interfaces import (
    IConsumer,
    IHandshakeListener,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from bridge.errors import StoreBusy
from bridge.hl7v2.framing import Found, Frame, Framer, Junk, Oversize, wrap
from bridge.hl7v2.silence import Silence
from bridge.listeners.callers import Callers
from bridge.listeners.oversize import refuse_oversize
from bridge.listeners.partials import Partials
from bridge.listeners.tls import words_of
from bridge.message import Reply
from bridge.settings import Channel, Limits, Mllp

log = structlog.get_logger()

#: seconds a sender that was hung up on may take to read its last answer
LINGER_SECONDS = 5.0
#: bytes and seconds without the beginning of a frame after which a sender does not speak MLLP
STRAY_BYTES = 4096
STRAY_SECONDS = 5.0
#: seconds the handshake of TLS may take
HANDSHAKE_SECONDS = 10.0
#: bytes between frames that say nothing: line ends and padding
FILLER = b" \t\r\n\0"


class Intake(typing.Protocol):
    """What this door needs of intake."""

    async def take_hl7(self, channel: Channel, body: bytes, peer: str) -> Reply:
        """Keep one message and say what is answered; StoreBusy when nothing may be."""

    async def quarantine(self, channel: str, peer: str, reason: str, head: bytes) -> None:
        """Keep the first bytes of what is not a message."""


class Listener(typing.Protocol):
    """What a connection needs of its listener."""

    channel: Channel
    settings: Mllp
    limits: Limits
    intake: Intake
    clock: IReactorTime
    new_id: Callable[[], str]
    partials: Partials
    callers: Callers
    last_seen: float | None
    paused: bool
    stopping: bool

    def watch(self, connection: Connection, host: str, life: asyncio.Task[None]) -> None:
        """Count a connection until its life ends."""


class _Transport(ITCPTransport, IPushProducer, IConsumer):
    """What Twisted gives a TCP connection, which its own interface names only in part."""


@implementer(IPushProducer, IHandshakeListener)
class Connection(Protocol):
    """One sender. Its life is one task; what Twisted calls only fills and wakes it."""

    transport: _Transport

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._framer = Framer(listener.limits.frame)
        self._silence = Silence(
            listener.clock.callLater, listener.settings.end_silence_ms / 1000, self._end_at_fs
        )
        self._pieces: deque[Found] = deque()
        #: set while the task waits for pieces
        self._arrival: asyncio.Future[None] | None = None
        #: set while the sender does not read its answers
        self._clogged: asyncio.Future[None] | None = None
        #: where answers can be written at once; None once that failed, and for TLS
        self._socket: socket.socket | None = None
        self._reading = True
        #: bytes of a frame under way are held, and this connection must wait until others end
        self._holding = False
        self._waiting = False
        #: TLS has not said yet who this is
        self._shaking = listener.settings.tls is not None
        #: a frame is with intake, and what follows its answer
        self._replying = False
        self._following: list[bytes] = []
        #: no piece will be added
        self._ended = False
        #: no piece will be answered
        self._served = False
        #: when this connection has waited too long for whatever it waits for
        self.deadline = math.inf

    # Twisted calls these.

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        peer = self.transport.getPeer()
        self._peer = f"{peer.host}:{peer.port}"
        self.transport.registerProducer(self, True)
        handle = getattr(self.transport, "getHandle", lambda: None)()
        self._socket = handle if isinstance(handle, socket.socket) else None
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._listener.watch(self, peer.host, self._loop.create_task(self._live()))

    def handshakeCompleted(self) -> None:  # noqa: N802 - Twisted's name
        self._shaking = False
        if self._arrival is not None:
            self._allow_next()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if self._ended:
            return
        begun = self._framer.partial
        self._take(self._framer.feed(data), begun)
        self._await_silence()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        if isinstance(reason.value, SSL.Error):
            channel, why = self._listener.channel.name, words_of(reason.value)
            log.info("TLS failed", channel=channel, peer=self._peer, why=why)
        # Whole frames that came before the end are still kept: their sender may not wait for
        # answers, and if it sends them again they are duplicates.
        if not self._ended:
            self._pieces.extend(self._framer.finish())
        self._end()
        self.resumeProducing()
        self._lost.set_result(None)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Twisted: the sender does not read what it is answered."""
        if self._clogged is None:
            self._clogged = self._loop.create_future()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Twisted: it does again."""
        if self._clogged is not None:
            self._clogged.set_result(None)
            self._clogged = None

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Twisted: the connection is gone, as `connectionLost` says too."""

    # The listener calls these.

    def finish(self) -> None:
        """Take no further frame, then hang up."""
        self.stop_reading()
        self._pieces.clear()
        self._end()
        if self._served:
            self.abort()

    def abort(self) -> None:
        """Hang up at once."""
        self._end()
        if not self._lost.done():
            self.transport.abortConnection()

    def expire(self) -> None:
        """Hang up on a sender that was waited for too long, and keep what it had begun."""
        channel = self._listener.channel.name
        log.info("connection closed: waited too long", channel=channel, peer=self._peer)
        self._pieces.extend(self._framer.finish())
        self.abort()

    def stop_reading(self) -> None:
        """Leave what the sender sends with TCP."""
        if self._reading:
            self._reading = False
            self.transport.pauseProducing()
            self._await_silence()

    def read_if_waiting(self) -> None:
        """Read on, where the next frame is waited for."""
        if self._arrival is not None:
            self._read()
            self._allow_next()

    # Callers calls this.

    def tell(self, body: bytes) -> bool:
        """Send what answers no frame, behind the answer under way; whether it was sent."""
        if self._ended or self._clogged is not None:
            return False
        if self._replying:
            self._following.append(body)
        else:
            self._send(wrap(body))
        return True

    # Partials calls these.

    def wait(self) -> None:
        """Leave the rest of the frame with TCP until others have ended."""
        self._waiting = True
        self.stop_reading()
        self.deadline = math.inf

    def go_on(self) -> None:
        """Take the rest of it; its time begins anew."""
        self._waiting = False
        self.read_if_waiting()

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
        while (piece := await self._next()) is not None:
            reply = await self._answer(piece)
            if reply.owes:
                self._listener.callers.note(self, reply.owes)
            if reply.close:
                return
            if self._clogged is not None:
                self._allow(self._listener.settings.frame_seconds)
                await self._clogged

    async def _answer(self, piece: Found) -> Reply:
        self._replying = True
        try:
            reply = await self._reply(piece)
            if reply.acknowledgment is not None:
                self._send(wrap(reply.acknowledgment))
            return reply
        finally:
            self._replying = False
            for body in self._following:
                self._send(wrap(body))
            self._following.clear()

    def _send(self, data: bytes) -> None:
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
            self.transport.write(data[sent:])

    async def _next(self) -> Found | None:
        if not self._pieces and not self._ended:
            self._arrival = self._loop.create_future()
            self._read()
            self._allow_next()
            await self._arrival
        self.deadline = math.inf
        return self._pieces.popleft() if self._pieces else None

    async def _reply(self, piece: Found) -> Reply:
        listener = self._listener
        listener.last_seen = at = listener.clock.seconds()
        if isinstance(piece, Frame):
            return await listener.intake.take_hl7(listener.channel, piece.body, self._peer)
        if isinstance(piece, Oversize):
            await self._quarantine(piece, f"frame of more than {listener.limits.frame} bytes")
            return refuse_oversize(piece.head, at=at, control_id=listener.new_id())
        if piece.head.strip(FILLER):
            await self._quarantine(piece, "bytes that make no frame")
        return Reply(None, close=piece.size >= STRAY_BYTES)

    async def _quarantine(self, piece: Junk | Oversize, reason: str) -> None:
        name, peer = self._listener.channel.name, self._peer
        log.warning("no message: kept in quarantine", channel=name, peer=peer, bytes=piece.size)
        await self._listener.intake.quarantine(name, peer, reason, piece.head)

    # What both sides need.

    def _take(self, pieces: list[Found], begun: bool) -> None:
        """Queue what came; `begun` says whether something was under way before."""
        if pieces:
            self._pieces.extend(pieces)
            if self._arrival is None or len(self._pieces) > 1:
                self.stop_reading()
            self._wake()
        elif self._arrival is not None and not (begun and self._framer.partial):
            self._allow_next()
        if self._holding or self._framer.inside:
            self._hold()

    def _await_silence(self) -> None:
        """Wait for what follows an FS that came last, as long as anything can come."""
        if self._framer.fs_last and self._reading and not self._ended:
            self._silence.wait()
        else:
            self._silence.stop()

    def _end_at_fs(self) -> None:
        self._take(self._framer.end_at_fs(), begun=True)

    def _end(self) -> None:
        self._ended = True
        self._silence.stop()
        if self._holding:
            self._holding = False
            self._listener.partials.hold(self, 0)
        self._wake()

    def _hold(self) -> None:
        self._holding = self._framer.inside
        self._listener.partials.hold(self, self._framer.held if self._holding else 0)

    def _wake(self) -> None:
        if self._arrival is not None:
            self._arrival.set_result(None)
            self._arrival = None

    def _read(self) -> None:
        if not (self._reading or self._waiting or self._listener.paused):
            self._reading = True
            self.transport.resumeProducing()
            self._await_silence()

    def _hang_up(self) -> None:
        self._end()
        if self._lost.done():
            return
        self.transport.unregisterProducer()
        if self._listener.stopping or self._listener.settings.tls is not None:
            # TLS says its goodbye itself, and waits for the sender's
            self.transport.loseConnection()
            self._allow(LINGER_SECONDS)
            return
        # Closing with unread bytes makes TCP reset the connection, which can take the answer
        # away from the sender; so say goodbye and read on for a while.
        self.transport.loseWriteConnection()
        self._read()
        self._allow(LINGER_SECONDS)

    def _stay_silent(self) -> None:
        self._end()
        self.stop_reading()
        self._allow(self._listener.settings.busy_seconds)

    def _allow_next(self) -> None:
        """Give the sender its time for what is under way, or for the next frame to begin."""
        settings = self._listener.settings
        if self._listener.paused or self._waiting:
            self.deadline = math.inf
        elif self._shaking:
            self._allow(HANDSHAKE_SECONDS)
        elif self._framer.inside:
            self._allow(settings.frame_seconds)
        elif self._framer.partial:
            self._allow(STRAY_SECONDS)
        elif settings.idle_seconds:
            self._allow(settings.idle_seconds)
        else:
            self.deadline = math.inf

    def _allow(self, seconds: float) -> None:
        self.deadline = self._listener.clock.seconds() + seconds
