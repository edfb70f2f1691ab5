"""Remarks are counted by sender, place and code, and the least recent counts are forgotten."""

from __future__ import annotations

import pytest

from bridge.remarks import Remark, RemarkCode
from bridge.store.contract import Store, Transaction

PHONE = Remark(RemarkCode.NOT_A_PHONE, "PID-13", sent="none")
CODE = Remark(RemarkCode.UNKNOWN_CODE, "PID-8", "gender", "W")


def job(tx: Transaction) -> None:
    tx.count_remark("HIS|LOTUS", PHONE, 1, 10.0)
    tx.count_remark("HIS|LOTUS", PHONE._replace(path="PID-13 #2"), 2, 20.0)
    tx.count_remark("MEDIS|RIVERSIDE", PHONE, 3, 30.0)
    tx.count_remark("HIS|LOTUS", CODE, 4, 40.0)


async def test_the_most_frequent_come_first_with_their_latest_example(store: Store) -> None:
    await store.run(job)
    first, *rest = store.read(lambda view: view.remark_counts(9))
    assert first == ("HIS|LOTUS", "PID-13", "not_a_phone", 2, 10.0, 20.0, "", 2)
    assert [(each.sender, each.path, each.name, each.message_id) for each in rest] == [
        ("HIS|LOTUS", "PID-8", "gender", 4),
        ("MEDIS|RIVERSIDE", "PID-13", "", 3),
    ]
    assert len(store.read(lambda view: view.remark_counts(2))) == 2


async def test_those_of_one_sender_are_asked_for(store: Store) -> None:
    await store.run(job)
    (found,) = store.read(lambda view: view.remark_counts(9, sender="MEDIS|RIVERSIDE"))
    assert (found.path, found.number) == ("PID-13", 1)
    assert store.read(lambda view: view.remark_counts(9, sender="MEDIS")) == []


async def test_over_all_senders_they_are_counted_by_path_and_code(store: Store) -> None:
    await store.run(job)
    totals = store.read(lambda view: view.remark_totals())
    assert totals == {("PID-13", "not_a_phone"): 3, ("PID-8", "unknown_code"): 1}


async def test_those_that_were_met_last_are_kept(store: Store) -> None:
    await store.run(job)
    await store.run(lambda tx: tx.forget_remarks(2))
    found = store.read(lambda view: view.remark_counts(9))
    assert {each.last_at for each in found} == {30.0, 40.0}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("PID-13", "PID-13"),
        ("PID-13 #12", "PID-13"),
        ("NK1[2]-5", "NK1[2]-5"),
        ("providers #2", "providers"),
        ("line 7", "line"),
        ("line.status", "line.status"),
        ("telecom.where(system='phone').value #2", "telecom.where(system='phone').value"),
    ],
)
def test_a_place_is_a_path_of_the_mappings(path: str, place: str) -> None:
    assert PHONE._replace(path=path).place == place
