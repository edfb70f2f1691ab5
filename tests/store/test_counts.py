"""What is counted as it comes: parked messages by cause and sender, remarks, work for persons."""

from __future__ import annotations

from bridge.causes import Cause, CauseKind
from bridge.message import Status
from bridge.remarks import Remark, RemarkCode
from bridge.store.contract import Store, Transaction
from tests.store.samples import a_message, keep

LACKING = Cause(CauseKind.INCOMPLETE, fields=("uhid",))
OTHERS = Cause(CauseKind.CONFLICT_ISSUER, issuer="CITY")


async def parked(store: Store, cause: Cause, facility: str = "LOTUS", at: float = 100.0) -> int:
    """A message of this facility that is parked for this cause; its id."""

    def job(tx: Transaction) -> int:
        message = a_message(sending_facility=facility, received_at=at)
        message_id = keep(tx, message).id
        tx.mark(message_id, Status.PARKED, at=at, cause=cause)
        return message_id

    return await store.run(job)


def counts(store: Store) -> list[tuple[str, str, int, float]]:
    found = store.read(lambda view: view.parked_counts(9))
    return [(each.cause, each.sending_facility, each.number, each.oldest) for each in found]


async def test_parked_messages_are_counted_by_cause_and_sender_with_the_oldest(
    store: Store,
) -> None:
    await parked(store, LACKING, at=102.0)
    await parked(store, LACKING, at=101.0)
    await parked(store, LACKING, "ROSE", at=103.0)
    await parked(store, OTHERS, at=104.0)
    await store.run(lambda tx: keep(tx, status=Status.PARKED, cause=OTHERS))
    assert sorted(counts(store)) == [
        ("conflict_issuer", "LOTUS", 2, 100.0),
        ("incomplete", "LOTUS", 2, 101.0),
        ("incomplete", "ROSE", 1, 103.0),
    ]


async def test_one_that_is_parked_no_more_or_for_another_cause_counts_there(store: Store) -> None:
    first, second = await parked(store, LACKING), await parked(store, LACKING)
    await store.run(lambda tx: tx.mark(first, Status.SUPERSEDED, at=200.0))
    await store.run(lambda tx: tx.mark(second, Status.PARKED, at=200.0, cause=OTHERS))
    assert counts(store) == [("conflict_issuer", "LOTUS", 1, 100.0)]


async def test_remarks_are_counted_by_sender_place_and_code(store: Store) -> None:
    phone, date = (Remark(code, "PID-13", sent="x") for code in (
        RemarkCode.NOT_A_PHONE, RemarkCode.NOT_A_DATE,
    ))  # fmt: skip
    for at, sender, remark in (
        (1.0, "HIS|LOTUS", phone),
        (2.0, "HIS|LOTUS", phone._replace(sent="y")),
        (3.0, "HIS|ROSE", phone),
        (4.0, "HIS|LOTUS", date),
    ):
        await store.run(lambda tx, s=sender, r=remark, a=at: tx.count_remark(s, r, 7, a))
    found = store.read(lambda view: view.remark_counts(9))
    assert found[0] == ("HIS|LOTUS", "PID-13", "not_a_phone", 2, 1.0, 2.0, "", 7)
    assert len(found) == 3
    await store.run(lambda tx: tx.forget_remarks(1))
    assert [each.code for each in store.read(lambda view: view.remark_counts(9))] == ["not_a_date"]


async def test_work_for_persons_is_counted_once_a_message_with_the_oldest(store: Store) -> None:
    ids = [(await store.run(keep)).id for _ in range(3)]
    for number, at in zip(ids, (30.0, 20.0, 10.0), strict=True):
        await store.run(lambda tx, n=number, a=at: tx.add_task(n, "left_out", a))
        await store.run(lambda tx, n=number, a=at: tx.add_task(n, "left_out", a + 1))
    await store.run(lambda tx: tx.add_task(ids[0], "prior_unknown", 15.0))
    assert store.read(lambda view: view.tasks()) == [
        ("left_out", 3, 10.0),
        ("prior_unknown", 1, 15.0),
    ]
