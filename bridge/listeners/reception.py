"""Reading from one sender: its pieces one at a time, in the order they came.

While pieces wait their sender is not read from, so memory stays bounded and a fast sender is
slowed by TCP itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from twisted.internet.interfaces import IPushProducer, IReactorTime

from bridge.hl7v2.framing import Found, Framer
from bridge.hl7v2.silence import Silence
from bridge.listeners.deadline import Deadline
from bridge.listeners.partials import Partials
from bridge.settings import Limits, Mllp


class Receiving(Protocol):
    """What reading needs of the listener."""

    settings: Mllp
    limits: Limits
    clock: IReactorTime
    partials: Partials
    paused: bool


class Reception:
    """The pieces of one sender that are under way or wait, and whether more is read."""

    def __init__(self, transport: IPushProducer, listener: Receiving, deadline: Deadline) -> None:
        self._transport = transport
        self._listener = listener
        self._deadline = deadline
        self._framer = Framer(listener.limits.frame)
        self._silence = Silence(
            listener.clock.callLater, listener.settings.end_silence_ms / 1000, self._end_at_fs
        )
        self._pieces: deque[Found] = deque()
        #: set while a piece is waited for
        self._arrival: asyncio.Future[None] | None = None
        self._reading = True
        #: bytes of a frame under way are held, and this sender must wait until others end
        self._holding = False
        self._waiting = False
        #: no piece will be added
        self.ended = False

    async def next(self) -> Found | None:
        """The next piece, waited for; None when there will be none."""
        if not self._pieces and not self.ended:
            self._arrival = asyncio.get_running_loop().create_future()
            self.read()
            self.allow_next()
            await self._arrival
        self._deadline.lift()
        return self._pieces.popleft() if self._pieces else None

    def receive(self, data: bytes) -> None:
        """Take bytes as they came."""
        if not self.ended:
            begun = self._framer.partial
            self._take(self._framer.feed(data), begun)
            self._await_silence()

    def break_off(self) -> None:
        """Nothing follows: keep the frame that has ended, or what never will."""
        self._pieces.extend(self._framer.finish())

    def drop(self) -> None:
        """Read no further, and forget what waits."""
        self.stop_reading()
        self._pieces.clear()
        self.end()

    def end(self) -> None:
        """Add no piece any more; those that wait are still handed out."""
        self.ended = True
        self._silence.stop()
        if self._holding:
            self._holding = False
            self._listener.partials.hold(self, 0)
        self._wake()

    def read(self) -> None:
        """Read, where nothing is in the way of it."""
        if not (self._reading or self._waiting or self._listener.paused):
            self._reading = True
            self._transport.resumeProducing()
            self._await_silence()

    def stop_reading(self) -> None:
        """Leave what the sender sends with TCP."""
        if self._reading:
            self._reading = False
            self._transport.pauseProducing()
            self._await_silence()

    def read_if_awaited(self) -> None:
        """Read on, where the next piece is waited for."""
        if self._arrival is not None:
            self.read()
            self.allow_next()

    def allow_next(self) -> None:
        """Give the sender its time, where a piece of it is waited for."""
        if self._arrival is None:
            return
        if self._listener.paused or self._waiting:
            self._deadline.lift()
        else:
            self._deadline.allow_next(self._framer)

    # Partials calls these.

    def wait(self) -> None:
        """Leave the rest of the frame with TCP until others have ended."""
        self._waiting = True
        self.stop_reading()
        self._deadline.lift()

    def go_on(self) -> None:
        """Take the rest of it; its time begins anew."""
        self._waiting = False
        self.read_if_awaited()

    def _take(self, pieces: list[Found], begun: bool) -> None:
        """Queue what came; `begun` says whether something was under way before."""
        if pieces:
            if self._arrival is None or len(pieces) > 1:
                self.stop_reading()
            self._pieces.extend(pieces)
            self._wake()
        elif not (begun and self._framer.partial):
            self.allow_next()
        if self._holding or self._framer.inside:
            self._holding = self._framer.inside
            self._listener.partials.hold(self, self._framer.held if self._holding else 0)

    def _await_silence(self) -> None:
        """Wait for what follows an FS that came last, as long as anything can come."""
        if self._framer.fs_last and self._reading and not self.ended:
            self._silence.wait()
        else:
            self._silence.stop()

    def _end_at_fs(self) -> None:
        self._take(self._framer.end_at_fs(), begun=True)

    def _wake(self) -> None:
        if self._arrival is not None:
            self._arrival.set_result(None)
            self._arrival = None
