"""Deliveries: their attempts, how they end, and what their message makes of it."""

from __future__ import annotations

import pytest

from bridge.causes import Cause, CauseKind
from bridge.delivery import (
    Delivery,
    FieldError,
    Kind,
    NetworkFault,
    Outcome,
    Reason,
    Request,
    Step,
    Target,
)
from bridge.errors import StoreError
from bridge.message import Status, Verdict
from bridge.remarks import Remark, RemarkCode
from bridge.store.contract import Store
from bridge.store.records import Ahead, KeptMessage
from tests.store.samples import a_call, because, full_call, keep, plan

REFUSED = Outcome(
    Kind.PERMANENT,
    Reason.INVALID,
    status=400,
    detail="Validation failed",
    field_errors=(FieldError("phone", "is required"),),
    record={"firstName": "Meera", "phone": None},
    retry_after=2.5,
    fault=NetworkFault.CLOSED,
    verdict=Verdict.SENDER,
)
POST = Request("POST", "patients", "P1", {"firstName": "Meera", "phone": None})
GET = Request("GET", "patients", "P1", None)


def of_message(store: Store) -> KeptMessage:
    (newest,) = store.read(lambda view: view.messages(limit=1))
    return newest


async def claim(store: Store, target: Target = Target.ZAUTO, now: float = 1000.0) -> Delivery:
    (head,) = await store.run(lambda tx: tx.claim(target, now, 1))
    return head


async def begun(store: Store, request: Request, target: Target = Target.ZAUTO) -> Delivery:
    """Plan one delivery, claim it and write an attempt down."""
    await store.run(lambda tx: plan(tx, a_call(target=target)))
    head = await claim(store, target)
    await store.run(lambda tx: tx.begin(head, request, 1000.0))
    return head


async def test_deliveries_of_a_message_come_in_order(store: Store) -> None:
    calls = [a_call("P1"), a_call("V1", resource="patient-visits"), full_call()]
    ids = await store.run(lambda tx: plan(tx, *calls))
    found = store.read(lambda view: view.deliveries_of(of_message(store).id))
    assert [(each.id, each.position) for each in found] == list(zip(ids, range(3), strict=True))
    assert [each.call for each in found] == calls


