"""Deliver: claim what is due, have it sent, settle it by its outcome.

One `Deliver` a far end. Each arrow of a delivery's life is one committed transaction, and an
attempt is written down before its first byte leaves; so a crash leaves either an untouched
delivery or an unanswered attempt, which `Transaction.recover` sends to be verified.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from bridge.delivery import Delivery, Outcome, Request, Target
from bridge.errors import StoreError
from bridge.metrics import Metrics
from bridge.store.contract import Store, Transaction

#: heads looked at in one transaction: keeps senders from waiting long behind it
HEADS_A_TRANSACTION = 32
#: seconds between looks when nothing is known to be due
IDLE_SECONDS = 30.0
#: seconds before a settlement the store could not take is tried again
STORE_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Attempted:
    """A delivery whose request is written down and may now be sent."""

    delivery: Delivery
    request: Request
    attempt_id: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many requests may leave now, or how long to wait before asking again."""

    requests: int
    wait: float = IDLE_SECONDS


class FarEnd(Protocol):
    """What deliver needs of a far end."""

    @property
    def target(self) -> Target: ...

    def allowance(self, now: float, free: int) -> Allowance:
        """How many of `free` requests may leave now."""
        ...

    def head(self, tx: Transaction, delivery: Delivery, now: float) -> Request | None:
        """The request for the head of a lane; None when it was settled or set aside in `tx`."""
        ...

    async def send(self, attempted: Attempted) -> Outcome: ...

    def settle(self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float) -> None:
        """Write down how the request went and what the delivery does next."""
        ...


class Deliver:
    """Carries the deliveries of one far end until stopped."""

    def __init__(
        self,
        store: Store,
        end: FarEnd,
        *,
        concurrency: int,
        clock: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._end = end
        self._concurrency = concurrency
        self._clock = clock
        self._metrics = metrics
        self._woken = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger().bind(target=str(end.target))
        self.paused = False

    def wake(self) -> None:
        """Look for work now: something was planned, settled or resumed."""
        self._woken.set()

    async def run(self) -> None:
        """Carry deliveries until cancelled; those under way then are left to `stop`."""
        while True:
            self._woken.clear()
            wait = await self.once()
            if wait > 0:
                await self._rest(wait)

    async def once(self) -> float:
        """Start what may start now; returns seconds until it is worth looking again."""
        free = self._concurrency - len(self._under_way)
        if self.paused or free <= 0:
            return IDLE_SECONDS
        now = self._clock()
        allowance = self._end.allowance(now, free)
        if allowance.requests <= 0:
            return allowance.wait
        try:
            claimed, due = await self._store.run(lambda tx: self._claim(tx, now, allowance))
        except StoreError as error:
            self._log.error("store cannot be written", error=type(error).__name__)
            return STORE_RETRY_SECONDS
        for attempted in claimed:
            task = asyncio.create_task(self._carry(attempted))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        if len(claimed) == allowance.requests:
            return 0.0
        return IDLE_SECONDS if due is None else max(0.0, min(due - self._clock(), IDLE_SECONDS))

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def stop(self, grace: float) -> None:
        """Give what is under way this many seconds, then abandon it to recovery."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return

    def _claim(
        self, tx: Transaction, now: float, allowance: Allowance
    ) -> tuple[list[Attempted], float | None]:
        claimed: list[Attempted] = []
        seen = 0
        while len(claimed) < allowance.requests and seen < HEADS_A_TRANSACTION:
            heads = tx.claim(self._end.target, now, allowance.requests - len(claimed))
            if not heads:
                break
            seen += len(heads)
            for delivery in heads:
                request = self._end.head(tx, delivery, now)
                if request is not None:
                    attempt_id = tx.begin(delivery, request, now)
                    claimed.append(Attempted(delivery, request, attempt_id))
        return claimed, tx.next_due(self._end.target)

    async def _carry(self, attempted: Attempted) -> None:
        started = self._clock()
        outcome = await self._end.send(attempted)
        request = attempted.request
        self._metrics.called(
            request.method, request.resource, outcome.reason, self._clock() - started
        )
        await self._settle(attempted, outcome)
        self.wake()

    async def _settle(self, attempted: Attempted, outcome: Outcome) -> None:
        """Settle, however long the store takes to come back: the outcome must not be lost."""
        while True:
            try:
                await self._store.run(
                    lambda tx: self._end.settle(tx, attempted, outcome, self._clock())
                )
            except StoreError as error:
                self._log.error("store cannot be written", error=type(error).__name__)
                await asyncio.sleep(STORE_RETRY_SECONDS)
            else:
                return
