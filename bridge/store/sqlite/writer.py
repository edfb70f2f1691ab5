"""The one thread that writes: takes all jobs that wait, and commits them together."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any, NamedTuple, TypeVar

from bridge.errors import StoreBusy, StoreError, StoreUnusable
from bridge.store.records import Keeping
from bridge.store.rules.transaction import RuledTransaction
from bridge.store.sqlite.commits import CommitHealth, refuses_all
from bridge.store.sqlite.space import Space
from bridge.store.sqlite.statements import SqliteStatements

T = TypeVar("T")
_Job = Callable[[RuledTransaction], Any]

#: messages kept by one statement at most, and the bytes such a message may have at most, because
#: SQLite copies what it is given
_AT_ONCE = 32
_SMALL = 64 * 1024

#: how often, and for how many seconds each, the writer waits for a group to become larger
_WAITS = 3
_WAIT_SECONDS = 0.0003


class _Waiting(NamedTuple):
    """A job, and who waits for its commit."""

    job: _Job
    future: asyncio.Future[Any]
    #: what the job keeps, where that is all it does
    keeping: Keeping | None

    @property
    def is_small_keeping(self) -> bool:
        """Whether it can be done together with others of its kind."""
        return self.keeping is not None and len(self.keeping.message.body) <= _SMALL


class _Answer(NamedTuple):
    """What a job came to: a value, or an error."""

    value: Any = None
    error: BaseException | None = None
    #: whether the store could keep nothing, so that it is not the job's own error
    refused: bool = False


class _GroupLost(Exception):
    """SQLite gave up the whole transaction while one of its jobs ran."""


class Writer:
    """Group commit: one fsync for every job that waited while the last one ran.

    Everyone who waits must be in one event loop. The connection belongs to the thread from
    `start` to the end of `stop`.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        space: Space,
        *,
        unreplaced: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        #: raises StoreUnusable where another file has taken the store's place
        self._unreplaced = unreplaced
        self._sleep = sleep
        self._space = space
        self._commits = CommitHealth(clock)
        self._transaction = RuledTransaction(SqliteStatements(connection))
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store writer", daemon=True)
        self._stopping = False
        #: how many jobs were committed together last
        self._last = 0

    def start(self) -> None:
        self._thread.start()

    @property
    def pressure(self) -> int:
        return self._queue.qsize()

    @property
    def failing_since(self) -> float | None:
        return self._commits.failing_since

    def submit(
        self, job: Callable[[RuledTransaction], T], keeping: Keeping | None = None
    ) -> asyncio.Future[T]:
        """Hand in a job; the future is done after its commit. Raises StoreBusy once stopping.

        `keeping` is what the job keeps, where it does nothing else.
        """
        if self._stopping:
            raise StoreBusy("The store is closing: nothing more is kept.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Waiting(job, future, keeping))
        return future

    async def stop(self) -> None:
        """Finish what waits, then end the thread."""
        if not self._stopping:
            self._stopping = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while group := self._next_group():
            self._last = len(group)
            _tell(group, self._commit(group))

    def _next_group(self) -> list[_Waiting]:
        """All jobs that wait, at least one; none when it is time to stop."""
        first = self._queue.get()
        if first is not None:
            self._gather()
        group = []
        while first is not None:
            group.append(first)
            try:
                first = self._queue.get_nowait()
            except queue.Empty:
                return group
        if group:
            self._queue.put(None)
        return group

    def _gather(self) -> None:
        """Wait, not a millisecond in all, until half as many are there as came together last.

        Who was answered together sends again together, but not in one moment. A commit costs as
        much as keeping twenty messages, and the loop needs the processor that it would take. Who
        sends alone is never kept waiting.
        """
        for _ in range(_WAITS):
            if 1 + self._queue.qsize() >= self._last // 2:
                return
            self._sleep(_WAIT_SECONDS)

    def _commit(self, group: Sequence[_Waiting]) -> list[_Answer]:
        self._transaction.has_room = self._space.enough()
        before = self._connection.total_changes
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            answers = list(self._answers(group))
            self._unreplaced()
            self._connection.execute("COMMIT")
        except (sqlite3.Error, _GroupLost, StoreUnusable) as error:
            self._undo()
            answers = [_Answer(error=_busy(error), refused=True) for _ in group]
        self._judge(answers, changes=self._connection.total_changes - before)
        return answers

    def _judge(self, answers: Sequence[_Answer], *, changes: int) -> None:
        """Note whether commits fail; one without a change writes nothing, so it shows nothing."""
        if any(answer.refused for answer in answers):
            self._commits.failed()
        elif changes:
            self._commits.worked()

    def _answers(self, group: Sequence[_Waiting]) -> Iterator[_Answer]:
        """Run the jobs in their order, messages that come one after the other together."""
        for small, run in groupby(group, lambda waiting: waiting.is_small_keeping):
            if not small:
                yield from (self._run(waiting.job) for waiting in run)
                continue
            while some := list(islice(run, _AT_ONCE)):
                yield from self._keep(some)

    def _keep(self, several: Sequence[_Waiting]) -> Iterable[_Answer]:
        """Keep messages at once; singly where that fails, so that each fails alone."""
        if len(several) > 1:
            keepings = [waiting.keeping for waiting in several if waiting.keeping is not None]
            at_once = self._run(lambda tx: tx.keep_all(keepings))
            if at_once.error is None:
                return map(_Answer, at_once.value)
        return [self._run(waiting.job) for waiting in several]

    def _run(self, job: _Job) -> _Answer:
        """Run one job so that it can be undone alone."""
        self._connection.execute("SAVEPOINT job")
        try:
            answer = _Answer(job(self._transaction))
        # Whatever a job raises belongs to who waits for it, and must not end the writer.
        except Exception as error:
            if not self._connection.in_transaction:
                raise _GroupLost(str(error)) from error
            self._connection.execute("ROLLBACK TO job")
            answer = _Answer(error=_translated(error), refused=refuses_all(error))
        self._connection.execute("RELEASE job")
        return answer

    def _undo(self) -> None:
        if not self._connection.in_transaction:
            return
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            # Already rolled back by SQLite itself; the next BEGIN shows whether it recovered.
            return


def _busy(error: Exception) -> StoreBusy:
    return StoreBusy(f"The store could not commit, nothing was kept: {error}.")


def _translated(error: Exception) -> Exception:
    """The error as the contract knows it."""
    match error:
        case sqlite3.OperationalError():
            return _busy(error)
        case sqlite3.Error():
            return StoreError(f"The store refused a change: {error}.")
        case StopIteration():
            # A future cannot carry it (PEP 479).
            return RuntimeError("A job raised StopIteration.")
    return error


def _tell(group: Sequence[_Waiting], answers: Sequence[_Answer]) -> None:
    """Wake everyone who waits, with one call into the event loop for the whole group."""
    for loop in {waiting.future.get_loop() for waiting in group}:
        try:
            loop.call_soon_threadsafe(_resolve, loop, group, answers)
        except RuntimeError:
            # The loop is closed: the commit stands, and nobody is left there to hear of it.
            continue


def _resolve(
    loop: asyncio.AbstractEventLoop, group: Sequence[_Waiting], answers: Sequence[_Answer]
) -> None:
    for waiting, answer in zip(group, answers, strict=True):
        if waiting.future.get_loop() is not loop or waiting.future.done():
            continue
        if answer.error is None:
            waiting.future.set_result(answer.value)
        else:
            waiting.future.set_exception(answer.error)
