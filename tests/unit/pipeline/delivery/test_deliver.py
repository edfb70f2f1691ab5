"""Carrying deliveries: what is written down when, and that nothing ends it or stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from bridge.delivery import Delivery, NetworkFault, Outcome, Reason, Request, Target
from bridge.errors import StoreBusy
from bridge.message import Status, Verdict
from bridge.metrics import Metrics
from bridge.pipeline.delivery.deliver import IDLE_SECONDS, STORE_RETRY_SECONDS, Deliver
from bridge.settings import CallLimits
from bridge.store.contract import Store, Transaction
from bridge.store.far_end import Trouble
from bridge.zauto.budget import Budget, Priority
from tests.unit.pipeline.bench import Bench, a_patient, a_visit
from tests.unit.pipeline.remote import QUIET, Fault

T = TypeVar("T")


class Failing:
    """A store whose next commits fail after the job has run, like a disk that is full."""

    def __init__(self, store: Store, failures: int = 0) -> None:
        self._store = store
        self.failures = failures

    async def run(self, job: Callable[[Transaction], T]) -> T:
        if self.failures:
            self.failures -= 1
            await self._undone(job)
        return await self._store.run(job)

    async def _undone(self, job: Callable[[Transaction], Any]) -> None:
        def undone(tx: Transaction) -> None:
            job(tx)
            raise StoreBusy("the disk is full")

        await self._store.run(undone)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def on_failing_store(bench: Bench, failures: int) -> Deliver:
    store = Failing(bench.store, failures)
    return Deliver(store, bench.end, concurrency=4, clock=bench.clock, metrics=Metrics())


async def test_an_attempt_is_written_down_before_the_request_leaves(bench: Bench) -> None:
    message_id = await bench.plan(a_patient())
    seen: list[Request] = []

    async def send(request: Request) -> Outcome:
        (delivery,) = bench.deliveries([message_id])
        (attempt,) = bench.store.read(lambda view: view.attempts_of(delivery.id))
        assert attempt.outcome is None
        seen.append(attempt.request)
        return await bench.remote.send(request)

    bench.end._send = send
    await bench.look()
    assert [request.method for request in seen] == ["POST"]
    assert bench.status(message_id) is Status.DELIVERED


async def test_paused_nothing_leaves(bench: Bench) -> None:
    await bench.plan(a_patient())
    bench.deliver.paused = True
    assert await bench.look() == IDLE_SECONDS
    assert bench.remote.requests == []
    bench.deliver.paused = False
    await bench.look()
    assert bench.methods() == ["POST patients"]


async def test_no_more_is_under_way_than_there_are_connections(bench: Bench) -> None:
    bench.deliver = bench.carrier(concurrency=2)
    for number in range(5):
        await bench.plan(a_patient(f"P{number}", uhid=number))
    assert await bench.deliver.once() == 0.0
    assert await bench.deliver.once() == IDLE_SECONDS
    await asyncio.sleep(0)
    assert len(bench.remote.requests) == 2
    await bench.deliver.until_idle()
    await bench.finish()
    assert len(bench.remote.records) == 5


async def test_who_is_woken_finds_the_connection_free(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.plan(a_patient())
    under_way = []
    monkeypatch.setattr(
        bench.deliver, "wake", lambda: under_way.append(len(bench.deliver._under_way))
    )
    await bench.look()
    assert under_way == [0]


async def test_calls_of_one_patient_leave_one_after_the_other(bench: Bench) -> None:
    await bench.plan(a_patient(), a_visit())
    await bench.look()
    assert bench.methods() == ["POST patients"]
    await bench.look()
    assert bench.methods() == ["POST patients", "POST patient-visits"]


async def test_it_sleeps_until_the_next_is_due(bench: Bench) -> None:
    await bench.plan(a_patient())
    bench.remote.faults = iter([Fault.LOST])
    await bench.look()
    assert await bench.look() == pytest.approx(min(QUIET, IDLE_SECONDS))


async def test_a_store_that_cannot_commit_a_claim_is_tried_again_soon(bench: Bench) -> None:
    await bench.plan(a_patient())
    deliver = on_failing_store(bench, 1)
    assert await deliver.once() == STORE_RETRY_SECONDS
    assert bench.remote.requests == []
    await deliver.once()
    await deliver.until_idle()
    assert bench.methods() == ["POST patients"]


async def test_a_claim_that_was_not_committed_takes_no_call_of_the_budget(bench: Bench) -> None:
    bench.budget = Budget(CallLimits(hour=10, minute=10))
    bench.end = bench.far_end()
    for number in range(4):
        await bench.plan(a_patient(f"P{number}", uhid=number))
    deliver = on_failing_store(bench, 5)
    for _ in range(5):
        await deliver.once()
    await deliver.once()
    await deliver.until_idle()
    assert len(bench.remote.requests) == 4
    assert bench.end.calls.state(bench.clock()).used == 0


async def test_an_outcome_is_settled_once_however_often_the_store_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.pipeline.delivery.deliver.STORE_RETRY_SECONDS", 0)
    message_id = await bench.plan(a_patient())
    bench.budget.take(bench.clock(), Priority.CREATE)  # somebody else's call
    deliver = on_failing_store(bench, 0)
    await deliver.once()
    deliver._store.failures = 3  # type: ignore[attr-defined]
    await deliver.until_idle()
    assert bench.methods() == ["POST patients"]
    assert bench.status(message_id) is Status.DELIVERED
    assert bench.end.calls.state(bench.clock()).used == 1


@pytest.mark.parametrize("step", ["head", "_send", "settle"])
async def test_a_fault_of_ours_parks_its_delivery_and_no_other(
    bench: Bench, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = await bench.plan(a_patient("P13", uhid=13), a_visit("V13", "P13"))
    sound = [await bench.plan(a_patient(f"P{number}", uhid=number)) for number in range(3)]
    _break(bench, step, monkeypatch)
    await bench.finish()
    assert [bench.status(number) for number in sound] == [Status.DELIVERED] * 3
    patient, visit = bench.deliveries([faulty])
    assert (patient.status, visit.status) == (Status.PARKED, Status.HELD)
    assert patient.reason == "the bridge failed (ZeroDivisionError)"
    kept = bench.store.read(lambda view: view.message(faulty))
    assert kept is not None
    assert kept.verdict is Verdict.BRIDGE
    assert bench.end.calls.state(bench.clock()).used == 0


def _break(bench: Bench, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one step of the far end fail for patient P13."""
    sound = getattr(bench.end, step)

    def at_fault(given: object) -> bool:
        delivery = getattr(given, "delivery", given)
        record = delivery.call if isinstance(delivery, Delivery) else delivery
        return getattr(record, "external_id", "") == "P13"

    def broken(*given: Any) -> Any:
        if any(at_fault(each) for each in given):
            raise ZeroDivisionError
        return sound(*given)

    monkeypatch.setattr(bench.end, step, broken)


