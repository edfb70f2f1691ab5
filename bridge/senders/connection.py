"""One MLLP connection to a far end: frames out, frames back."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import cast

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeoutError
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IReactorTCP, IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from bridge.delivery import NetworkFault
from bridge.errors import DoorError
from bridge.hl7v2.framing import Found, Frame, Framer, wrap
from bridge.hl7v2.silence import END_SILENCE, Silence

#: bytes of the largest answer that is read; an acknowledgment has a few hundred
LARGEST_ANSWER = 1024 * 1024
#: answers waiting after which a far end is hung up on: well above what a replay has under way
MOST_ANSWERS = 256

_CANNOT_CONNECT = (
    OSError,
    ValueError,  # a host name that cannot be one
    DeferredTimeoutError,
    error.ConnectError,
    error.ConnectingCancelledError,
)
#: what failed on the way, by what was raised; the first that fits
_FAULTS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], NetworkFault], ...] = (
    ((error.DNSLookupError, socket.gaierror, ValueError), NetworkFault.DNS),
    (
        (error.TimeoutError, DeferredTimeoutError, error.ConnectingCancelledError, TimeoutError),
        NetworkFault.TIMEOUT,
    ),
    ((error.ConnectionRefusedError, ConnectionRefusedError), NetworkFault.REFUSED),
)


class CannotConnect(DoorError):
    """There is no connection; `fault` says what failed on the way."""

    def __init__(self, message: str, fault: NetworkFault | None = None) -> None:
        super().__init__(message)
        self.fault = fault


class MllpConnection(Protocol):
    """An open connection. What comes back is handed out in the order it came."""

    transport: ITCPTransport

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._framer = Framer(LARGEST_ANSWER)
        self._silence = Silence(clock.callLater, END_SILENCE, self._end_at_fs)
        self._answers: deque[bytes] = deque()
        self._waiter: Deferred[None] | None = None
        self.open = False

    def send(self, body: bytes) -> None:
        """Put one message on the wire."""
        self.transport.write(wrap(body))

    async def answer(self, seconds: float) -> bytes | None:
        """The next answer; None when the connection closed, or nothing came within `seconds`.

        What is not a frame is handed out like one: the caller finds that it is no answer.
        """
        if not self._answers and self.open:
            await self._arrival(seconds)
        return self._answers.popleft() if self._answers else None

    def forget(self) -> None:
        """Drop answers that nobody waits for."""
        self._answers.clear()

    def close(self) -> None:
        """Hang up at once: nothing that still comes can be taken for an answer."""
        self.open = False
        self.transport.abortConnection()

    async def _arrival(self, seconds: float) -> None:
        self._waiter = Deferred()
        self._waiter.addTimeout(seconds, self._clock)
        try:
            await self._waiter.asFuture(asyncio.get_running_loop())
        except DeferredTimeoutError:
            pass
        finally:
            self._waiter = None

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        self.open = True
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self._silence.stop()
        self._take(self._framer.feed(data))
        if self._framer.fs_last:
            self._silence.wait()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        self._silence.stop()
        if self.open:
            self._end_at_fs()
        self.open = False
        self._wake()

    def _end_at_fs(self) -> None:
        self._take(self._framer.end_at_fs())

    def _take(self, pieces: list[Found]) -> None:
        for piece in pieces:
            self._answers.append(piece.body if isinstance(piece, Frame) else piece.head)
        if len(self._answers) > MOST_ANSWERS:
            self._answers.clear()
            self.close()
        if self._answers:
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.called:
            self._waiter.callback(None)


async def connect(
    host: str, port: int, seconds: float, *, reactor: IReactorTCP, clock: IReactorTime
) -> MllpConnection:
    """Open a connection within `seconds`; CannotConnect when that fails."""
    factory = Factory.forProtocol(lambda: MllpConnection(clock))
    factory.noisy = False
    opening = HostnameEndpoint(reactor, host, port, timeout=seconds).connect(factory)
    opening.addTimeout(seconds, clock)
    try:
        return cast(MllpConnection, await opening.asFuture(asyncio.get_running_loop()))
    except _CANNOT_CONNECT as failed:
        reason = str(failed) or type(failed).__name__
        fault = next(
            (to for kinds, to in _FAULTS if isinstance(failed, kinds)), NetworkFault.CLOSED
        )
        raise CannotConnect(f"cannot connect to {host}:{port}: {reason}", fault) from failed
