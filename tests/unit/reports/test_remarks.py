"""Remarks that were counted, as people read them."""

from __future__ import annotations

from bridge.remarks import Remark, RemarkCode
from bridge.reports.remarks import TOP, remark_rows, top_remarks
from bridge.store.contract import Transaction
from tests.unit.pipeline.bench import Bench


def job(tx: Transaction) -> None:
    for _ in range(9):
        tx.count_remark("HIS|LOTUS", Remark(RemarkCode.NOTHING_KEPT, "a/b", "a bed"), 1, 1.0)
    for number in range(TOP + 2):
        for _ in range(number + 1):
            remark = Remark(RemarkCode.UNKNOWN_CODE, f"PV1-{number}", "gender", "Meera")
            tx.count_remark("HIS|LOTUS", remark, number, 2.0)


async def test_the_top_holds_what_is_lost_and_no_more(bench: Bench) -> None:
    await bench.store.run(job)
    top = bench.store.read(top_remarks)
    assert [(row.path, row.count) for row in top] == [
        ("PV1-6", 7),
        ("PV1-5", 6),
        ("PV1-4", 5),
        ("PV1-3", 4),
        ("PV1-2", 3),
    ]
    assert top[0].text == "holds a code that codes/gender does not know; left out"
    rows = bench.store.read(lambda view: remark_rows(view, limit=50))
    assert rows[0].code == "nothing_kept"
    assert "Meera" not in str(rows)
