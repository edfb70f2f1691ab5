"""Acknowledge: send the application acknowledgments of enhanced mode, once they are due.

What is owed is a row of the store, kept with its message; the store makes it due (`owe`). It is
written before it is sent, so that a second sending, after a crash or a lost connection, has the
same message control id and the same bytes. What is due on one line goes in the order in which the
messages came, and one line never waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from bridge.causes import Cause, CauseKind, explain, sentence
from bridge.delivery import Kind, NetworkFault, Outcome, Reason
from bridge.errors import DamagedMessage, StoreError
from bridge.hl7v2 import ack
from bridge.message import AckError, Acknowledgment, Status, Verdict
from bridge.pipeline.channels import channel_named, header_of
from bridge.pipeline.delivery.settle import LONGEST_WAIT_OF_ORDER, backoff
from bridge.pipeline.tasks import finish, rest
from bridge.settings import Settings
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment, goes_back
from bridge.store.contract import Store, Transaction
from bridge.store.records import KeptMessage

#: seconds between two looks for what is due
EVERY = 1.0
#: acknowledgments of one line in one transaction
BATCH = 32
#: an acknowledgment is ASCII
_PLAIN_QUOTES = str.maketrans("“”", '""')


class Callers(Protocol):
    """Senders' own connections."""

    def reaches(self, line: str) -> bool: ...

    def send(self, message_id: int, line: str, body: bytes) -> bool: ...