async def test_a_delivery_needs_its_message(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.run(lambda tx: tx.add(7, 0, "patients/P1", a_call(), 1.0))


async def test_an_attempt_is_written_down_before_and_after(store: Store) -> None:
    head = await begun(store, POST)
    (before,) = store.read(lambda view: view.attempts_of(head.id))
    assert (before.request, before.started_at) == (POST, 1000.0)
    assert (before.ended_at, before.outcome) == (None, None)
    await store.run(lambda tx: tx.end(before.id, REFUSED, 1001.5))
    (after,) = store.read(lambda view: view.attempts_of(head.id))
    assert (after.ended_at, after.outcome) == (1001.5, REFUSED)


async def test_ending_an_unknown_attempt_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no attempt 7"):
        await store.run(lambda tx: tx.end(7, REFUSED, 1.0))


async def test_a_message_has_the_status_and_cause_of_its_worst_delivery(store: Store) -> None:
    first, second, third = await store.run(
        lambda tx: plan(tx, a_call("P1"), a_call("P2"), a_call("P3"))
    )
    await store.run(lambda tx: tx.settle(first, Status.DELIVERED, at=200.0))
    assert of_message(store).status is Status.WAITING
    await store.run(
        lambda tx: tx.settle(
            second, Status.HELD, at=201.0, cause=because("no visit"), waits_for="V/1"
        )
    )
    found = of_message(store)
    assert (found.status, found.reason, found.waits_for) == (Status.HELD, "no visit", "V/1")
    await store.run(
        lambda tx: tx.settle(
            third, Status.PARKED, at=202.0, cause=because("no phone", Verdict.SENDER)
        )
    )
    found = of_message(store)
    assert (found.status, found.reason, found.verdict) == (
        Status.PARKED,
        "no phone",
        Verdict.SENDER,
    )
    assert (found.waits_for, found.changed_at) == ("", 202.0)


async def test_a_message_keeps_its_remarks_whatever_its_status(store: Store) -> None:
    remarks = (Remark(RemarkCode.NOT_A_PHONE, "PID-13", sent="7" * 200),)
    cut = (Remark(RemarkCode.NOT_A_PHONE, "PID-13", sent="7" * 99 + "…"),)
    message_id = (await store.run(keep)).id
    await store.run(lambda tx: tx.mark(message_id, Status.WAITING, at=1.0, remarks=remarks))
    delivery_id = await store.run(lambda tx: tx.add(message_id, 0, "patients/P1", a_call(), 1.0))
    await store.run(lambda tx: tx.settle(delivery_id, Status.HELD, at=2.0, cause=because("waits")))
    assert (of_message(store).reason, of_message(store).remarks) == ("waits", cut)
    await store.run(lambda tx: tx.settle(delivery_id, Status.DELIVERED, at=3.0))
    assert (of_message(store).reason, of_message(store).remarks) == ("", cut)


async def test_a_message_whose_deliveries_settled_before_its_mark_follows_them(
    store: Store,
) -> None:
    message_id = (await store.run(keep)).id
    delivery_id = await store.run(lambda tx: tx.add(message_id, 0, "patients/P1", a_call(), 1.0))
    await store.run(lambda tx: tx.settle(delivery_id, Status.SUPPRESSED, at=2.0))
    assert of_message(store).status is Status.WAITING
    await store.run(lambda tx: tx.mark(message_id, Status.WAITING, at=3.0))
    assert of_message(store).status is Status.SUPPRESSED


async def test_a_released_delivery_makes_its_message_wait_again(store: Store) -> None:
    (delivery_id,) = await store.run(lambda tx: plan(tx, a_call()))
    await store.run(
        lambda tx: tx.settle(
            delivery_id, Status.HELD, at=2.0, cause=because("why"), waits_for="V/1"
        )
    )
    assert await store.run(lambda tx: tx.release("V/1", 3.0)) == 1
    found = of_message(store)
    assert (found.status, found.reason, found.waits_for) == (Status.WAITING, "", "")
    assert store.read(lambda view: view.untranslated(10)) == []


async def test_a_released_delivery_starts_over(store: Store) -> None:
    head = await begun(store, POST)
    await store.run(lambda tx: tx.postpone(head.id, Step.PUT, due_at=1000.0, attempts=2))
    head = await claim(store)
    await store.run(lambda tx: tx.settle(head.id, Status.HELD, at=1000.0, waits_for="V/1"))
    await store.run(lambda tx: tx.release("V/1", 1000.0))
    assert ((await claim(store)).step, head.attempts) == (Step.APPLY, 2)


async def test_the_tally_counts_deliveries_and_what_is_waited_for(store: Store) -> None:
    ids = await store.run(lambda tx: plan(tx, *(a_call(f"P{number}") for number in range(5))))
    await store.run(lambda tx: tx.settle(ids[0], Status.DELIVERED, at=2.0))
    for held, key in ((ids[1], "V/1"), (ids[2], "V/2"), (ids[3], "V/2")):
        await store.run(
            lambda tx, held=held, key=key: tx.settle(held, Status.HELD, at=2.0, waits_for=key)
        )
    await store.run(lambda tx: tx.mark(keep(tx).id, Status.HELD, at=2.0, waits_for="V/2"))
    tally = store.read(lambda view: view.tally())
    assert tally.deliveries == {Status.DELIVERED: 1, Status.HELD: 3, Status.WAITING: 1}
    assert tally.held_for == [("V/2", 3), ("V/1", 1)]


async def test_at_most_twenty_waited_for_things_are_named(store: Store) -> None:
    for number in range(25):
        await store.run(
            lambda tx, number=number: tx.mark(
                keep(tx).id, Status.HELD, at=2.0, waits_for=f"V/{number}"
            )
        )
    assert len(store.read(lambda view: view.tally()).held_for) == 20


async def test_unsettled_is_the_worst_of_a_records_other_deliveries(store: Store) -> None:
    def unsettled(besides: int) -> Status | None:
        return store.read(lambda view: view.unsettled("patients", "P1", besides=besides))

    first, second, third = await store.run(lambda tx: plan(tx, a_call(), a_call(), a_call()))
    await store.run(lambda tx: plan(tx, a_call("P2")))
    assert unsettled(first) is Status.WAITING
    await store.run(lambda tx: tx.settle(second, Status.HELD, at=2.0))
    assert unsettled(first) is Status.HELD
    await store.run(lambda tx: tx.settle(third, Status.PARKED, at=2.0))
    assert unsettled(first) is Status.PARKED
    assert unsettled(third) is Status.HELD
    for each in (second, third):
        await store.run(lambda tx, each=each: tx.settle(each, Status.DELIVERED, at=3.0))
    assert unsettled(first) is None
    assert unsettled(third) is Status.WAITING


async def test_an_earlier_delivery_of_the_record_that_is_held_is_ahead(store: Store) -> None:
    def ahead(delivery_id: int) -> Ahead | None:
        lane = "patients/P1"
        return store.read(lambda view: view.ahead("patients", "P1", lane, delivery_id))

    first, second = await store.run(lambda tx: plan(tx, a_call(), a_call()))
    assert ahead(second) is None
    await store.run(lambda tx: tx.settle(first, Status.HELD, at=2.0, waits_for="V/1"))
    assert (ahead(first), ahead(second)) == (None, Ahead(Status.HELD, "V/1"))


async def test_an_earlier_delivery_of_the_record_that_waits_in_another_lane_is_ahead(
    store: Store,
) -> None:
    def ahead(lane: str, delivery_id: int) -> Ahead | None:
        return store.read(lambda view: view.ahead("patients", "P1", lane, delivery_id))

    first, second = await store.run(lambda tx: plan(tx, a_call(), a_call(), lane="patients/P0"))
    assert ahead("patients/P1", second) == Ahead(Status.WAITING, "")
    assert (ahead("patients/P0", second), ahead("patients/P1", first)) == (None, None)
    await store.run(lambda tx: tx.settle(first, Status.PARKED, at=2.0))
    assert ahead("patients/P1", second) is None


async def test_incomplete_parked_deliveries_are_superseded_by_a_later_one(store: Store) -> None:
    ids = await store.run(lambda tx: plan(tx, a_call(), a_call(), a_call(), a_call("P2"), a_call()))
    lacking, other = Cause(CauseKind.INCOMPLETE, fields=("phoneNumber",)), because("conflict")
    for each, cause in zip(ids, [lacking, other, lacking, lacking, lacking], strict=True):
        await store.run(
            lambda tx, each=each, cause=cause: tx.settle(each, Status.PARKED, at=2.0, cause=cause)
        )
    count = await store.run(lambda tx: tx.supersede("patients", "P1", before=ids[4], at=3.0))
    found = store.read(lambda view: view.deliveries_of(of_message(store).id))
    assert count == 2
    superseded, parked = Status.SUPERSEDED, Status.PARKED
    assert [each.status for each in found] == [superseded, parked, superseded, parked, parked]


async def test_a_message_follows_its_superseded_delivery(store: Store) -> None:
    (delivery_id,) = await store.run(lambda tx: plan(tx, a_call()))
    await store.run(
        lambda tx: tx.settle(
            delivery_id,
            Status.PARKED,
            at=2.0,
            cause=Cause(CauseKind.INCOMPLETE, fields=("phoneNumber",)),
        )
    )
    await store.run(lambda tx: tx.supersede("patients", "P1", before=delivery_id + 1, at=3.0))
    found = of_message(store)
    assert (found.status, found.reason, found.verdict) == (Status.SUPERSEDED, "", None)


async def test_recovery_gives_back_what_was_only_claimed(store: Store) -> None:
    await store.run(lambda tx: plan(tx, a_call()))
    before = await claim(store)
    assert await store.run(lambda tx: tx.recover(1100.0, 60.0)) == 0
    assert await claim(store) == before


async def test_recovery_verifies_an_unanswered_write_after_the_quiet_time(store: Store) -> None:
    head = await begun(store, POST)
    assert await store.run(lambda tx: tx.recover(1100.0, 60.0)) == 1
    assert await store.run(lambda tx: tx.claim(Target.ZAUTO, 1159.0, 1)) == []
    again = await claim(store, now=1160.0)
    assert (again.id, again.step, again.attempts) == (head.id, Step.VERIFY, 1)


async def test_recovery_resends_to_the_hospital_at_once(store: Store) -> None:
    head = await begun(store, POST, Target.HOSPITAL)
    assert await store.run(lambda tx: tx.recover(1100.0, 60.0)) == 1
    again = await claim(store, Target.HOSPITAL, now=1100.0)
    assert (again.id, again.step, again.attempts) == (head.id, Step.APPLY, 1)


async def test_recovery_reads_again_what_was_only_being_read(store: Store) -> None:
    await store.run(lambda tx: plan(tx, a_call()))
    head = await claim(store)
    await store.run(lambda tx: tx.postpone(head.id, Step.IDENTIFY, due_at=1000.0, attempts=1))
    head = await claim(store)
    await store.run(lambda tx: tx.begin(head, GET, 1000.0))
    assert await store.run(lambda tx: tx.recover(1100.0, 60.0)) == 1
    again = await claim(store, now=1100.0)
    assert (again.step, again.attempts) == (Step.IDENTIFY, 2)


async def test_recovery_ends_an_attempt_once(store: Store) -> None:
    head = await begun(store, POST)
    await store.run(lambda tx: tx.recover(1100.0, 60.0))
    (attempt,) = store.read(lambda view: view.attempts_of(head.id))
    assert attempt.ended_at == 1100.0
    assert attempt.outcome is not None
    assert (attempt.outcome.kind, attempt.outcome.reason) == (Kind.UNKNOWN, Reason.NO_ANSWER)
    await claim(store, now=1160.0)
    assert await store.run(lambda tx: tx.recover(1200.0, 60.0)) == 0


async def test_recovery_leaves_an_answered_attempt_alone(store: Store) -> None:
    head = await begun(store, POST)
    (attempt,) = store.read(lambda view: view.attempts_of(head.id))
    await store.run(lambda tx: tx.end(attempt.id, REFUSED, 1001.0))
    assert await store.run(lambda tx: tx.recover(1100.0, 60.0)) == 0
    assert (await claim(store)).step is Step.APPLY


async def test_pending_deliveries_of_a_record_come_in_order(store: Store) -> None:
    ids = await store.run(lambda tx: plan(tx, *(a_call() for _ in range(4)), a_call("P2")))
    await store.run(lambda tx: tx.settle(ids[0], Status.DELIVERED, at=2.0))
    await store.run(lambda tx: tx.settle(ids[1], Status.PARKED, at=2.0))
    await store.run(lambda tx: tx.settle(ids[2], Status.HELD, at=2.0, waits_for="V/1"))
    found = store.read(lambda view: view.pending("patients", "P1"))
    assert [each.id for each in found] == ids[1:4]
    assert found[0].call == a_call()
