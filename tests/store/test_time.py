"""What the store does because time passed: long holds, and records to be read again."""

from __future__ import annotations

from bridge.delivery import Step, Target
from bridge.message import Status, Verdict
from bridge.store.contract import Store, Transaction
from bridge.store.records import Again
from tests.store.samples import a_call, because, keep, plan

HOURS = "72"


def held(tx: Transaction, at: float) -> tuple[int, int]:
    """A delivery and a whole message that are held since then; the delivery's and message's ids."""
    (delivery_id,) = plan(tx, a_call("V1"), lane="patients/P1", at=at)
    tx.claim(Target.ZAUTO, at, 1)
    tx.settle(delivery_id, Status.HELD, at=at, cause=because("waits"), waits_for="patients/P1")
    message_id = keep(tx).id
    tx.mark(message_id, Status.HELD, at=at, cause=because("waits too"), waits_for="Patient/7")
    return delivery_id, message_id


class TestLongHeld:
    async def test_is_parked_with_its_reason_and_what_it_waited_for(self, store: Store) -> None:
        _, message_id = await store.run(lambda tx: held(tx, 100.0))
        assert await store.run(lambda tx: tx.park_long_held(100.0, HOURS, 500.0, 10)) == 2
        first, second = store.read(lambda view: (view.message(1), view.message(message_id)))
        assert first is not None
        assert second is not None
        assert (first.status, first.reason, first.waits_for, first.verdict) == (
            Status.PARKED,
            "waited for patients/P1, which did not come within 72 h",
            "patients/P1",
            Verdict.SENDER,
        )
        assert (second.status, second.reason) == (
            Status.PARKED,
            "waited for Patient/7, which did not come within 72 h",
        )
        assert store.read(lambda view: view.tally()).messages == {Status.PARKED: 2}

    async def test_is_left_alone_before_its_time_and_no_more_than_asked_for(
        self, store: Store
    ) -> None:
        for at in (100.0, 101.0, 102.0):
            await store.run(lambda tx, at=at: held(tx, at))
        assert await store.run(lambda tx: tx.park_long_held(99.0, HOURS, 500.0, 10)) == 0
        assert await store.run(lambda tx: tx.park_long_held(200.0, HOURS, 500.0, 1)) == 2
        assert await store.run(lambda tx: tx.park_long_held(101.0, HOURS, 500.0, 10)) == 2

    async def test_for_a_row_of_a_code_table_waits_as_long_as_it_takes(self, store: Store) -> None:
        _, message_id = await store.run(lambda tx: held(tx, 100.0))
        await store.run(
            lambda tx: tx.mark(message_id, Status.HELD, at=1.0, waits_for="codes/gender/W")
        )
        await store.run(lambda tx: tx.park_long_held(1_000.0, HOURS, 1_000.0, 10))
        kept = store.read(lambda view: view.message(message_id))
        assert kept is not None
        assert kept.status is Status.HELD

    async def test_that_was_released_is_held_no_more(self, store: Store) -> None:
        await store.run(lambda tx: held(tx, 100.0))
        await store.run(lambda tx: tx.release("patients/P1", 200.0))
        await store.run(lambda tx: tx.release("Patient/7", 200.0))
        assert await store.run(lambda tx: tx.park_long_held(1_000.0, HOURS, 1_000.0, 10)) == 0


class TestAgain:
    async def test_is_taken_out_once_when_it_is_due(self, store: Store) -> None:
        await store.run(lambda tx: tx.look_again("patients", "P1", 1, 600.0))
        assert await store.run(lambda tx: tx.take_again(599.0, 9_999.0, 10)) == []
        due = await store.run(lambda tx: tx.take_again(600.0, 9_999.0, 10))
        assert due == [Again("patients", "P1", 1, 600.0)]
        assert await store.run(lambda tx: tx.take_again(600.0, 9_999.0, 10)) == []

    async def test_is_put_off_by_what_comes_later_of_the_same_record(self, store: Store) -> None:
        await store.run(lambda tx: tx.look_again("patients", "P1", 1, 600.0))
        await store.run(lambda tx: tx.look_again("patients", "P1", 2, 700.0))
        due = await store.run(lambda tx: tx.take_again(800.0, 9_999.0, 10))
        assert due == [Again("patients", "P1", 2, 700.0)]

    async def test_later_than_any_may_be_is_due_now(self, store: Store) -> None:
        await store.run(lambda tx: tx.look_again("patients", "P1", 1, 1e9))
        assert len(await store.run(lambda tx: tx.take_again(0.0, 9_999.0, 10))) == 1

    async def test_a_delivery_that_verifies_makes_its_message_wait_again(
        self, store: Store
    ) -> None:
        (delivery_id,) = await store.run(lambda tx: plan(tx, a_call()))
        await store.run(lambda tx: tx.claim(Target.ZAUTO, 100.0, 1))
        await store.run(lambda tx: tx.settle(delivery_id, Status.DELIVERED, at=100.0))
        await store.run(lambda tx: tx.add(1, 1, "patients/P1", a_call(), 200.0, Step.VERIFY))
        kept = store.read(lambda view: view.message(1))
        assert kept is not None
        assert kept.status is Status.WAITING
        (head,) = await store.run(lambda tx: tx.claim(Target.ZAUTO, 200.0, 1))
        assert head.step is Step.VERIFY


async def test_what_waits_is_counted_by_far_end(store: Store) -> None:
    order = a_call(target=Target.HOSPITAL)
    await store.run(lambda tx: plan(tx, a_call(), a_call("P2"), order))
    waiting = store.read(lambda view: (view.waiting(Target.ZAUTO), view.waiting(Target.HOSPITAL)))
    assert waiting == (2, 1)
