"""The MLLP listener: a Twisted server whose connections hand frames to intake."""

from __future__ import annotations

import asyncio
import socket
import typing
from collections.abc import Callable

import structlog
from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IProtocol,
    IReactorTCP,
    IReactorTime,
)
from twisted.internet.protocol import ServerFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from bridge.errors import DoorError
from bridge.listeners.admission import Admission
from bridge.listeners.callers import Callers
from bridge.listeners.connection import Connection
from bridge.listeners.partials import Partials
from bridge.listeners.replies import Hl7Intake
from bridge.listeners.tls import Certificates
from bridge.settings import Channel, Limits, Mllp

log = structlog.get_logger()

#: seconds between two looks at which connections have waited too long
SWEEP_SECONDS = 1.0
#: connections the kernel holds until they are accepted
BACKLOG = 1024
#: seconds of silence after which TCP asks whether the sender is there, between two questions, and
#: how many stay unanswered before the connection is gone: two minutes in all
KEEPALIVE = (60, 15, 4)


class MllpListener:
    """One listening port; what comes in belongs to one channel unless intake finds a better."""

    def __init__(
        self,
        channel: Channel,
        settings: Mllp,
        limits: Limits,
        intake: Hl7Intake,
        *,
        reactor: IReactorTCP,
        clock: IReactorTime,
        new_id: Callable[[], str],
        partials: Partials | None = None,
        callers: Callers | None = None,
        certificates: Certificates | None = None,
    ) -> None:
        """`new_id` makes message control ids for the few answers written here; `partials` and
        `callers` are shared by the listeners of a service; `certificates` are those of
        `settings.tls`."""
        self.channel = channel
        self.settings = settings
        self.limits = limits
        self.intake = intake
        self.clock = clock
        self.new_id = new_id
        self.partials = partials or Partials(limits.partial_frames)
        self.callers = callers or Callers()
        self.certificates = certificates
        #: seconds since the epoch when a frame last came in
        self.last_seen: float | None = None
        self.paused = False
        self.stopping = False
        self._admission = Admission(settings)
        self._reactor = reactor
        self._port: IListeningPort | None = None
        self._sweeping: IDelayedCall | None = None
        self._lives: dict[Connection, asyncio.Task[None]] = {}

    @property
    def connected(self) -> int:
        """Senders connected now."""
        return len(self._lives)

    async def start(self) -> tuple[str, int]:
        """Listen, and return the address bound; DoorError when it cannot be."""
        host, port = self.settings.host, self.settings.port
        try:
            self._port = self._reactor.listenTCP(port, self._factory(), BACKLOG, host)
        except CannotListenError as error:
            raise DoorError(
                f"mllp: cannot listen on {host}:{port}: {error.socketError}; "
                "choose another mllp.host or mllp.port, or stop what holds it"
            ) from error
        _tune(self._port.socket)  # type: ignore[attr-defined] # no word of the interface
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
            connection.reception.stop_reading()

    def resume(self) -> None:
        """Read again."""
        self.paused = False
        for connection in self._lives:
            connection.reception.read_if_awaited()

    def admit(self, host: str) -> bool:
        """Whether one more connection of an address is taken."""
        refusal = self._admission.refusal(host)
        if refusal:
            log.warning("connection refused", why=refusal, channel=self.channel.name, peer=host)
        return not refusal

    def watch(self, connection: Connection, host: str, life: asyncio.Task[None]) -> None:
        """Count a connection until its life ends."""
        self._lives[connection] = life
        self._admission.enter(host)

        def gone(_: object) -> None:
            del self._lives[connection]
            self.callers.forget(connection)
            self._admission.leave(host)

        life.add_done_callback(gone)

    def _factory(self) -> ServerFactory[typing.Any]:
        plain = _Plain(self)
        if self.certificates is None:
            return _Door(self, plain)
        # Without a clock it takes the global reactor's, which does not run here.
        clock = typing.cast(IReactorTime, self._reactor)
        return _Door(self, TLSMemoryBIOFactory(self.certificates, False, plain, clock))

    def _sweep(self) -> None:
        now = self.clock.seconds()
        for connection in tuple(self._lives):
            if connection.deadline.at <= now:
                connection.expire()
        self._sweeping = self.clock.callLater(SWEEP_SECONDS, self._sweep)


class _Plain(ServerFactory[typing.Any]):
    """Makes connections as they are within TLS, or without."""

    noisy = False

    def __init__(self, listener: MllpListener) -> None:
        self._listener = listener

    def buildProtocol(self, addr: IAddress | None) -> Connection:  # noqa: N802 - Twisted's name
        return Connection(self._listener)


class _Door(ServerFactory[typing.Any]):
    """Lets in who may come, before anything else is done for him."""

    noisy = False

    def __init__(self, listener: MllpListener, inner: _Plain | TLSMemoryBIOFactory) -> None:
        self._listener = listener
        self._inner = inner

    def buildProtocol(self, addr: IAddress | None) -> IProtocol | None:  # noqa: N802 - Twisted's name
        host = typing.cast(IPv4Address, addr).host
        if not self._listener.admit(host):
            return None
        return typing.cast(IProtocol, self._inner.buildProtocol(addr))


def _tune(listening: socket.socket) -> None:
    """What the accepted connections inherit: no delay, and a question to senders that are silent
    (a sender whose machine or network has gone leaves a connection that never ends by itself)."""
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    for option, value in zip(options, KEEPALIVE, strict=True):
        listening.setsockopt(socket.IPPROTO_TCP, option, value)
