"""Application acknowledgments: when they become due, in what order, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bridge.errors import StoreError
from bridge.message import Status
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment, Owing
from bridge.store.contract import Store, Transaction
from tests.store.samples import a_call, a_keeping, a_message, because, keep

LATE = because("too late")

AT_ONCE = Owing("AL", "translation", "same/adt/HIS|LOTUS")
AFTER_DELIVERY = Owing("AL", "delivery", "10.1.2.3:2600")


async def owed(store: Store, owing: Owing = AT_ONCE, **changes: Any) -> int:
    return (await store.run(lambda tx: keep(tx, owing=owing, **changes))).id


def found(store: Store, message_id: int) -> ApplicationAcknowledgment:
    row = store.read(lambda view: view.acknowledgment(message_id))
    assert row is not None
    return row


def states(store: Store, *ids: int) -> list[Answering]:
    return [found(store, each).state for each in ids]


def due(store: Store, route: str = AT_ONCE.route, limit: int = 10) -> list[int]:
    rows = store.read(lambda view: view.due_acknowledgments(route, limit))
    return [each.message_id for each in rows]


async def translated(store: Store, message_id: int) -> list[int]:
    """Give the message two deliveries; their ids."""

    def job(tx: Transaction) -> list[int]:
        calls = [a_call("P1"), a_call("P2")]
        ids = [tx.add(message_id, n, f"patients/{n}", call, 1.0) for n, call in enumerate(calls)]
        tx.mark(message_id, Status.WAITING, at=110.0)
        return ids

    return await store.run(job)


async def test_a_message_that_asks_for_none_is_owed_none(store: Store) -> None:
    kept = await store.run(keep)
    assert store.read(lambda view: view.acknowledgment(kept.id)) is None
    assert store.read(lambda view: view.due_routes()) == []


async def test_what_is_owed_waits_for_its_message(store: Store) -> None:
    number = await owed(store)
    row = found(store, number)
    assert (row.owing, row.state, row.code, row.body, row.cause) == (
        AT_ONCE,
        Answering.OWED,
        "",
        b"",
        None,
    )
    assert row.changed_at == 100.0
    assert due(store) == []


async def test_it_is_owed_however_many_are_kept_together(store: Store) -> None:
    keepings = [a_keeping(n, owing=AT_ONCE if n % 2 else None) for n in range(20)]
    kept = await asyncio.gather(*(store.keep(each) for each in keepings))
    rows = [store.read(lambda view, n=each.id: view.acknowledgment(n)) for each in kept]
    assert [row is not None for row in rows] == [bool(n % 2) for n in range(20)]


async def test_translated_is_enough_for_one_and_delivered_for_the_other(store: Store) -> None:
    first, second = await owed(store), await owed(store, AFTER_DELIVERY)
    await translated(store, first)
    one, two = await translated(store, second)
    assert states(store, first, second) == [Answering.DUE, Answering.OWED]
    assert found(store, first).changed_at == 110.0
    await store.run(lambda tx: tx.settle(one, Status.DELIVERED, at=120.0))
    assert states(store, second) == [Answering.OWED]
    await store.run(lambda tx: tx.settle(two, Status.SUPPRESSED, at=121.0))
    assert states(store, second) == [Answering.DUE]
    assert found(store, second).changed_at == 121.0


@pytest.mark.parametrize("owing", [AT_ONCE, AFTER_DELIVERY])
@pytest.mark.parametrize("status", [Status.UNMAPPED, Status.PARKED, Status.SUPPRESSED])
async def test_whatever_else_ends_a_message_makes_it_due(
    store: Store, owing: Owing, status: Status
) -> None:
    number = await owed(store, owing)
    await store.run(lambda tx: tx.mark(number, status, at=110.0))
    assert due(store, owing.route) == [number]


@pytest.mark.parametrize("owing", [AT_ONCE, AFTER_DELIVERY])
async def test_a_message_that_is_done_when_it_is_kept_is_answered_at_once(
    store: Store, owing: Owing
) -> None:
    number = await owed(store, owing, status=Status.UNMAPPED)
    assert due(store, owing.route) == [number]


@pytest.mark.parametrize("owing", [AT_ONCE, AFTER_DELIVERY])
async def test_a_message_held_as_a_whole_is_answered_once_it_is_parked(
    store: Store, owing: Owing
) -> None:
    number = await owed(store, owing)
    await store.run(lambda tx: tx.mark(number, Status.HELD, at=110.0, waits_for="patients/P1"))
    assert states(store, number) == [Answering.OWED]
    await store.run(lambda tx: tx.park_long_held(110.0, "72", 500.0, 10))
    assert due(store, owing.route) == [number]


async def test_what_is_due_comes_line_by_line_in_the_order_of_the_messages(store: Store) -> None:
    ids = [await owed(store) for _ in range(3)]
    other = await owed(store, AFTER_DELIVERY)
    for number in (other, *reversed(ids)):
        await store.run(lambda tx, n=number: tx.mark(n, Status.PARKED, at=110.0))
    assert store.read(lambda view: sorted(view.due_routes())) == sorted(
        [AT_ONCE.route, AFTER_DELIVERY.route]
    )
    assert due(store) == ids
    assert due(store, limit=2) == ids[:2]
    assert due(store, AFTER_DELIVERY.route) == [other]


async def test_what_was_written_stays_whatever_is_recorded_later(store: Store) -> None:
    number = await owed(store, status=Status.UNMAPPED)

    def change(state: Answering, at: float, **more: Any) -> Callable[[Transaction], None]:
        return lambda tx: tx.change_acknowledgment(number, state, at=at, **more)

    await store.run(lambda tx: tx.write_acknowledgment(number, "AA", b"MSH|..."))
    await store.run(change(Answering.DUE, 130.0, cause=because("no answer")))
    assert found(store, number).changed_at == 100.0
    assert due(store) == [number]
    await store.run(change(Answering.SENT, 140.0))
    row = found(store, number)
    assert (row.state, row.code, row.body, row.cause, row.changed_at) == (
        Answering.SENT,
        "AA",
        b"MSH|...",
        None,
        140.0,
    )
    assert store.read(lambda view: view.due_routes()) == []


async def test_only_what_is_owed_can_change(store: Store) -> None:
    number = (await store.run(keep)).id
    with pytest.raises(StoreError, match="application acknowledgment"):
        await store.run(lambda tx: tx.change_acknowledgment(number, Answering.SENT, at=1.0))


async def test_what_was_sent_is_not_due_again_when_its_message_changes(store: Store) -> None:
    number = await owed(store)
    one, two = await translated(store, number)
    await store.run(lambda tx: tx.change_acknowledgment(number, Answering.SENT, at=120.0))
    for each in (one, two):
        await store.run(lambda tx, n=each: tx.settle(n, Status.PARKED, at=130.0))
    assert states(store, number) == [Answering.SENT]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Answering.SENT, Answering.DUE),
        (Answering.ABANDONED, Answering.DUE),
        (Answering.UNWANTED, Answering.UNWANTED),
        (Answering.OWED, Answering.OWED),
    ],
)
async def test_a_duplicate_asks_again_for_what_its_sender_did_not_see(
    store: Store, before: Answering, after: Answering
) -> None:
    number = await owed(store, identity=b"same")
    await store.run(lambda tx: tx.write_acknowledgment(number, "AA", b"first"))
    await store.run(lambda tx: tx.change_acknowledgment(number, before, at=120.0))
    again = a_message(received_at=200.0)
    kept = await store.run(lambda tx: keep(tx, again, identity=b"same", owing=AT_ONCE))
    assert kept.duplicate
    assert states(store, number) == [after]
    assert found(store, number).body == b"first"


async def test_what_is_due_too_long_is_given_up(store: Store) -> None:
    old, new = await owed(store), await owed(store)
    await store.run(lambda tx: tx.mark(old, Status.PARKED, at=110.0))
    await store.run(lambda tx: tx.mark(new, Status.PARKED, at=111.0))
    waits = await owed(store)
    count = await store.run(lambda tx: tx.abandon_acknowledgments(110.0, LATE, 500.0))
    assert count == 1
    assert states(store, old, new, waits) == [Answering.ABANDONED, Answering.DUE, Answering.OWED]
    assert (found(store, old).cause, found(store, old).changed_at) == (LATE, 500.0)


async def test_they_are_counted_by_state(store: Store) -> None:
    ids = [await owed(store) for _ in range(3)]
    await store.run(lambda tx: tx.mark(ids[0], Status.PARKED, at=110.0))
    await store.run(lambda tx: tx.mark(ids[1], Status.PARKED, at=110.0))
    await store.run(lambda tx: tx.change_acknowledgment(ids[1], Answering.SENT, at=120.0))
    assert store.read(lambda view: view.tally()).acknowledgments == {
        Answering.OWED: 1,
        Answering.DUE: 1,
        Answering.SENT: 1,
    }


async def test_they_are_there_after_a_restart(store: Store, reopen: Callable[[], Store]) -> None:
    number = await owed(store, status=Status.UNMAPPED)
    await store.close()
    again = reopen()
    assert due(again) == [number]
    await again.close()
