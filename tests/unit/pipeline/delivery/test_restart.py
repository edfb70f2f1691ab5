"""A stop of all calls outlives the service, and a person can end it."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.delivery import Outcome, Reason, Request, Target
from bridge.message import Status
from bridge.pipeline.delivery.pauses import Pauses, Selection
from bridge.pipeline.delivery.pausing import PAUSED_SECONDS
from bridge.pipeline.delivery.poison import POISON
from bridge.pipeline.delivery.timekeeper import redate_at_start
from bridge.settings import CallLimits
from bridge.zauto.answers import Answer, judge
from bridge.zauto.budget import Budget
from tests.unit.pipeline.bench import Bench, a_patient, a_provider
from tests.unit.pipeline.remote import QUIET, Fault

PATIENTS = Pauses.of(Selection(resource="patients"))
LIMITS = [None, CallLimits(hour=1000, minute=100)]


@pytest.fixture(params=LIMITS, ids=["not limited", "limited"])
def bench(request: pytest.FixtureRequest, bench: Bench) -> Bench:
    bench.budget = Budget(request.param)
    bench.end = bench.far_end(limited=request.param is not None, client="one")
    bench.deliver = bench.carrier()
    return bench


def restart(bench: Bench, client: str = "one") -> None:
    """A new far end with what the store kept, as the service makes it at its start."""
    limits = CallLimits(hour=1000, minute=100) if is_limited(bench) else None
    bench.budget = Budget(limits)
    bench.end = bench.far_end(limited=limits is not None, client=client)
    bench.store.read(lambda view: bench.end.take_up(view, bench.clock()))
    bench.deliver = bench.carrier()
    bench.store.read(bench.deliver.health.take_up)


def is_limited(bench: Bench) -> bool:
    return bench.end.calls.ledger.kept


def kept_breakers(bench: Bench) -> Any:
    return bench.store.read(lambda view: view.breakers(Target.ZAUTO))


def answer_once(bench: Bench, status: int, **headers: str) -> None:
    """The next request is answered so, later ones as usual."""
    usual = bench.remote.send
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def send(request: Request) -> Outcome:
        bench.end._send = usual
        bench.remote.requests.append(request)
        return judge(request, Answer(status, named, b"{}", complete=True), now=bench.clock())

    bench.end._send = send


async def resumed(bench: Bench, resource: str = "", *, limited: bool = False) -> Any:
    now = bench.clock()
    return await bench.store.run(lambda tx: bench.end.resume(tx, now, resource, limited=limited))


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry_after": "120"}, 120),
        (429, {"x_ratelimit_reset": "30"}, 30),
        (429, {}, 60),
        (401, {}, 60),
        (302, {}, 60),
    ],
)
async def test_a_limiter_that_forgets_on_restart_is_caught(
    bench: Bench, status: int, headers: dict[str, str], seconds: float
) -> None:
    answer_once(bench, status, **headers)
    first = await bench.plan(a_patient())
    await bench.look()
    bench.clock.now += 1
    restart(bench)
    second = await bench.plan(a_patient("P2", uhid=4712))
    assert bench.end.breakers.all(bench.clock())[""].until == bench.clock.now + seconds - 1
    bench.clock.now += seconds - 2
    await bench.look()
    assert len(bench.remote.requests) == 1
    await bench.finish()
    assert {bench.status(first), bench.status(second)} == {Status.DELIVERED}


async def test_a_person_has_no_call_either_after_a_restart(bench: Bench) -> None:
    answer_once(bench, 429, retry_after="120")
    await bench.plan(a_patient())
    await bench.look()
    restart(bench)
    assert bench.end.calls.take(bench.clock()) == (120 if is_limited(bench) else 0)


async def test_a_stopped_resource_is_remembered_too(bench: Bench) -> None:
    answer_once(bench, 403)
    await bench.plan(a_patient())
    await bench.look()
    restart(bench)
    await bench.plan(a_patient("P2", uhid=4712))
    await bench.plan(a_provider())
    await bench.look()
    assert [request.resource for request in bench.remote.requests] == ["patients", "providers"]


@pytest.mark.parametrize(("status", "remembered"), [(429, True), (401, False), (302, False)])
async def test_other_credentials_are_not_refused_for_those_before(
    bench: Bench, status: int, remembered: bool
) -> None:
    answer_once(bench, status)
    await bench.plan(a_patient())
    await bench.look()
    restart(bench, client="another")
    assert bool(bench.end.breakers.all(bench.clock())) is remembered


async def test_what_went_well_is_forgotten_in_the_store_too(bench: Bench) -> None:
    answer_once(bench, 401)
    await bench.plan(a_patient())
    await bench.finish()
    assert kept_breakers(bench) == []


@pytest.mark.parametrize("back", [300.0, 86_400.0])
async def test_after_a_clock_jump_and_a_restart_the_wait_is_no_longer_than_it_was(
    bench: Bench, back: float
) -> None:
    answer_once(bench, 429, retry_after="120")
    await bench.plan(a_patient())
    await bench.look()
    bench.clock.now -= back
    restart(bench)
    assert bench.end.breakers.all(bench.clock())[""].until == bench.clock.now + 120


class TestResume:
    async def test_a_refused_token_is_tried_at_once(self, bench: Bench) -> None:
        answer_once(bench, 401)
        message_id = await bench.plan(a_patient())
        await bench.look()
        assert await resumed(bench) is None
        await bench.look()
        assert bench.status(message_id) is Status.DELIVERED
        assert kept_breakers(bench) == []

    async def test_a_wait_after_a_429_ends_with_a_reason_only(self, bench: Bench) -> None:
        answer_once(bench, 429, x_ratelimit_reset="600")
        message_id = await bench.plan(a_patient())
        await bench.look()
        kept = await resumed(bench)
        assert (kept.reason, kept.until) == (Reason.LIMITED, bench.clock.now + 600)
        await bench.look()
        assert len(bench.remote.requests) == 1
        assert await resumed(bench, limited=True) is None
        await bench.look()
        assert bench.status(message_id) is Status.DELIVERED

    async def test_that_it_ended_holds_over_a_restart(self, bench: Bench) -> None:
        answer_once(bench, 429, retry_after="600")
        message_id = await bench.plan(a_patient())
        await bench.look()
        await resumed(bench, limited=True)
        restart(bench)
        await bench.look()
        assert bench.status(message_id) is Status.DELIVERED

    async def test_one_resource_is_tried_alone(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.FORBIDDEN, Fault.FORBIDDEN])
        await bench.plan(a_patient())
        await bench.plan(a_provider())
        await bench.look()
        await resumed(bench, "providers")
        await bench.look()
        assert bench.methods()[2:] == ["POST providers"]

    async def test_what_may_still_take_effect_waits_until_that_is_known(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.LATE])
        message_id = await bench.plan(a_patient())
        await bench.look()
        await resumed(bench, limited=True)
        await bench.look()
        assert bench.methods() == ["POST patients"]
        await bench.finish()
        assert bench.status(message_id) is Status.DELIVERED
        assert bench.remote.creations["patients", "P1"] == 1


class TestPausedResource:
    async def test_its_calls_wait_and_others_go(self, bench: Bench) -> None:
        bench.end.pauses = PATIENTS
        message_id = await bench.plan(a_patient(), a_provider())
        await bench.look()
        await bench.look()
        assert bench.methods() == ["POST providers"]
        (patient,) = (
            each for each in bench.deliveries([message_id]) if each.call.external_id == "P1"
        )
        assert patient.reason == "calls for patients are paused"
        assert patient.due_at == bench.clock.now + PAUSED_SECONDS
        assert patient.attempts == 0

    async def test_resuming_does_not_wait(self, bench: Bench) -> None:
        bench.end.pauses = PATIENTS
        message_id = await bench.plan(a_patient())
        await bench.look()
        bench.end.pauses = Pauses()
        now = bench.clock()
        await bench.store.run(lambda tx: tx.end_waits(Target.ZAUTO, now, paused_only=True))
        await bench.look()
        assert bench.status(message_id) is Status.DELIVERED

    async def test_trying_now_does_not_end_the_pause(self, bench: Bench) -> None:
        bench.end.pauses = PATIENTS
        await bench.plan(a_patient())
        await bench.look()
        await resumed(bench, limited=True)
        await bench.look()
        assert bench.methods() == []


class TestKept:
    """What else the next start must know."""

    async def test_a_breaker_that_opens_again_stays_open_longer(self, bench: Bench) -> None:
        for seconds in (60, 120, 240):
            answer_once(bench, 403)
            if seconds == 60:
                await bench.plan(a_patient())
            await bench.look()
            restart(bench)
            (breaker,) = bench.end.breakers.all(bench.clock()).values()
            assert breaker.until == bench.clock() + seconds
            bench.clock.now = breaker.until
        assert breaker.times == 3

    async def test_a_wait_after_a_503_goes_on(self, bench: Bench) -> None:
        answer_once(bench, 503, retry_after="120")
        message_id = await bench.plan(a_patient())
        await bench.look()
        bench.clock.now += 1
        now = bench.clock()
        await bench.store.run(lambda tx: redate_at_start(tx, now, QUIET))
        restart(bench)
        bench.clock.now += 118
        await bench.look()
        assert len(bench.remote.requests) == 1
        await bench.finish()
        assert bench.status(message_id) is Status.DELIVERED

    async def test_failures_in_a_row_go_on_being_counted(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.UNREACHABLE] * 4)
        await bench.plan(a_patient())
        waits = []
        for _ in range(4):
            await bench.look()
            due = bench.store.read(lambda view: view.next_due(Target.ZAUTO))
            waits.append(due - bench.clock())
            bench.clock.now = due
            restart(bench)
        assert waits == [1, 2, 4, 8]
        await bench.look()
        (delivery,) = bench.deliveries([1])
        assert bench.store.read(lambda view: view.failures(delivery.id)) == 0

    async def test_one_request_at_a_time_is_enough_for_what_failed(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.UNREACHABLE])
        await bench.plan(a_patient())
        since = bench.clock()
        await bench.look()
        bench.clock.now += 100
        restart(bench)
        assert bench.deliver.health.trouble.since == since
        for number in range(3):
            await bench.plan(a_patient(f"P{number + 2}", uhid=number))
        await bench.deliver.once()
        assert len(bench.deliver._under_way) == 1
        await bench.deliver.until_idle()
        restart(bench)
        assert bench.deliver.health.trouble is None

    async def test_what_gets_no_clear_answer_is_parked_after_as_many_as_without(
        self, bench: Bench
    ) -> None:
        bench.remote.faults = iter([Fault.LOST])
        message_id = await bench.plan(a_patient())
        await bench.look()
        for number in range(POISON):
            assert bench.status(message_id) is Status.WAITING
            await bench.plan(a_patient(f"Q{number}", uhid=100 + number))
            await bench.look()
            restart(bench)
            bench.clock.now += 700
            bench.remote.faults = iter([Fault.LOST])
            await bench.look()
        assert bench.status(message_id) is Status.PARKED
        assert f"{POISON}" in bench.reason(message_id)

    async def test_an_endpoint_that_is_not_there_is_not_asked_again(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.LOST, Fault.NOT_THE_API])
        await bench.plan(a_patient())
        await bench.look()
        bench.clock.now += QUIET
        await bench.look()
        restart(bench)
        assert bench.end.endpoints.found_missing(bench.clock()) == ["read patients"]
        await bench.finish()
        assert [request.by_list for request in bench.remote.requests[1:3]] == [False, True]
