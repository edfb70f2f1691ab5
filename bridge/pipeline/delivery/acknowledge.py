"""Acknowledge: send the application acknowledgments of enhanced mode, once they are due.

What is owed is a row of the store, kept with its message; the store makes it due (`owe`). It is
written before it is sent, so that a second sending, after a crash or a lost connection, has the
same message control id and the same bytes. What is due by one route goes in the order in which the
messages came, and one route never waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from bridge.causes import Cause, CauseKind
from bridge.delivery import Kind, NetworkFault, Outcome, Reason
from bridge.errors import StoreError
from bridge.pipeline.delivery.application_answer import AnswerWriter
from bridge.pipeline.delivery.settle import LONGEST_WAIT_OF_ORDER, backoff
from bridge.pipeline.tasks import finish, rest
from bridge.settings import Settings
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment, goes_back
from bridge.store.contract import Store, Transaction

#: seconds between two looks for what is due
EVERY = 1.0
#: acknowledgments by one route in one transaction
BATCH = 32


class SenderConnections(Protocol):
    """Senders' own connections."""

    def reaches(self, route: str) -> bool: ...

    def send(self, message_id: int, route: str, body: bytes) -> bool: ...


class Engines(Protocol):
    """Listeners of the hospital's own."""

    async def send(self, address: str, body: bytes) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Stalled:
    """A route by which the last sending failed."""

    #: epoch seconds: since when, and until when nothing is sent by it
    since: float
    until: float
    failures: int
    reason: Reason
    fault: NetworkFault | None = None


class Acknowledge:
    """Sends until stopped."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        connections: SenderConnections,
        engines: Engines,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._writer = AnswerWriter(settings, clock, new_id)
        self._connections = connections
        self._engines = engines
        self._clock = clock
        self._woken = asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._stalled: dict[str, Stalled] = {}
        self._log = structlog.get_logger()

    def wake(self) -> None:
        """Something may be due, or a sender is there."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled; what is under way then is left to `stop`."""
        while True:
            self._woken.clear()
            try:
                self.once()
            except StoreError as error:
                self._log.error("store cannot be read", error=type(error).__name__)
            await rest(self._woken, EVERY)

    def once(self) -> None:
        """Begin with each route by which something is due and may be sent."""
        now = self._clock()
        for route in self._store.read(lambda view: view.due_routes()):
            if route not in self._under_way and self._is_ready(route, now):
                self._begin(route, self._carry(route))

    async def until_idle(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values())

    async def stop(self, grace: float) -> None:
        """Give what is under way this many seconds; what is not marked as sent is sent again."""
        await finish(self._under_way.values(), grace)

    def stalled(self) -> Mapping[str, Stalled]:
        """The addresses that take nothing at present."""
        return {route: each for route, each in self._stalled.items() if not goes_back(route)}

    def _is_ready(self, route: str, now: float) -> bool:
        if goes_back(route) and not self._connections.reaches(route):
            return False
        stalled = self._stalled.get(route)
        # A clock that was set back must not make it wait longer than ever.
        return stalled is None or not 0.0 < stalled.until - now <= LONGEST_WAIT_OF_ORDER

    def _begin(self, route: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._under_way[route] = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._ended(route))

    def _ended(self, route: str) -> None:
        del self._under_way[route]
        if route not in self._stalled:
            # It may have become due while the route was under way.
            self.wake()

    async def _carry(self, route: str) -> None:
        """Send what is due by one route, until nothing is or one cannot be sent."""
        try:
            while await self._some(route):
                pass
        except StoreError as error:
            self._log.error("store cannot be written", error=type(error).__name__)
            self._stall(route, Reason.BUSY)
        except Exception:  # noqa: BLE001 (a door: one route must not end the others)
            self._log.exception("an application acknowledgment failed")
            self._stall(route, Reason.UNEXPECTED)

    async def _some(self, route: str) -> bool:
        """Send a batch; whether there may be more."""
        due = await self._store.run(lambda tx: self._written(tx, route))
        ended: list[tuple[int, Outcome]] = []
        try:
            for each in due:
                outcome = await self._sent(each)
                ended.append((each.message_id, outcome))
                if outcome.kind not in (Kind.DELIVERED, Kind.PERMANENT):
                    break
        finally:
            if ended:
                await self._store.run(lambda tx: self._settle(tx, ended))
        return self._note(route, ended[-1][1] if ended else None)

    def _written(self, tx: Transaction, route: str) -> list[ApplicationAcknowledgment]:
        """What is due by a route, each with its bytes; none of what its sender does not want."""
        found = [self._writer.written(tx, each) for each in tx.due_acknowledgments(route, BATCH)]
        return [each for each in found if each is not None]

    async def _sent(self, due: ApplicationAcknowledgment) -> Outcome:
        route = due.owing.route
        if not goes_back(route):
            return await self._engines.send(route, due.body)
        if self._connections.send(due.message_id, route, due.body):
            return Outcome(Kind.DELIVERED, Reason.ACCEPTED)
        return Outcome(Kind.TRANSIENT, Reason.UNREACHABLE)

    def _settle(self, tx: Transaction, ended: Sequence[tuple[int, Outcome]]) -> None:
        for message_id, outcome in ended:
            state = _AFTER.get(outcome.kind, Answering.DUE)
            cause = None if state is Answering.SENT else _why(outcome)
            tx.change_acknowledgment(message_id, state, at=self._clock(), cause=cause)

    def _note(self, route: str, last: Outcome | None) -> bool:
        """Keep in mind how a route fares; whether to go on with it."""
        if last is None:
            return False
        if last.kind in (Kind.DELIVERED, Kind.PERMANENT):
            self._stalled.pop(route, None)
            return True
        self._stall(route, last.reason, last.fault)
        return False

    def _stall(self, route: str, reason: Reason, fault: NetworkFault | None = None) -> None:
        now, before = self._clock(), self._stalled.get(route)
        failures = before.failures + 1 if before else 1
        wait = min(backoff(failures), LONGEST_WAIT_OF_ORDER)
        since = before.since if before else now
        self._stalled[route] = Stalled(since, now + wait, failures, reason, fault)


#: what becomes of one by how its sending went; everything else is tried again
_AFTER: Mapping[Kind, Answering] = {
    Kind.DELIVERED: Answering.SENT,
    Kind.PERMANENT: Answering.ABANDONED,
}


def _why(outcome: Outcome) -> Cause:
    return Cause(CauseKind.REFUSED, name=outcome.reason, said=outcome.detail, by=outcome.verdict)
