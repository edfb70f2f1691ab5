"""What every store keeps of mappings: the sets that were in use, and codes they do not know."""

from __future__ import annotations

from bridge.delivery import code_key
from bridge.lineage import RuleLine
from bridge.message import Status
from bridge.store.contract import Store
from bridge.store.records import MappingVersion, UnmappedCode
from tests.store.samples import keep

ONE = MappingVersion(
    "aa11",
    100.0,
    [{"parts/patient.yaml": "id: {from: PID-3}"}, {"codes/gender.yaml": "rows: {F: Woman}"}],
    (RuleLine("id", "parts/patient.yaml:1", "identifier"), RuleLine("gender", "parts/p.yaml:2")),
)


async def test_a_set_of_mappings_is_read_back_as_it_was(store: Store) -> None:
    await store.run(lambda tx: tx.keep_mappings(ONE))
    assert store.read(lambda view: view.mapping_version("aa11")) == ONE
    assert store.read(lambda view: view.mapping_version("bb22")) is None


async def test_a_set_that_comes_back_keeps_the_time_it_was_first_used(store: Store) -> None:
    later = MappingVersion("aa11", 200.0, ONE.folders, ONE.legend)
    await store.run(lambda tx: tx.keep_mappings(ONE))
    await store.run(lambda tx: tx.keep_mappings(later))
    assert store.read(lambda view: view.mapping_versions(9)) == [("aa11", 100.0)]


async def test_sets_are_listed_the_latest_first(store: Store) -> None:
    for hash, at in (("one", 1.0), ("two", 3.0), ("three", 2.0)):
        version = MappingVersion(hash, at, [], ())
        await store.run(lambda tx, version=version: tx.keep_mappings(version))
    assert store.read(lambda view: view.mapping_versions(2)) == [("two", 3.0), ("three", 2.0)]


async def test_a_code_is_counted_for_each_sender(store: Store) -> None:
    for sender, at in (("HIS|A", 1.0), ("LAB|B", 2.0), ("HIS|A", 5.0)):
        await store.run(lambda tx, s=sender, at=at: tx.count_code("gender", "X", s, at))
    assert store.read(lambda view: view.unmapped_codes(9)) == [
        UnmappedCode("gender", "X", "HIS|A", 2, 1.0, 5.0, 0),
        UnmappedCode("gender", "X", "LAB|B", 1, 2.0, 2.0, 0),
    ]


async def test_a_code_that_has_a_row_now_is_forgotten_for_its_sender(store: Store) -> None:
    for code, sender in (("X", "HIS|A"), ("X", "LAB|B"), ("Y", "HIS|A")):
        await store.run(lambda tx, c=code, s=sender: tx.count_code("gender", c, s, 1.0))
    await store.run(lambda tx: tx.forget_code("gender", "X", "HIS|A"))
    left = store.read(lambda view: view.unmapped_codes(9))
    assert [(c.code, c.sender) for c in left] == [("X", "LAB|B"), ("Y", "HIS|A")]


async def test_codes_met_long_ago_are_forgotten_unless_a_message_waits(store: Store) -> None:
    message = (await store.run(keep)).id
    for code, at in (("HELD", 1.0), ("OLD", 2.0), ("NEW", 4.0), ("NEWER", 5.0)):
        await store.run(lambda tx, c=code, at=at: tx.count_code("gender", c, "HIS|A", at))
    key = code_key("gender", "HELD")
    await store.run(lambda tx: tx.mark(message, Status.HELD, at=6.0, waits_for=key))
    assert await store.run(lambda tx: tx.forget_codes(2)) == 1
    left = store.read(lambda view: view.unmapped_codes(9))
    assert {code.code for code in left} == {"HELD", "NEW", "NEWER"}
