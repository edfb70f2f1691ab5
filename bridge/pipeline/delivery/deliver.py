"""Deliver: claim what is due, have it sent, settle it by its outcome.

One `Deliver` a far end. Each arrow of a delivery's life is one committed transaction, and an
attempt is written down before its first byte leaves; so a crash leaves either an untouched
delivery or an unanswered attempt, which `Transaction.recover` sends to be verified.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import structlog

from bridge.delivery import Delivery, Kind, Outcome, Reason, Request, Target
from bridge.errors import StoreError
from bridge.message import Status, Verdict
from bridge.metrics import Metrics
from bridge.pipeline.delivery.behind import park_behind
from bridge.pipeline.delivery.health import Health
from bridge.pipeline.delivery.settle import refused
from bridge.pipeline.tasks import finish, rest
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
    #: requests of this delivery in a row, before this one, that had no effect
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many requests may leave now, or how long to wait before asking again."""

    requests: int
    wait: float = IDLE_SECONDS


Job: TypeAlias = Callable[[Transaction], None]
#: what was claimed, and when the next lane is ready
Claimed: TypeAlias = tuple[list[Attempted], float | None]


class FarEnd(Protocol):
    """What deliver needs of a far end."""

    @property
    def target(self) -> Target: ...

    def allowance(self, now: float, free: int, under_way: int) -> Allowance:
        """How many of `free` requests may leave now, while others are under way."""
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
        self.health = Health(end.target)

    def wake(self) -> None:
        """Look for work now: something was planned, settled or resumed."""
        self._woken.set()

    async def run(self) -> None:
        """Carry deliveries until cancelled; those under way then are left to `stop`."""
        while True:
            self._woken.clear()
            wait = await self.once()
            if wait > 0:
                await rest(self._woken, wait)

    async def once(self) -> float:
        """Start what may start now; returns seconds until it is worth looking again."""
        # A destination that just failed is asked by one request at a time until it answers.
        free = (1 if self.health.fails else self._concurrency) - len(self._under_way)
        if self.paused or free <= 0:
            return IDLE_SECONDS
        now = self._clock()
        allowance = self._end.allowance(now, free, len(self._under_way))
        if allowance.requests <= 0:
            return allowance.wait
        try:
            claimed, due = await self._claimed(allowance)
        except StoreError as error:
            self._log.error("store cannot be written", error=type(error).__name__)
            return STORE_RETRY_SECONDS
        for attempted in claimed:
            task = asyncio.create_task(self._carry(attempted))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        if len(claimed) == allowance.requests:
            return 0.0
        return IDLE_SECONDS if due is None else max(0.0, min(due - self._clock(), IDLE_SECONDS))

    async def until_idle(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def stop(self, grace: float) -> None:
        """Give what is under way this many seconds, then abandon it to recovery."""
        await finish(self._under_way, grace)

    async def _claimed(self, allowance: Allowance) -> Claimed:
        try:
            # The time is read in the writer: the clock may have jumped before its turn.
            return await self._store.run(lambda tx: self._claim(tx, self._clock(), allowance))
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - one delivery must not end the service
            # A fault of ours at one head undid the claim of all: find the one, park it.
            self._log.exception("a claim failed")
            return await self._claimed_singly()

    async def _claimed_singly(self) -> Claimed:
        """Claim one lane, the one that was ready first; park its head if that is at fault."""
        heads: list[Delivery] = []

        def claim(tx: Transaction) -> Claimed:
            now = self._clock()
            heads[:] = tx.claim(self._end.target, now, 1)
            return self._begun(tx, heads, now), tx.next_due(self._end.target)

        try:
            return await self._store.run(claim)
        except StoreError:
            raise
        except Exception as error:
            if not heads:
                raise
            failed = self._failed(heads[0], error)
            await self._store.run(lambda tx: self._park(tx, heads[0], failed))
            return [], self._clock()

    def _claim(self, tx: Transaction, now: float, allowance: Allowance) -> Claimed:
        claimed: list[Attempted] = []
        seen = 0
        while len(claimed) < allowance.requests and seen < HEADS_A_TRANSACTION:
            heads = tx.claim(self._end.target, now, allowance.requests - len(claimed))
            if not heads:
                break
            seen += len(heads)
            claimed += self._begun(tx, heads, now)
        return claimed, tx.next_due(self._end.target)

    def _begun(self, tx: Transaction, heads: Sequence[Delivery], now: float) -> list[Attempted]:
        """Those of the heads that need a request, with it written down."""
        begun = []
        for delivery in heads:
            request = self._end.head(tx, delivery, now)
            if request is not None:
                attempt_id = tx.begin(delivery, request, now)
                failures = tx.failures(delivery.id)
                begun.append(Attempted(delivery, request, attempt_id, failures))
        return begun

    async def _carry(self, attempted: Attempted) -> None:
        started = self._clock()
        outcome = await self._sent(attempted)
        request = attempted.request
        self._metrics.called(
            request.method, request.resource, outcome.reason, self._clock() - started
        )
        await self._settle(attempted, outcome, self.health.note(outcome, started))

    def _ended(self, task: asyncio.Task[None]) -> None:
        # In this order: who looks for work must not count this one as under way.
        self._under_way.discard(task)
        self.wake()

    async def _sent(self, attempted: Attempted) -> Outcome:
        try:
            return await self._end.send(attempted)
        except Exception as error:  # noqa: BLE001 - else its lane stood still for ever
            return self._failed(attempted.delivery, error)

    async def _settle(
        self, attempted: Attempted, outcome: Outcome, keep_health: Job | None
    ) -> None:
        """Settle, however long the store takes to come back: the outcome must not be lost."""
        job = self._settling(attempted, outcome, keep_health)
        while True:
            try:
                return await self._store.run(job)
            except StoreError as error:
                self._log.error("store cannot be written", error=type(error).__name__)
                await asyncio.sleep(STORE_RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - as in `_sent`
                job = self._parking(attempted, self._failed(attempted.delivery, error))

    def _settling(self, attempted: Attempted, outcome: Outcome, keep_health: Job | None) -> Job:
        def settle(tx: Transaction) -> None:
            now = self._clock()
            self._end.settle(tx, attempted, outcome, now)
            if outcome.kind is Kind.TRANSIENT:
                tx.count_failure(attempted.delivery.id)
            elif attempted.failures:
                tx.end_failures(attempted.delivery.id)
            if keep_health is not None:
                keep_health(tx)

        return settle

    def _parking(self, attempted: Attempted, failed: Outcome) -> Job:
        def park(tx: Transaction) -> None:
            tx.end(attempted.attempt_id, failed, self._clock())
            self._park(tx, attempted.delivery, failed)

        return park

    def _failed(self, delivery: Delivery, error: Exception) -> Outcome:
        """A fault of ours as an outcome; the log names the place without patient data."""
        self._log.error("a delivery failed", delivery=delivery.id, exc_info=error)
        return Outcome(
            Kind.PERMANENT,
            Reason.UNEXPECTED,
            detail=type(error).__name__,
            verdict=Verdict.BRIDGE,
        )

    def _park(self, tx: Transaction, delivery: Delivery, failed: Outcome) -> None:
        tx.settle(
            delivery.id,
            Status.PARKED,
            at=self._clock(),
            cause=refused(failed),
        )
        park_behind(tx, delivery, self._clock())
