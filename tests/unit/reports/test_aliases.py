"""What is told of numbers that lead to other records: where to, since when, and by what."""

from __future__ import annotations

from bridge.causes import MASK
from bridge.delivery import ACCOUNT, Alias
from bridge.reports.aliases import AliasRow, alias_rows
from tests.unit.pipeline.bench import Bench, a_patient, a_visit
from tests.unit.pipeline.planning.test_identities import identity, merge, rename


def rows(bench: Bench, *, before: int | None = None, reveal: bool = True) -> list[AliasRow]:
    return bench.store.read(lambda view: alias_rows(view, limit=9, before=before, reveal=reveal))


def led(bench: Bench) -> dict[str, tuple[str, bool, str]]:
    """By number: the record it leads to, whether that goes by it no more, and what said so."""
    return {row.number: (row.leads_to, row.retired, row.interaction) for row in rows(bench)}


async def test_a_merge_is_told_with_its_message_and_what_it_did(bench: Bench) -> None:
    await bench.plan(a_patient("P1"), a_visit("V1", patientId="P1"))
    await bench.plan(a_patient("P2"))
    await bench.finish()
    merged = await bench.plan(merge("P1", "P2"))
    await bench.finish()
    (row,) = rows(bench)
    assert row.reason.startswith("1 visit re-pointed")
    told = (row.message, row.level, row.number, row.leads_to, row.retired)
    assert told == (merged, "patients", "P1", "P2", True)


async def test_a_record_goes_by_its_new_number_and_no_longer_by_the_one_before(
    bench: Bench,
) -> None:
    await bench.plan(a_patient("P1"))
    await bench.plan(rename("P1", "P9"))
    await bench.finish()
    assert led(bench) == {"P1": ("P1", True, "rename"), "P9": ("P1", False, "rename")}


async def test_of_several_merges_of_one_message_each_number_has_its_own(bench: Bench) -> None:
    await bench.plan(a_patient("P1"), a_patient("P3"))
    await bench.plan(merge("P1", "P2"), rename("P3", "P4"))
    await bench.finish()
    assert {number: by for number, (_, _, by) in led(bench).items()} == {
        "P1": "merge",
        "P3": "rename",
        "P4": "rename",
    }


async def test_accounts_are_told_as_accounts(bench: Bench) -> None:
    merged = identity(merge("A1", "A2").interaction, ACCOUNT, "A1", "A2", owner="P1")
    await bench.plan(a_patient("P1"))
    await bench.plan(merged)
    await bench.finish()
    (row,) = rows(bench)
    assert (row.level, row.number, row.leads_to) == ("account", "A1", "A2")


async def test_a_second_number_from_the_start_is_told_without_a_merge(bench: Bench) -> None:
    await bench.store.run(
        lambda tx: tx.put_alias(
            Alias("patient-visits/AP1", "patient-visits/V1", "HIS", False, 1, 5.0)
        )
    )
    (row,) = rows(bench)
    assert (row.interaction, row.reason, row.authority) == ("", "", "HIS")


async def test_no_number_is_told_unless_asked_for_and_older_ones_can_be(bench: Bench) -> None:
    await bench.plan(a_patient("P1"))
    renamed = await bench.plan(rename("P1", "P9"))
    await bench.finish()
    for row in rows(bench, reveal=False):
        assert (row.number, row.leads_to) == (MASK, MASK)
        assert "P1" not in str(row)
    assert rows(bench, before=renamed) == []
