"""Lanes: whose turn it is, and when."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from bridge.delivery import Step, Target
from bridge.errors import StoreError
from bridge.message import Status
from bridge.store.contract import Store, Transaction
from tests.store.samples import a_call, because, full_call, keep, plan


async def claimed(store: Store, now: float = 1000.0, limit: int = 10) -> list[int]:
    """Claim what is ready; the ids of its deliveries."""
    return await store.run(lambda tx: [head.id for head in tx.claim(Target.ZAUTO, now, limit)])


async def planned(
    store: Store, count: int, lane: str = "patients/P1", at: float = 100.0
) -> list[int]:
    """Put deliveries for as many records into a lane; their ids."""
    calls = [a_call(f"{lane}-{number}") for number in range(count)]
    return await store.run(lambda tx: plan(tx, *calls, lane=lane, at=at))


async def settled(store: Store, delivery_id: int, status: Status = Status.DELIVERED) -> None:
    await store.run(lambda tx: tx.settle(delivery_id, status, at=1000.0, waits_for="X/1"))


async def test_a_claimed_delivery_is_the_one_that_was_added(store: Store) -> None:
    (delivery_id,) = await store.run(lambda tx: plan(tx, full_call(), lane="patients/P1", at=5.0))
    (head,) = await store.run(lambda tx: tx.claim(Target.ZAUTO, 5.0, 10))
    assert head.call == replace(full_call(), lineage=())
    assert (head.id, head.lane, head.position) == (delivery_id, "patients/P1", 0)
    assert (head.status, head.step, head.attempts) == (Status.WAITING, Step.APPLY, 0)
    assert (head.due_at, head.reason, head.waits_for) == (5.0, "", "")


async def test_one_delivery_of_a_lane_is_under_way(store: Store) -> None:
    first, second = await planned(store, 2)
    assert await claimed(store) == [first]
    assert await claimed(store) == []
    await settled(store, first)
    assert await claimed(store) == [second]
    await settled(store, second)
    assert await claimed(store) == []


async def test_lanes_run_side_by_side_longest_ready_first_up_to_the_limit(store: Store) -> None:
    late = await planned(store, 1, lane="late", at=300.0)
    early = await planned(store, 1, lane="early", at=100.0)
    middle = await planned(store, 1, lane="middle", at=200.0)
    assert await claimed(store, limit=2) == early + middle
    assert await claimed(store, limit=2) == late


async def test_what_is_added_to_a_lane_does_not_disturb_its_head(store: Store) -> None:
    (first,) = await planned(store, 1)
    assert await claimed(store) == [first]
    await store.run(lambda tx: tx.postpone(first, Step.VERIFY, due_at=2000.0, attempts=1))
    await planned(store, 1)
    assert await claimed(store, now=1999.0) == []
    assert await claimed(store, now=2000.0) == [first]


async def test_targets_have_lanes_of_their_own(store: Store) -> None:
    order = a_call(target=Target.HOSPITAL, resource="RDE^O11")
    first, second = await store.run(lambda tx: plan(tx, a_call(), order))
    assert await claimed(store) == [first]
    (head,) = await store.run(lambda tx: tx.claim(Target.HOSPITAL, 1000.0, 10))
    assert head.id == second


async def test_a_postponed_delivery_stays_head_with_its_next_step(store: Store) -> None:
    first, _ = await planned(store, 2)
    await claimed(store)
    await store.run(
        lambda tx: tx.postpone(first, Step.PUT, due_at=1060.0, attempts=3, cause=because("busy"))
    )
    assert await claimed(store, now=1059.0) == []
    (head,) = await store.run(lambda tx: tx.claim(Target.ZAUTO, 1060.0, 10))
    assert (head.id, head.step, head.attempts, head.reason) == (first, Step.PUT, 3, "busy")
    assert head.due_at == 1060.0


async def test_next_due_is_when_the_first_lane_that_can_run_is_ready(store: Store) -> None:
    async def next_due() -> float | None:
        return await store.run(lambda tx: tx.next_due(Target.ZAUTO))

    assert await next_due() is None
    (blocked,) = await planned(store, 1, lane="blocked", at=100.0)
    (postponed,) = await planned(store, 1, lane="postponed", at=100.0)
    assert await next_due() == 100.0
    await claimed(store)
    assert await next_due() is None
    await store.run(lambda tx: tx.postpone(postponed, Step.APPLY, due_at=1500.0, attempts=0))
    await store.run(lambda tx: tx.block(blocked, "providers/D1"))
    assert await next_due() == 1500.0


@pytest.mark.parametrize("aside", [Status.HELD, Status.PARKED])
async def test_what_is_held_or_parked_steps_aside(store: Store, aside: Status) -> None:
    first, second = await planned(store, 2)
    await claimed(store)
    await settled(store, first, aside)
    assert await claimed(store) == [second]


async def test_settling_what_is_not_the_head_leaves_the_lane_alone(store: Store) -> None:
    first, second, third = await planned(store, 3)
    await claimed(store)
    await settled(store, second, Status.SUPERSEDED)
    assert await claimed(store) == []
    await settled(store, first)
    assert await claimed(store) == [third]


async def test_a_released_delivery_takes_its_old_place(store: Store) -> None:
    first, second, third = await planned(store, 3)
    await claimed(store)
    await settled(store, first, Status.HELD)
    assert await store.run(lambda tx: tx.release("X/1", 1100.0)) == 1
    assert await claimed(store, now=1099.0) == []
    for expected in (first, second, third):
        assert await claimed(store, now=1100.0) == [expected]
        await settled(store, expected)


async def test_a_release_does_not_overtake_what_is_under_way(store: Store) -> None:
    first, second, third = await planned(store, 3)
    await claimed(store)
    await settled(store, first, Status.HELD)
    assert await claimed(store) == [second]
    await store.run(lambda tx: tx.release("X/1", 1000.0))
    assert await claimed(store) == []
    await settled(store, second)
    assert await claimed(store) == [first]
    await settled(store, first)
    assert await claimed(store) == [third]


async def test_a_release_does_not_overtake_what_may_still_take_effect(store: Store) -> None:
    first, second = await planned(store, 2)
    await claimed(store)
    await settled(store, first, Status.HELD)
    await claimed(store)
    await store.run(lambda tx: tx.postpone(second, Step.VERIFY, due_at=1060.0, attempts=1))
    await store.run(lambda tx: tx.release("X/1", 1000.0))
    assert await claimed(store, now=1059.0) == []
    assert await claimed(store, now=1060.0) == [second]


async def test_a_release_overtakes_what_only_waits_to_be_tried_again(store: Store) -> None:
    first, second = await planned(store, 2)
    await claimed(store)
    await settled(store, first, Status.HELD)
    await claimed(store)
    await store.run(lambda tx: tx.postpone(second, Step.APPLY, due_at=1060.0, attempts=0))
    await store.run(lambda tx: tx.release("X/1", 1000.0))
    assert await claimed(store) == [first]


async def test_a_release_wakes_a_lane_whose_last_delivery_was_held(store: Store) -> None:
    (only,) = await planned(store, 1)
    await claimed(store)
    await settled(store, only, Status.HELD)
    assert await store.run(lambda tx: tx.release("X/1", 1000.0)) == 1
    assert await claimed(store) == [only]


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.PARKED, Status.HELD])
async def test_a_blocked_lane_wakes_when_the_record_settles(store: Store, status: Status) -> None:
    (visit,) = await planned(store, 1, lane="patients/P1")
    (doctor,) = await store.run(
        lambda tx: plan(tx, a_call("D1", resource="providers"), lane="providers/D1")
    )
    assert await claimed(store) == [visit, doctor]
    await store.run(lambda tx: tx.block(visit, "providers/D1"))
    assert await claimed(store, now=9999.0) == []
    await settled(store, doctor, status)
    (head,) = await store.run(lambda tx: tx.claim(Target.ZAUTO, 1000.0, 10))
    assert (head.id, head.waits_for) == (visit, "")


async def test_a_blocked_delivery_says_what_it_waits_for(store: Store) -> None:
    (visit,) = await planned(store, 1)
    (head,) = await store.run(lambda tx: tx.claim(Target.ZAUTO, 1000.0, 10))
    await store.run(lambda tx: tx.block(visit, "providers/D1"))
    (found,) = store.read(lambda view: view.deliveries_of(head.message_id))
    assert (found.status, found.waits_for) == (Status.WAITING, "providers/D1")


async def test_settling_another_record_leaves_a_blocked_lane(store: Store) -> None:
    (visit,) = await planned(store, 1, lane="patients/P1")
    (other,) = await planned(store, 1, lane="patients/P2")
    await claimed(store)
    await store.run(lambda tx: tx.block(visit, "providers/D1"))
    await settled(store, other)
    assert await claimed(store) == []


async def test_only_the_head_can_be_postponed_or_blocked(store: Store) -> None:
    _, second = await planned(store, 2)
    await claimed(store)
    with pytest.raises(StoreError, match="not the head"):
        await store.run(lambda tx: tx.postpone(second, Step.APPLY, due_at=1.0, attempts=0))
    with pytest.raises(StoreError, match="not the head"):
        await store.run(lambda tx: tx.block(second, "providers/D1"))


async def test_settling_an_unknown_delivery_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no delivery 7"):
        await store.run(lambda tx: tx.settle(7, Status.DELIVERED, at=1.0))


async def test_ten_thousand_lanes_in_backoff_hide_none_that_is_ready(store: Store) -> None:
    def backoff(tx: Transaction) -> None:
        message_id = keep(tx).id
        for number in range(10_000):
            tx.add(message_id, number, f"lane {number}", a_call(), 1.0)
        for head in tx.claim(Target.ZAUTO, 1.0, 20_000):
            tx.postpone(head.id, Step.APPLY, due_at=5000.0, attempts=1)

    await store.run(backoff)
    (ready,) = await planned(store, 1, lane="ready", at=4000.0)
    assert await claimed(store, now=4000.0) == [ready]
    assert await store.run(lambda tx: tx.next_due(Target.ZAUTO)) == 5000.0


async def test_a_waiting_message_says_why_its_delivery_was_postponed(store: Store) -> None:
    first, _ = await planned(store, 2)
    await store.run(
        lambda tx: tx.postpone(first, Step.PUT, due_at=1060.0, attempts=3, cause=because("busy"))
    )
    (kept,) = store.read(lambda view: view.messages())
    assert (kept.status, kept.reason) == (Status.WAITING, "busy")


@pytest.mark.parametrize(
    "damage",
    [
        # another patient's delivery, which is done with, one that waits, and one that is none
        "UPDATE lane SET head = 1 WHERE lane = 'b'",
        "UPDATE lane SET head = 2 WHERE lane = 'b'",
        "UPDATE delivery SET lane = 'a' WHERE id = 3",
    ],
)
async def test_a_lane_whose_head_is_not_its_own_sends_nothing_of_another(
    url: str, store: Store, damage: str
) -> None:
    first, second, third, fourth = await store.run(
        lambda tx: [
            *plan(tx, a_call("P1"), a_call("P1"), lane="a"),
            *plan(tx, a_call("P2"), a_call("P2"), lane="b"),
        ]
    )
    await store.run(lambda tx: tx.claim(Target.ZAUTO, 100.0, 1))
    await store.run(lambda tx: tx.settle(first, Status.DELIVERED, at=101.0))
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
        assert file.execute(damage).rowcount == 1
    claimed = [await store.run(lambda tx: tx.claim(Target.ZAUTO, 102.0, 9)) for _ in range(3)]
    ids = [each.id for heads in claimed for each in heads]
    assert len(ids) == len(set(ids))
    assert first not in ids
    assert ids.count(second) == 1
    assert {third, fourth} & set(ids)
