"""What was decided of a delivery is carried out in the store."""

from __future__ import annotations

from bridge.causes import Cause, CauseKind
from bridge.delivery import Delivery, Step, Target
from bridge.message import Status
from bridge.pipeline.delivery.settle import Next, Postpone, Settle
from bridge.pipeline.delivery.transitions import Transitions
from tests.unit.pipeline.bench import Bench, a_patient

WAITS = Cause(CauseKind.WAITS_FOR_REFERENT, resource="patients")


async def after(bench: Bench, following: Next, ended: list[tuple[Target, Status]]) -> Delivery:
    transitions = Transitions(
        Target.ZAUTO, lambda: 1.5, lambda target, status: ended.append((target, status))
    )
    message_id = await bench.plan(a_patient())
    (delivery,) = bench.deliveries([message_id])
    now = bench.clock()
    await bench.store.run(lambda tx: transitions.make(tx, delivery, following, now))
    return bench.deliveries([message_id])[0]


async def test_a_wait_is_stretched_and_an_attempt_counted_where_it_may_have_been_seen(
    bench: Bench,
) -> None:
    ended: list[tuple[Target, Status]] = []
    waiting = await after(bench, Postpone(Step.VERIFY, 10, WAITS), ended)
    assert (waiting.status, waiting.step, waiting.attempts) == (Status.WAITING, Step.VERIFY, 1)
    assert waiting.due_at == bench.clock() + 15
    assert not ended


async def test_what_had_no_effect_counts_for_nothing(bench: Bench) -> None:
    waiting = await after(bench, Postpone(Step.APPLY, 1, WAITS, counts=False), [])
    assert waiting.attempts == 0


async def test_a_settled_delivery_is_counted_and_says_what_it_waits_for(bench: Bench) -> None:
    ended: list[tuple[Target, Status]] = []
    held = await after(bench, Settle(Status.HELD, WAITS, waits_for="patients/P9"), ended)
    assert (held.status, held.waits_for, held.cause) == (Status.HELD, "patients/P9", WAITS)
    assert ended == [(Target.ZAUTO, Status.HELD)]
