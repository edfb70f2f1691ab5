"""Waits for a next attempt that a person ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.causes import Cause, CauseKind
from bridge.delivery import Call, Reason, Step, Target
from bridge.store.contract import Store
from tests.store.samples import a_call, plan
from tests.store.test_lanes import claimed, planned


async def waiting(
    store: Store, lane: str, step: Step, cause: Cause | None, call: Call | None = None
) -> int:
    """A delivery whose next attempt is due at 2000."""
    (delivery_id,) = await store.run(lambda tx: plan(tx, call or a_call(lane), lane=lane, at=100.0))
    assert await claimed(store) == [delivery_id]
    await store.run(
        lambda tx: tx.postpone(delivery_id, step, due_at=2000.0, attempts=1, cause=cause)
    )
    return delivery_id


@pytest.mark.parametrize(
    ("step", "cause", "ends"),
    [
        (Step.APPLY, Cause(CauseKind.RETRY, name=Reason.UNREACHABLE), True),
        (Step.POST, Cause(CauseKind.SENDING_AGAIN), True),
        (Step.IDENTIFY, None, True),
        (Step.VERIFY, Cause(CauseKind.RETRY, name=Reason.UNREACHABLE), True),
        (Step.VERIFY, Cause(CauseKind.RETRY, name=Reason.LIMITED), True),
        (Step.VERIFY, Cause(CauseKind.PAUSED, resource="patients"), True),
        # the request may still take effect
        (Step.VERIFY, Cause(CauseKind.RETRY, name=Reason.NO_ANSWER), False),
        (Step.VERIFY, Cause(CauseKind.RETRY, name=Reason.SERVER_ERROR), False),
        (Step.VERIFY, Cause(CauseKind.RETRY), False),
        (Step.VERIFY, None, False),
    ],
)
async def test_a_wait_ends_unless_it_is_a_quiet_time(
    store: Store, step: Step, cause: Cause | None, ends: bool
) -> None:
    delivery_id = await waiting(store, "patients/P1", step, cause)
    assert await store.run(lambda tx: tx.end_waits(Target.HOSPITAL, 1000.0)) == 0
    assert await store.run(lambda tx: tx.end_waits(Target.ZAUTO, 1000.0)) == int(ends)
    assert await claimed(store) == ([delivery_id] if ends else [])


async def test_waits_end_of_one_resource_or_of_what_is_paused(store: Store) -> None:
    retry, paused = Cause(CauseKind.RETRY, name="no answer"), Cause(CauseKind.PAUSED)
    visit = replace(a_call("V1"), resource="patient-visits")
    patient = await waiting(store, "patients/P1", Step.APPLY, retry)
    other = await waiting(store, "patients/P2", Step.APPLY, retry, visit)
    third = await waiting(store, "patients/P3", Step.APPLY, paused)
    await store.run(lambda tx: tx.end_waits(Target.ZAUTO, 1000.0, paused_only=True))
    assert await claimed(store) == [third]
    await store.run(lambda tx: tx.end_waits(Target.ZAUTO, 1000.0, resource="patient-visits"))
    assert await claimed(store) == [other]
    await store.run(lambda tx: tx.end_waits(Target.ZAUTO, 1000.0))
    assert await claimed(store) == [patient]


async def test_what_is_under_way_or_blocked_is_not_made_ready(store: Store) -> None:
    await planned(store, 1, "patients/P1")
    (second,) = await planned(store, 1, "patients/P2")
    await claimed(store)
    await store.run(lambda tx: tx.block(second, "providers/D1"))
    assert await store.run(lambda tx: tx.end_waits(Target.ZAUTO, 1000.0)) == 0
    assert await claimed(store) == []


async def test_only_the_waits_of_these_heads_end(store: Store) -> None:
    retry = Cause(CauseKind.RETRY, name=Reason.UNREACHABLE)
    first = await waiting(store, "patients/P1", Step.APPLY, retry)
    second = await waiting(store, "patients/P2", Step.APPLY, retry)
    quiet = await waiting(store, "patients/P3", Step.VERIFY, None)
    found = store.read(lambda view: list(view.waits(Target.ZAUTO, 1000.0)))
    assert {each.id: each.call for each in found} == {
        first: a_call("patients/P1"),
        second: a_call("patients/P2"),
    }
    assert store.read(lambda view: list(view.waits(Target.HOSPITAL, 1000.0))) == []
    heads = [second, quiet]
    assert await store.run(lambda tx: tx.end_waits_of(heads, Target.HOSPITAL, 1000.0)) == 0
    assert await store.run(lambda tx: tx.end_waits_of([], Target.ZAUTO, 1000.0)) == 0
    assert await store.run(lambda tx: tx.end_waits_of(heads, Target.ZAUTO, 1000.0)) == 1
    assert await claimed(store) == [second]
