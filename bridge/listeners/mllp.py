"""The MLLP listener: a Twisted server that hands frames to intake and sends back what it says.

Each connection's frames are taken one at a time in the order they came, so that a resend never
overtakes what it repeats. While frames wait their connection is not read from, so memory stays
bounded and a fast sender is slowed by TCP itself.
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
from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IDelayedCall,
    IListeningPort,
    IPushProducer,
    IReactorTCP,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from bridge.errors import DoorError, StoreBusy
from bridge.hl7v2.framing import Frame, Framer, Junk, Oversize, wrap
from bridge.listeners.oversize import refuse_oversize
from bridge.message import Reply
from bridge.settings import Channel, Limits, Mllp

log = structlog.get_logger()

#: seconds between two looks at which connections have waited too long
SWEEP_SECONDS = 1.0
#: seconds a sender that was hung up on may take to read its last answer
LINGER_SECONDS = 5.0
#: bytes and seconds without the beginning of a frame after which a sender does not speak MLLP
STRAY_BYTES = 4096
STRAY_SECONDS = 5.0
#: bytes between frames that say nothing: line ends and padding
FILLER = b" \t\r\n\0"


class Intake(typing.Protocol):
    """What this door needs of intake."""

    async def take_hl7(self, channel: Channel, body: bytes, peer: str) -> Reply:
        """Keep one message and say what is answered; StoreBusy when nothing may be."""

    async def quarantine(self, channel: str, peer: str, reason: str, head: bytes) -> None:
        """Keep the first bytes of what is not a message."""


class _Transport(ITCPTransport, IPushProducer, IConsumer):
    """What Twisted gives a TCP connection, which its own interface names only in part."""


class MllpListener:
    """One listening port; what comes in belongs to one channel unless intake finds a better."""

    def __init__(
        self,
        channel: Channel,
        settings: Mllp,
        limits: Limits,
        intake: Intake,
        *,
        reactor: IReactorTCP,
        clock: IReactorTime,
        new_id: Callable[[], str],
    ) -> None:
        """`new_id` makes message control ids for the few answers written here."""
        self.channel = channel
        self.settings = settings
        self.limits = limits
        self.intake = intake
        self.clock = clock
        self.new_id = new_id
        #: seconds since the epoch when a frame last came in
        self.last_seen: float | None = None
        self.paused = False
        self.stopping = False
        self._reactor = reactor
        self._port: IListeningPort | None = None
        self._sweeping: IDelayedCall | None = None
        self._lives: dict[_Connection, asyncio.Task[None]] = {}

    @property
    def connected(self) -> int:
        """Senders connected now."""
        return len(self._lives)

    async def start(self) -> tuple[str, int]:
        """Listen, and return the address bound; DoorError when it cannot be."""
        host, port = self.settings.host, self.settings.port
        try:
            self._port = self._reactor.listenTCP(port, _Connections(self), 128, host)
        except CannotListenError as error:
            raise DoorError(
                f"mllp: cannot listen on {host}:{port}: {error.socketError}; "
                "choose another mllp.host or mllp.port, or stop what holds it"
            ) from error
        self._sweeping = self.clock.callLater(SWEEP_SECONDS, self._sweep)
        bound = typing.cast(IPv4Address, self._port.getHost())
        return bound.host, bound.port

    async def stop(self, grace: float) -> None:
        """Take nothing more, answer what is with intake, and hang up within `grace` seconds."""
        self.stopping = True
        if self._port is not None:
            self._port.stopListening()
        for connection in tuple(self._lives):
            connection.finish()
        if self._lives:
            await asyncio.wait(self._lives.values(), timeout=grace)
        for connection in tuple(self._lives):
            connection.abort()
        if self._sweeping is not None and self._sweeping.active():
            self._sweeping.cancel()

    def pause(self) -> None:
        """Read nothing more until `resume`; what is with intake is still answered."""
        self.paused = True
        for connection in self._lives:
            connection.stop_reading()

    def resume(self) -> None:
        """Read again."""
        self.paused = False
        for connection in self._lives:
            connection.read_if_waiting()

    def admit(self) -> bool:
        """Whether one more connection is within the limit."""
        if self.connected < self.settings.connections:
            return True
        log.warning("connection refused: too many", channel=self.channel.name)
        return False

    def watch(self, connection: _Connection, life: asyncio.Task[None]) -> None:
        """Count a connection until its life ends."""
        self._lives[connection] = life
        life.add_done_callback(lambda _: self._lives.pop(connection))

    def _sweep(self) -> None:
        now = self.clock.seconds()
        for connection in tuple(self._lives):
            if connection.deadline <= now:
                connection.expire()
        self._sweeping = self.clock.callLater(SWEEP_SECONDS, self._sweep)


class _Connections(ServerFactory[typing.Any]):
    noisy = False

    def __init__(self, listener: MllpListener) -> None:
        self._listener = listener

    def buildProtocol(self, addr: IAddress | None) -> _Connection | None:  # noqa: N802 - Twisted's name
        return _Connection(self._listener) if self._listener.admit() else None


@implementer(IPushProducer)
class _Connection(Protocol):
    """One sender. Its life is one task; what Twisted calls only fills and wakes it."""

    transport: _Transport

    def __init__(self, listener: MllpListener) -> None:
        self._listener = listener
        self._framer = Framer(listener.limits.frame)
        self._pieces: deque[Frame | Junk | Oversize] = deque()
        #: set while the task waits for pieces
        self._arrival: asyncio.Future[None] | None = None
        #: set while the sender does not read its answers
        self._clogged: asyncio.Future[None] | None = None
        #: where answers can be written at once; None once that failed, and for TLS
        self._socket: socket.socket | None = None
        self._reading = True
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
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(self, True)
        handle = getattr(self.transport, "getHandle", lambda: None)()
        self._socket = handle if isinstance(handle, socket.socket) else None
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._listener.watch(self, self._loop.create_task(self._live()))

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if self._ended:
            return
        begun = self._framer.partial
        pieces = self._framer.feed(data)
        if pieces:
            self._pieces.extend(pieces)
            if self._arrival is None or len(self._pieces) > 1:
                self.stop_reading()
            self._wake()
        elif not begun and self._arrival is not None:
            self._allow_next()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
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
        self.transport.abortConnection()

    def expire(self) -> None:
        """Hang up on a sender that was waited for too long, and keep what it had begun."""
        name = self._listener.channel.name
        log.info("connection closed: waited too long", channel=name, peer=self._peer)
        self._pieces.extend(self._framer.finish())
        self.abort()

    def stop_reading(self) -> None:
        """Leave what the sender sends with TCP."""
        if self._reading:
            self._reading = False
            self.transport.pauseProducing()

    def read_if_waiting(self) -> None:
        """Read on, where the next frame is waited for."""
        if self._arrival is not None:
            self._read()
            self._allow_next()

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
            reply = await self._reply(piece)
            if reply.acknowledgment is not None:
                self._send(wrap(reply.acknowledgment))
            if reply.close:
                return
            if self._clogged is not None:
                self._allow(self._listener.settings.frame_seconds)
                await self._clogged

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

    async def _next(self) -> Frame | Junk | Oversize | None:
        if not self._pieces and not self._ended:
            self._arrival = self._loop.create_future()
            self._read()
            self._allow_next()
            await self._arrival
        self.deadline = math.inf
        return self._pieces.popleft() if self._pieces else None

    async def _reply(self, piece: Frame | Junk | Oversize) -> Reply:
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

    def _end(self) -> None:
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._arrival is not None:
            self._arrival.set_result(None)
            self._arrival = None

    def _read(self) -> None:
        if not self._reading and not self._listener.paused:
            self._reading = True
            self.transport.resumeProducing()

    def _hang_up(self) -> None:
        self._end()
        if self._lost.done():
            return
        self.transport.unregisterProducer()
        if self._listener.stopping:
            self.transport.loseConnection()
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
        if self._listener.paused:
            self.deadline = math.inf
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
