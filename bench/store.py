"""How fast the store keeps, claims and settles: `python bench/store.py [--seconds 3]`.

Run it on a quiet machine, on the disk that will hold the store: the figures are mostly those of
its fsync, which the first line measures alone.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bridge import logs
from bridge.delivery import (
    Call,
    Delivery,
    Interaction,
    Kind,
    Outcome,
    Reason,
    Request,
    Step,
    Target,
)
from bridge.lineage import Origin
from bridge.message import Message, Protocol, Status
from bridge.store.contract import Store, Transaction
from bridge.store.open import open_store

BODY_SIZE = 1024
LANES_IN_BACKOFF = 10_000
ACKNOWLEDGMENT = b"A" * 110
ANSWERED = Outcome(Kind.DELIVERED, Reason.ACCEPTED, 200)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    #: seconds each took, in any order
    times: list[float]
    #: seconds all took together
    elapsed: float

    def __str__(self) -> str:
        ordered = sorted(self.times)
        p50, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
        rate = len(ordered) / self.elapsed
        return f"{self.what:<46}{rate:>10,.0f}/s{p50:>10.3f}{p99:>10.3f}{ordered[-1] * 1e3:>10.3f}"


class Keeping:
    """Keeps messages that differ in their control id, as a listener does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._count = 0

    async def __call__(self) -> None:
        self._count += 1
        control_id = f"B{self._count:019}"
        body = control_id.encode().ljust(BODY_SIZE, b"x")
        identity = control_id.encode() + hashlib.blake2b(body, digest_size=16).digest()
        message = Message(
            "default", Protocol.HL7V2, "ADT^A04", control_id, "HIS", "HOSPITAL", time.time(), body
        )
        await self._store.run(
            lambda tx: tx.keep(
                message,
                status=Status.WAITING,
                answer_code="AA",
                acknowledgment=ACKNOWLEDGMENT,
                identity=identity,
            )
        )


async def measure(
    what: str, work: Callable[[], Awaitable[None]], waiters: int, seconds: float
) -> Row:
    """Let this many waiters do the work over and over."""
    times: list[float] = []
    start = time.perf_counter()

    async def wait_and_repeat() -> None:
        while (begun := time.perf_counter()) < start + seconds:
            await work()
            times.append(time.perf_counter() - begun)

    await asyncio.gather(*(wait_and_repeat() for _ in range(waiters)))
    return Row(what, times, time.perf_counter() - start)


def fsyncs(folder: Path, seconds: float) -> Row:
    """The disk alone: append 4 KB and fdatasync."""
    times = []
    start = time.perf_counter()
    with (folder / "fsync").open("wb", buffering=0) as file:
        while (begun := time.perf_counter()) < start + seconds:
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    return Row("4 KB append and fdatasync", times, time.perf_counter() - start)


def a_call(number: int) -> Call:
    """A call of the usual size, lineage included."""
    lineage = tuple(
        Origin(f"field{n}", f"PID-{n}[1].1", "value", f"parts/patient.yaml:{n}") for n in range(12)
    )
    return Call(
        Target.ZAUTO,
        Interaction.UPSERT,
        "patients",
        f"P{number}",
        {f"field{n}": "value" for n in range(12)},
        lineage=lineage,
    )


def planned(tx: Transaction, message_id: int, due_at: float) -> None:
    """Give a message one delivery, alone in its lane."""
    tx.add(message_id, 0, f"patients/P{message_id}", a_call(message_id), due_at)
    tx.mark(message_id, Status.WAITING, at=due_at)


async def backoff(store: Store, lanes: range) -> None:
    """Put a lane for each of these messages into backoff, ten minutes from now."""
    later = time.time() + 600

    def postpone(tx: Transaction) -> None:
        for message_id in lanes:
            planned(tx, message_id, 0.0)
        for head in tx.claim(Target.ZAUTO, 1.0, len(lanes)):
            tx.postpone(head.id, Step.APPLY, due_at=later, attempts=1)

    await store.run(postpone)


class Delivering:
    """Plans, claims, begins and settles one delivery, in three commits as the pipeline does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last = 0

    async def __call__(self) -> None:
        self._last += 1
        message_id, now = self._last, time.time()
        await self._store.run(lambda tx: planned(tx, message_id, now))
        head, attempt_id = await self._store.run(self._claim)
        await self._store.run(lambda tx: self._settle(tx, head, attempt_id))

    def _claim(self, tx: Transaction) -> tuple[Delivery, int]:
        (head,) = tx.claim(Target.ZAUTO, time.time(), 1)
        request = Request("PUT", "patients", head.call.external_id, head.call.payload)
        return head, tx.begin(head, request, time.time())

    def _settle(self, tx: Transaction, head: Delivery, attempt_id: int) -> None:
        tx.end(attempt_id, ANSWERED, time.time())
        tx.settle(head.id, Status.DELIVERED, at=time.time())


def reading(store: Store, seconds: float) -> Row:
    """What a status page asks for, over and over."""
    times = []
    start = time.perf_counter()
    while (begun := time.perf_counter()) < start + seconds:
        store.read(lambda view: (view.tally(), view.messages(limit=50)))
        times.append(time.perf_counter() - begun)
    return Row("tally and the newest 50 messages", times, time.perf_counter() - start)


async def everything(folder: Path, seconds: float) -> None:
    print(f"{'':<46}{'rate':>12}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}")
    print(fsyncs(folder, seconds))
    store = open_store(f"sqlite:///{folder}/bench.db", free_bytes=0, clock=time.time)
    keep = Keeping(store)
    for waiters in (1, 8, 32, 128):
        print(await measure(f"keep 1 KB, {waiters} waiting", keep, waiters, seconds))
    deliver = Delivering(store)
    print(await measure("plan, claim, settle, 32 lanes", deliver, 32, seconds))
    newest = store.read(lambda view: view.messages(limit=1))[0].id
    await backoff(store, range(newest - LANES_IN_BACKOFF, newest))
    print(await measure(f"the same, {LANES_IN_BACKOFF:,} more in backoff", deliver, 32, seconds))
    print(reading(store, seconds))
    kept = sum(store.read(lambda view: view.tally()).messages.values())
    await store.close()
    size = (folder / "bench.db").stat().st_size
    print(f"{kept:,} messages, {size / 2**20:,.0f} MiB")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=3.0, help="how long each line measures")
    options.add_argument("--folder", type=Path, help="where to put the store (default: a new one)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        asyncio.run(everything(Path(folder), given.seconds))


if __name__ == "__main__":
    logs.configure("WARNING")
    main()
