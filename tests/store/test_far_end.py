"""What the store keeps of destinations over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.causes import Cause, CauseKind
from bridge.delivery import NetworkFault, Reason, Step, Target
from bridge.errors import StoreBusy
from bridge.message import Status
from bridge.store.acknowledgments import Owing
from bridge.store.contract import Store, Transaction
from bridge.store.far_end import Breaker, MissingEndpoint, Remaining, Trouble
from tests.store.samples import a_call, keep, plan

_DELIVERED = Status.DELIVERED
BREAKER = Breaker("patients", 100.0, 220.0, 120.0, Reason.FORBIDDEN, 3, "client")
TROUBLE = Trouble(100.0, Reason.UNREACHABLE, NetworkFault.DNS, failures=4)


async def test_all_of_it_outlives_the_process(store: Store, reopen: Callable[[], Store]) -> None:
    missing = MissingEndpoint("read", "patient-visits", 3700.0)

    def keep(tx: Transaction) -> None:
        tx.put_breaker(Target.ZAUTO, BREAKER)
        tx.put_trouble(Target.ZAUTO, TROUBLE)
        tx.put_missing_endpoint(Target.ZAUTO, missing)
        tx.count_failure(7)
        tx.count_failure(7)
        tx.count_calls(Target.ZAUTO, 10)
        tx.count_calls(Target.ZAUTO, 10)
        tx.count_calls(Target.ZAUTO, 11)
        tx.put_remaining(Target.ZAUTO, Remaining(1000, 400, 3600.0))
        tx.note_time(123.0)

    await store.run(keep)
    await store.close()
    again = reopen()
    try:
        assert again.read(lambda view: view.breakers(Target.ZAUTO)) == [BREAKER]
        assert again.read(lambda view: view.breakers(Target.HOSPITAL)) == []
        kept = again.read(lambda view: view.trouble(Target.ZAUTO))
        assert (kept, kept and kept.failures) == (TROUBLE, 4)
        assert again.read(lambda view: view.missing_endpoints(Target.ZAUTO)) == [missing]
        assert again.read(lambda view: (view.failures(7), view.failures(8))) == (2, 0)
        counts = again.read(lambda view: view.call_counts(Target.ZAUTO))
        assert counts == (3, [(10, 2), (11, 1)], Remaining(1000, 400, 3600.0))
        assert again.read(lambda view: view.seen_at()) == 123.0
    finally:
        await again.close()


async def test_each_is_replaced_and_ended_alone(store: Store) -> None:
    other = replace(BREAKER, resource="")

    def job(tx: Transaction) -> None:
        tx.put_breaker(Target.ZAUTO, BREAKER)
        tx.put_breaker(Target.ZAUTO, other)
        tx.put_breaker(Target.ZAUTO, replace(BREAKER, times=4))
        assert [each.times for each in tx.breakers(Target.ZAUTO)] == [3, 4]
        tx.end_breaker(Target.ZAUTO, "patients")
        assert tx.breakers(Target.ZAUTO) == [other]
        tx.put_trouble(Target.ZAUTO, TROUBLE)
        tx.put_trouble(Target.ZAUTO, replace(TROUBLE, fault=None))
        assert tx.trouble(Target.ZAUTO) == replace(TROUBLE, fault=None)
        tx.put_trouble(Target.ZAUTO, None)
        assert tx.trouble(Target.ZAUTO) is None
        tx.put_missing_endpoint(Target.ZAUTO, MissingEndpoint("read", "patients", 1.0))
        tx.put_missing_endpoint(Target.ZAUTO, MissingEndpoint("read", "patients", 2.0))
        tx.end_missing_endpoint(Target.ZAUTO, "read", "patients")
        assert tx.missing_endpoints(Target.ZAUTO) == []
        tx.count_failure(7)
        tx.end_failures(7)
        assert tx.failures(7) == 0
        tx.put_remaining(Target.ZAUTO, Remaining(1000, 400, 3600.0))
        tx.put_remaining(Target.ZAUTO, None)
        assert tx.call_counts(Target.ZAUTO).remaining is None

    await store.run(job)


class TestUnclear:
    async def test_counts_only_where_a_record_was_written_since(self, store: Store) -> None:
        def job(tx: Transaction) -> list[int]:
            counts = [tx.count_unclear(7), tx.count_unclear(7)]
            tx.record_written()
            tx.record_written()
            counts += [tx.count_unclear(7), tx.count_unclear(7)]
            tx.record_written()
            counts += [tx.count_unclear(7), tx.count_unclear(8)]
            tx.end_unclear(7)
            return [*counts, tx.count_unclear(7)]

        assert await store.run(job) == [0, 0, 1, 1, 2, 0, 0]


class TestCalls:
    async def test_are_counted_by_who_knows_the_counts(self, store: Store) -> None:
        def job(tx: Transaction) -> list[int | None]:
            return [
                tx.count_calls(Target.ZAUTO, 10, revision=0),
                tx.count_calls(Target.ZAUTO, 10, revision=0),
                tx.count_calls(Target.ZAUTO, 10),
                tx.count_calls(Target.ZAUTO, 10, revision=2),
            ]

        assert await store.run(job) == [1, None, 2, 3]
        assert store.read(lambda view: view.call_counts(Target.ZAUTO)).steps == [(10, 3)]

    async def test_that_did_not_leave_are_taken_back(self, store: Store) -> None:
        def job(tx: Transaction) -> None:
            tx.count_calls(Target.ZAUTO, 10)
            tx.count_calls(Target.ZAUTO, 11)
            tx.uncount_call(Target.ZAUTO, 10)
            tx.uncount_call(Target.ZAUTO, 10)
            tx.uncount_call(Target.ZAUTO, 12)

        await store.run(job)
        assert store.read(lambda view: view.call_counts(Target.ZAUTO)).steps == [(11, 1)]

    async def test_are_forgotten_after_their_time(self, store: Store) -> None:
        for step in (10, 11, 12):
            await store.run(lambda tx, step=step: tx.count_calls(Target.ZAUTO, step))
        await store.run(lambda tx: tx.forget_calls(Target.ZAUTO, 12))
        assert store.read(lambda view: view.call_counts(Target.ZAUTO)).steps == [(12, 1)]

    async def test_of_a_transaction_that_is_undone_are_not_counted(self, store: Store) -> None:
        def undone(tx: Transaction) -> None:
            tx.count_calls(Target.ZAUTO, 10)
            raise StoreBusy("the disk is full")

        with pytest.raises(StoreBusy):
            await store.run(undone)
        assert store.read(lambda view: view.call_counts(Target.ZAUTO)) == (0, [], None)

    async def test_of_many_at_once_are_all_counted(self, store: Store) -> None:
        jobs = [store.run(lambda tx: tx.count_calls(Target.ZAUTO, 10)) for _ in range(50)]
        assert sorted(filter(None, await asyncio.gather(*jobs))) == list(range(1, 51))
        assert store.read(lambda view: view.call_counts(Target.ZAUTO)).steps == [(10, 50)]


async def waiting(store: Store, number: str, step: Step, due_at: float) -> int:
    (delivery_id,) = await store.run(
        lambda tx: plan(tx, a_call(number), lane=f"patients/{number}", at=100.0)
    )
    await store.run(lambda tx: tx.claim(Target.ZAUTO, 100.0, 10))
    await store.run(lambda tx: tx.postpone(delivery_id, step, due_at=due_at, attempts=1))
    return delivery_id


def redate(store: Store, now: float, shift: float) -> asyncio.Future[None]:
    return asyncio.ensure_future(
        store.run(lambda tx: tx.redate(now, shift=shift, step_seconds=10, quiet=60.0, again=600.0))
    )


async def ready_at(store: Store, now: float, delivery_id: int) -> bool:
    heads = await store.run(lambda tx: tx.claim(Target.ZAUTO, now, 10))
    for head in heads:
        await store.run(
            lambda tx, head=head: tx.postpone(
                head.id, head.step, due_at=head.due_at, attempts=head.attempts
            )
        )
    return delivery_id in [head.id for head in heads]


@pytest.mark.parametrize("shift", [3600.0, -3600.0, -86_400.0])
class TestRedate:
    """The clock says 1000.0 and jumps."""

    async def test_a_retry_waits_as_long_as_it_would_have(self, store: Store, shift: float) -> None:
        retry = await waiting(store, "P1", Step.APPLY, 1030.0)
        now = 1000.0 + shift
        await redate(store, now, shift)
        assert not await ready_at(store, now + 29, retry)
        assert await ready_at(store, now + 30, retry)

    async def test_a_quiet_time_is_waited_out_again(self, store: Store, shift: float) -> None:
        quiet = await waiting(store, "P1", Step.VERIFY, 1001.0)
        now = 1000.0 + shift
        await redate(store, now, shift)
        assert not await ready_at(store, now + 59, quiet)
        assert await ready_at(store, now + 60, quiet)

    async def test_a_longer_wait_before_a_read_goes_on(self, store: Store, shift: float) -> None:
        quiet = await waiting(store, "P1", Step.VERIFY, 1120.0)
        now = 1000.0 + shift
        await redate(store, now, shift)
        assert not await ready_at(store, now + 119, quiet)
        assert await ready_at(store, now + 120, quiet)

    async def test_what_was_ready_stays_ready(self, store: Store, shift: float) -> None:
        (first, second) = await store.run(lambda tx: plan(tx, a_call(), a_call(), at=990.0))
        now = 1000.0 + shift
        await redate(store, now, shift)
        assert await ready_at(store, now, first)
        await store.run(lambda tx: tx.claim(Target.ZAUTO, now, 10))
        await store.run(lambda tx: tx.settle(first, _DELIVERED, at=now))
        assert await ready_at(store, now, second)

    async def test_a_second_read_waits_its_whole_time(self, store: Store, shift: float) -> None:
        await store.run(lambda tx: tx.look_again("patients", "P1", 1, 1001.0))
        now = 1000.0 + shift
        await redate(store, now, shift)
        assert await store.run(lambda tx: tx.take_again(now + 599, now + 86_400, 10)) == []
        assert await store.run(lambda tx: tx.take_again(now + 600, now + 86_400, 10))

    async def test_what_is_held_is_parked_after_as_long_as_it_would_have_been(
        self, store: Store, shift: float
    ) -> None:
        def hold(tx: Transaction) -> None:
            (delivery_id,) = plan(tx, a_call())
            tx.settle(delivery_id, Status.HELD, at=900.0, waits_for="patients/P9")
            tx.mark(keep(tx).id, Status.HELD, at=900.0, waits_for="patients/P9")

        await store.run(hold)
        now = 1000.0 + shift
        await redate(store, now, shift)

        def park(at: float) -> asyncio.Future[int]:
            return asyncio.ensure_future(
                store.run(lambda tx: tx.park_long_held(at - 200.0, "72", at, 10))
            )

        assert await park(now + 99) == 0
        assert await park(now + 100) == 2

    async def test_what_is_held_since_the_jump_is_not_moved_past_now(
        self, store: Store, shift: float
    ) -> None:
        now = 1000.0 + shift
        held = {"at": now, "waits_for": "patients/P9"}
        await store.run(lambda tx: tx.mark(keep(tx).id, Status.HELD, **held))
        await redate(store, now, shift)
        (found,) = store.read(lambda view: view.messages())
        assert found.changed_at <= now

    async def test_a_due_acknowledgment_is_given_up_after_as_long_as_it_would_have_been(
        self, store: Store, shift: float
    ) -> None:
        owing = Owing("AL", "translation", "hospital:1")

        def owe(tx: Transaction) -> None:
            tx.mark(keep(tx, owing=owing).id, Status.PARKED, at=900.0)

        await store.run(owe)
        now, cause = 1000.0 + shift, Cause(CauseKind.RETRY)
        await redate(store, now, shift)
        assert await store.run(lambda tx: tx.abandon_acknowledgments(now - 101, cause, now)) == 0
        assert await store.run(lambda tx: tx.abandon_acknowledgments(now - 100, cause, now)) == 1

    async def test_all_else_moves_along(self, store: Store, shift: float) -> None:
        def keep(tx: Transaction) -> None:
            tx.put_breaker(Target.ZAUTO, replace(BREAKER, since=900.0, until=1020.0))
            tx.put_trouble(Target.ZAUTO, replace(TROUBLE, since=900.0))
            tx.put_missing_endpoint(Target.ZAUTO, MissingEndpoint("read", "patients", 1500.0))
            for step in (98, 99, 100):
                tx.count_calls(Target.ZAUTO, step)
            tx.put_remaining(Target.ZAUTO, Remaining(1000, 400, 2000.0))

        await store.run(keep)
        await redate(store, 1000.0 + shift, shift)
        (breaker,) = store.read(lambda view: view.breakers(Target.ZAUTO))
        assert (breaker.since, breaker.until) == (900.0 + shift, 1020.0 + shift)
        trouble = store.read(lambda view: view.trouble(Target.ZAUTO))
        assert trouble is not None
        assert trouble.since == 900.0 + shift
        (missing,) = store.read(lambda view: view.missing_endpoints(Target.ZAUTO))
        assert missing.until == 1500.0 + shift
        counts = store.read(lambda view: view.call_counts(Target.ZAUTO))
        assert counts.revision == 4
        assert counts.steps == [(step + shift // 10, 1) for step in (98, 99, 100)]
        assert counts.remaining == Remaining(1000, 400, 2000.0 + shift)
        assert store.read(lambda view: view.seen_at()) == 1000.0 + shift


async def test_what_was_counted_of_settled_deliveries_is_forgotten(store: Store) -> None:
    (one,) = await store.run(lambda tx: plan(tx, a_call("P1"), lane="patients/P1"))
    (other,) = await store.run(lambda tx: plan(tx, a_call("P2"), lane="patients/P2"))

    def job(tx: Transaction) -> tuple[int, int, int]:
        for delivery_id in (one, other):
            tx.count_failure(delivery_id)
            tx.count_unclear(delivery_id)
        tx.record_written()
        tx.settle(other, _DELIVERED, at=100.0)
        tx.forget_failures()
        return tx.failures(one), tx.count_unclear(one), tx.failures(other)

    assert await store.run(job) == (1, 1, 0)
    assert await store.run(lambda tx: tx.count_unclear(other)) == 0