async def test_what_is_under_way_at_a_stop_is_left_to_recovery(bench: Bench) -> None:
    message_id = await bench.plan(a_patient())
    never = asyncio.Event()

    async def send(request: Request) -> Outcome:
        await never.wait()
        raise AssertionError

    bench.end._send = send
    await bench.deliver.once()
    await asyncio.sleep(0)
    await bench.deliver.stop(grace=0)
    (delivery,) = bench.deliveries([message_id])
    (attempt,) = bench.store.read(lambda view: view.attempts_of(delivery.id))
    assert attempt.outcome is None
    assert await bench.store.run(lambda tx: tx.recover(bench.clock(), QUIET)) == 1


async def test_after_a_crash_an_unanswered_request_is_verified_before_it_is_repeated(
    bench: Bench,
) -> None:
    message_id = await bench.plan(a_patient())
    claimed = await bench.store.run(lambda tx: tx.claim(Target.ZAUTO, bench.clock(), 1))
    request = Request("POST", "patients", "P1", dict(claimed[0].call.payload))
    await bench.store.run(lambda tx: tx.begin(claimed[0], request, bench.clock()))
    await bench.remote.send(request)
    await bench.store.run(lambda tx: tx.recover(bench.clock(), QUIET))
    bench.end = bench.far_end()
    bench.deliver = bench.carrier()
    await bench.finish()
    assert bench.methods() == ["POST patients", "GET patients"]
    assert bench.status(message_id) is Status.DELIVERED


async def test_failures_without_effect_wait_longer_each_time(bench: Bench) -> None:
    await bench.plan(a_patient())
    bench.remote.faults = iter([Fault.UNREACHABLE] * 5)
    waits = []
    for _ in range(5):
        await bench.look()
        due = await bench.store.run(lambda tx: tx.next_due(Target.ZAUTO))
        assert due is not None
        waits.append(due - bench.clock())
        bench.clock.now = due
    assert waits == [1, 2, 4, 8, 16]
    await bench.finish()
    assert len(bench.remote.records) == 1


async def test_an_outage_parks_nothing(bench: Bench) -> None:
    message_id = await bench.plan(a_patient())
    bench.remote.faults = iter([Fault.LOST, *[Fault.GATEWAY] * 200])
    await bench.finish()
    assert bench.status(message_id) is Status.DELIVERED


async def test_a_far_end_in_trouble_is_known_from_its_first_failure_until_it_answers(
    bench: Bench,
) -> None:
    bench.remote.faults = iter([Fault.UNREACHABLE, Fault.UNREACHABLE])
    await bench.plan(a_patient())
    since = bench.clock()
    await bench.look()
    bench.clock.now += 100
    await bench.look()
    assert bench.deliver.health.trouble == Trouble(since, Reason.UNREACHABLE, NetworkFault.CLOSED)
    bench.clock.now += 100
    await bench.look()
    assert bench.deliver.health.trouble is None