class Engines(Protocol):
    """Listeners of the hospital's own."""

    async def send(self, address: str, body: bytes) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Stalled:
    """A line on which the last sending failed."""

    #: epoch seconds: since when, and until when nothing is sent on it
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
        callers: Callers,
        engines: Engines,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._settings = settings
        self._callers = callers
        self._engines = engines
        self._clock = clock
        self._new_id = new_id
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
        """Begin on each line on which something is due and may be sent."""
        now = self._clock()
        for line in self._store.read(lambda view: view.due_lines()):
            if line not in self._under_way and self._is_ready(line, now):
                self._begin(line, self._carry(line))

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values())

    async def stop(self, grace: float) -> None:
        """Give what is under way this many seconds; what is not marked as sent is sent again."""
        await finish(self._under_way.values(), grace)

    def stalled(self) -> Mapping[str, Stalled]:
        """The addresses that take nothing at present."""
        return {line: each for line, each in self._stalled.items() if not goes_back(line)}

    def _is_ready(self, line: str, now: float) -> bool:
        if goes_back(line) and not self._callers.reaches(line):
            return False
        stalled = self._stalled.get(line)
        # A clock that was set back must not make it wait longer than ever.
        return stalled is None or not 0.0 < stalled.until - now <= LONGEST_WAIT_OF_ORDER

    def _begin(self, line: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._under_way[line] = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._ended(line))

    def _ended(self, line: str) -> None:
        del self._under_way[line]
        if line not in self._stalled:
            # It may have become due while the line was under way.
            self.wake()

    async def _carry(self, line: str) -> None:
        """Send what is due on one line, until nothing is or one cannot be sent."""
        try:
            while await self._some(line):
                pass
        except StoreError as error:
            self._log.error("store cannot be written", error=type(error).__name__)
            self._stall(line, Reason.BUSY)
        except Exception:  # noqa: BLE001 (a door: one line must not end the others)
            self._log.exception("an application acknowledgment failed")
            self._stall(line, Reason.UNEXPECTED)

    async def _some(self, line: str) -> bool:
        """Send a batch; whether there may be more."""
        due = await self._store.run(lambda tx: self._written(tx, line))
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
        return self._note(line, ended[-1][1] if ended else None)

    def _written(self, tx: Transaction, line: str) -> list[ApplicationAcknowledgment]:
        """What is due on a line, each with its bytes; none of what its sender does not want."""
        found = [self._answered(tx, each) for each in tx.due_acknowledgments(line, BATCH)]
        return [each for each in found if each is not None]

    def _answered(
        self, tx: Transaction, due: ApplicationAcknowledgment
    ) -> ApplicationAcknowledgment | None:
        if due.body:
            return due
        at = self._clock()
        try:
            kept = tx.message(due.message_id)
            if kept is not None and kept.body_gone:
                raise DamagedMessage(due.message_id)
        except DamagedMessage:
            cause = Cause(CauseKind.BRIDGE_FAULT, name=DamagedMessage.__name__)
            tx.change_acknowledgment(due.message_id, Answering.ABANDONED, at=at, cause=cause)
            return None
        assert kept is not None, "a row of the store refers to its message"
        told = application_answer(kept)
        if not ack.serves(due.owing.asked, told.code):
            tx.write_acknowledgment(due.message_id, told.code, b"")
            tx.change_acknowledgment(due.message_id, Answering.UNWANTED, at=at)
            return None
        tx.write_acknowledgment(due.message_id, told.code, self._bytes(kept, told, at))
        return tx.acknowledgment(due.message_id)

    def _bytes(self, kept: KeptMessage, told: Acknowledgment, at: float) -> bytes:
        channel = channel_named(self._settings, kept.message.channel)
        header = header_of(kept.message.body, channel)
        return ack.write(
            told._replace(control_id=header.control_id),
            header,
            at=at,
            control_id=self._new_id(),
            body=kept.message.body,
            accept=channel.application_acknowledgment.accept_acknowledgment,
        )

    async def _sent(self, due: ApplicationAcknowledgment) -> Outcome:
        line = due.owing.line
        if not goes_back(line):
            return await self._engines.send(line, due.body)
        if self._callers.send(due.message_id, line, due.body):
            return Outcome(Kind.DELIVERED, Reason.ACCEPTED)
        return Outcome(Kind.TRANSIENT, Reason.UNREACHABLE)

    def _settle(self, tx: Transaction, ended: Sequence[tuple[int, Outcome]]) -> None:
        for message_id, outcome in ended:
            state = _AFTER.get(outcome.kind, Answering.DUE)
            cause = None if state is Answering.SENT else _why(outcome)
            tx.change_acknowledgment(message_id, state, at=self._clock(), cause=cause)

    def _note(self, line: str, last: Outcome | None) -> bool:
        """Keep in mind how a line fares; whether to go on with it."""
        if last is None:
            return False
        if last.kind in (Kind.DELIVERED, Kind.PERMANENT):
            self._stalled.pop(line, None)
            return True
        self._stall(line, last.reason, last.fault)
        return False

    def _stall(self, line: str, reason: Reason, fault: NetworkFault | None = None) -> None:
        now, before = self._clock(), self._stalled.get(line)
        failures = before.failures + 1 if before else 1
        wait = min(backoff(failures), LONGEST_WAIT_OF_ORDER)
        since = before.since if before else now
        self._stalled[line] = Stalled(since, now + wait, failures, reason, fault)


#: what becomes of one by how its sending went; everything else is tried again
_AFTER: Mapping[Kind, Answering] = {
    Kind.DELIVERED: Answering.SENT,
    Kind.PERMANENT: Answering.ABANDONED,
}


def application_answer(kept: KeptMessage) -> Acknowledgment:
    """What the application says of a message, by what became of it (chapter 2.9.3).

    AE where its content stopped it; AR where the bridge failed, which says nothing of its content.
    """
    if kept.status is not Status.PARKED:
        return Acknowledgment("AA", "")
    if kept.cause is None:
        return Acknowledgment("AE", "")
    # What ZautoAI said of it may name the patient, whom the sender named first.
    text = sentence(kept.cause, reveal=True).translate(_PLAIN_QUOTES)
    error = AckError(kept.cause.path, explain(kept.cause).code, text)
    is_ours = kept.verdict is Verdict.BRIDGE
    return Acknowledgment("AR" if is_ours else "AE", "", text, (error,))


def _why(outcome: Outcome) -> Cause:
    return Cause(CauseKind.REFUSED, name=outcome.reason, said=outcome.detail, by=outcome.verdict)
