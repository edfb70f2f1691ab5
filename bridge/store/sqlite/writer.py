"""The one thread that writes: takes all jobs that wait, and commits them together."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from bridge.errors import StoreBusy, StoreError
from bridge.store.contract import Transaction
from bridge.store.sqlite.space import Space
from bridge.store.sqlite.transaction import SqliteTransaction

T = TypeVar("T")
_Job = Callable[[Transaction], Any]


class _Waiting(NamedTuple):
    """A job, and who waits for its commit."""

    job: _Job
    future: asyncio.Future[Any]


class _Answer(NamedTuple):
    """What a job came to: a value, or an error."""

    value: Any = None
    error: BaseException | None = None


class _GroupLost(Exception):
    """SQLite gave up the whole transaction while one of its jobs ran."""


class Writer:
    """Group commit: one fsync for every job that waited while the last one ran.

    Everyone who waits must be in one event loop. The connection belongs to the thread from
    `start` to the end of `stop`.
    """

    def __init__(self, connection: sqlite3.Connection, space: Space) -> None:
        self._connection = connection
        self._space = space
        self._transaction = SqliteTransaction(connection)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store writer", daemon=True)
        self._stopping = False

    def start(self) -> None:
        self._thread.start()

    @property
    def pressure(self) -> int:
        return self._queue.qsize()

    def submit(self, job: Callable[[Transaction], T]) -> asyncio.Future[T]:
        """Hand in a job; the future is done after its commit. Raises StoreBusy once stopping."""
        if self._stopping:
            raise StoreBusy("The store is closing: nothing more is kept.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Waiting(job, future))
        return future

    async def stop(self) -> None:
        """Finish what waits, then end the thread."""
        if not self._stopping:
            self._stopping = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while group := self._next_group():
            _tell(group, self._commit(group))

    def _next_group(self) -> list[_Waiting]:
        """All jobs that wait, at least one; none when it is time to stop."""
        first = self._queue.get()
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

    def _commit(self, group: Sequence[_Waiting]) -> list[_Answer]:
        self._transaction.has_room = self._space.enough()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            answers = [self._run(waiting.job) for waiting in group]
            self._connection.execute("COMMIT")
        except (sqlite3.Error, _GroupLost) as error:
            self._undo()
            return [_Answer(error=_busy(error)) for _ in group]
        return answers

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
            answer = _Answer(error=_translated(error))
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
