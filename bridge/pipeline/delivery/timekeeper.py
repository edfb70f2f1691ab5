"""Time that passes evenly, although the clock of the machine may be set.

`Timekeeper` gives seconds since the epoch that advance as the monotonic clock does, so that a wait
lasts as long as it should. When the machine's clock jumped (somebody set it, or the machine was
suspended, for which the monotonic clock stood still), `ClockWatch` moves what waits, in the store
and in memory, and only then takes up the new time. Until then nothing ends early or late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import structlog

from bridge.errors import StoreError
from bridge.pipeline.delivery.second_read import AGAIN_AFTER
from bridge.pipeline.tasks import repeat
from bridge.store.contract import Store, Transaction, View
from bridge.zauto.budget import STEP_SECONDS

#: seconds between the clocks from which on the difference is a jump
JUMP = 2.0
#: seconds between two looks at the clocks
EVERY = 1.0


class Timekeeper:
    """Epoch seconds, as the clock said at the start or at the last jump, plus what passed since."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._ahead = wall() - monotonic()

    def __call__(self) -> float:
        return self._ahead + self._monotonic()

    def jumped(self) -> float:
        """Seconds by which the machine's clock was set since the last `move`; 0.0 where it was
        not."""
        difference = self._wall() - self()
        return difference if abs(difference) > JUMP else 0.0

    def move(self, seconds: float) -> None:
        """Take up the time after a jump by so many seconds."""
        with self._lock:
            self._ahead += seconds


class Moving(Protocol):
    """What keeps times in memory."""

    def move(self, view: View, seconds: float) -> None:
        """The clock was set by so many seconds, and what the store keeps was moved."""
        ...

    def wake(self) -> None:
        """What was waited for may be due at another time now."""
        ...


class ClockWatch:
    """Looks at the clocks until cancelled."""

    def __init__(
        self, store: Store, clock: Timekeeper, moving: Moving, *, quiet_seconds: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._moving = moving
        self._quiet = quiet_seconds
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Look until cancelled."""
        await repeat(self.once, EVERY)

    async def once(self) -> None:
        """Move all that waits where the clock jumped."""
        seconds = self._clock.jumped()
        if not seconds:
            return
        moved = False

        def move(tx: Transaction) -> None:
            # In the writer, so that no other job sees the new time with the old waits.
            nonlocal moved
            redate(tx, self._clock() + seconds, seconds, self._quiet)
            moved = True
            self._clock.move(seconds)
            self._moving.move(tx, seconds)

        try:
            await self._store.run(move)
        except StoreError:
            if moved:
                self._clock.move(-seconds)
                self._store.read(lambda view: self._moving.move(view, -seconds))
            raise
        self._log.warning("clock was set", seconds=round(seconds, 1))
        self._moving.wake()


def redate(tx: Transaction, now: float, shift: float, quiet_seconds: float) -> None:
    """Move what waits to a time that jumped by `shift`; quiet times are waited out again."""
    tx.redate(
        now,
        shift=shift,
        step_seconds=STEP_SECONDS,
        quiet=quiet_seconds,
        again=AGAIN_AFTER * quiet_seconds,
    )


def redate_at_start(tx: Transaction, now: float, quiet_seconds: float) -> None:
    """The same after a start: nobody knows how the clock was set meanwhile, except where it is
    behind the latest time that was noted."""
    tx.forget_failures()
    redate(tx, now, min(now - tx.seen_at(), 0.0), quiet_seconds)
