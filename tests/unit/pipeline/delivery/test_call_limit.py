"""The calls that the store counts: none that left is forgotten, and none is counted twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bridge.delivery import Outcome, Request, Target
from bridge.errors import StoreBusy
from bridge.pipeline.delivery.call_limit import CallLimit
from bridge.settings import CallLimits
from bridge.store.contract import Transaction
from bridge.zauto.budget import HOUR, Budget, Priority
from tests.unit.pipeline.bench import LATE, Bench, a_patient
from tests.unit.pipeline.remote import Fault

LIMITS = CallLimits(hour=20, minute=10)


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.budget = Budget(LIMITS)
    bench.end = bench.far_end()
    bench.deliver = bench.carrier()
    return bench


def counted(bench: Bench) -> int:
    """Calls that a next start would find."""
    counts = bench.store.read(lambda view: view.call_counts(Target.ZAUTO))
    return sum(calls for _, calls in counts.steps)


def another(bench: Bench) -> CallLimit:
    """Another process on the same store, or the next one."""
    calls = CallLimit(Budget(LIMITS), Target.ZAUTO, limited=True, late=LATE)
    bench.store.read(lambda view: calls.take_up(view, bench.clock()))
    return calls


async def leave(bench: Bench) -> None:
    """An HTTP request leaves, as the service has it counted."""
    calls = bench.end.calls
    if not calls.use_reserved():
        await bench.store.run(lambda tx: calls.ledger.count(tx, bench.clock()))


def asks(bench: Bench, requests: int) -> None:
    """Each call makes so many HTTP requests (a token, pages), if it reaches ZautoAI at all."""

    async def send(request: Request) -> Outcome:
        outcome = await bench.remote.send(request)
        for _ in range(requests):
            await leave(bench)
            bench.end.calls.spent(bench.clock(), {})
        return outcome

    bench.end._send = send


@pytest.mark.parametrize("requests", [1, 2, 5])
async def test_each_request_is_counted_once(bench: Bench, requests: int) -> None:
    asks(bench, requests)
    for number in range(2):
        await bench.plan(a_patient(f"P{number}", uhid=number))
    await bench.finish()
    assert len(bench.remote.requests) == 2
    assert counted(bench) == bench.end.calls.state(bench.clock()).used == 2 * requests


async def test_a_call_that_never_left_is_not_counted(bench: Bench) -> None:
    asks(bench, 0)
    bench.remote.faults = iter([Fault.UNREACHABLE] * 3)
    await bench.plan(a_patient())
    await bench.finish()
    assert counted(bench) == 0


@pytest.mark.parametrize("killed_after", [0, 1, 2])
async def test_killed_at_any_moment_what_left_is_known(bench: Bench, killed_after: int) -> None:
    """0: before the first byte; then with a token requested, and with the request made too."""
    never = asyncio.Event()

    async def send(request: Request) -> Outcome:
        for _ in range(killed_after):
            await leave(bench)
        await never.wait()
        raise AssertionError

    bench.end._send = send
    await bench.plan(a_patient())
    await bench.deliver.once()
    for _ in range(3):
        await bench.store.run(lambda tx: None)
    await bench.deliver.stop(grace=0)
    assert another(bench).state(bench.clock()).used == max(killed_after, 1)


async def test_a_claim_that_is_undone_counts_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks(bench, 1)
    run = bench.store.run

    async def undone(job: Callable[[Transaction], object]) -> object:
        def fail(tx: Transaction) -> None:
            job(tx)
            raise StoreBusy("the disk is full")

        return await run(fail)

    await bench.plan(a_patient())
    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "run", undone)
        for _ in range(3):
            await bench.deliver.once()
    assert counted(bench) == 0
    await bench.finish()
    assert counted(bench) == bench.end.calls.state(bench.clock()).used == 1


async def test_two_processes_share_one_limit(bench: Bench) -> None:
    one, other, now = another(bench), another(bench), bench.clock()
    went = 0
    for number in range(15):
        for calls in (one, other):
            wait = await bench.store.run(
                lambda tx, calls=calls, number=number: calls.take_for(
                    tx, number, Priority.VERIFY, now
                )
            )
            went += wait == 0.0
    assert went == counted(bench) == LIMITS.minute


async def test_what_was_called_more_than_an_hour_ago_is_no_row(bench: Bench) -> None:
    asks(bench, 1)
    for number in range(3):
        await bench.plan(a_patient(f"P{number}", uhid=number))
        await bench.finish()
        bench.clock.now += HOUR / 2 + LATE
    assert counted(bench) == 2


async def test_a_person_is_counted_before_anything_leaves(bench: Bench) -> None:
    assert bench.end.calls.take(bench.clock()) == 0.0
    await leave(bench)
    assert counted(bench) == 1


async def test_what_the_server_said_is_kept(bench: Bench) -> None:
    said = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "600"}
    asks(bench, 0)
    await bench.plan(a_patient())
    bench.end.calls.spent(bench.clock(), said)
    bench.end.calls.give_back()
    assert (
        await bench.store.run(
            lambda tx: bench.end.calls.reconcile(tx)  # as with every outcome
        )
        is None
    )
    assert another(bench).take(bench.clock()) == 600
    await bench.store.run(bench.end.calls.release)
    assert another(bench).take(bench.clock()) == 0.0


async def test_without_a_limit_nothing_is_counted(bench: Bench) -> None:
    bench.budget = Budget(None)
    bench.end = bench.far_end(limited=False)
    bench.deliver = bench.carrier()
    asks(bench, 2)
    await bench.plan(a_patient())
    await bench.finish()
    assert counted(bench) == 0
