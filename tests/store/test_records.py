"""What the bridge knows: records at the far end, references, numbers, notes."""

from __future__ import annotations

from dataclasses import replace

from bridge.delivery import Entity
from bridge.store.contract import Store

RECORD = Entity(
    "patients",
    "P1",
    desired={"firstName": "Meera", "phone": None},
    initial={"status": "booked"},
    sent={"firstName": "Meera"},
    authority="LOTUS",
    facts={"class": "O"},
)


async def test_a_record_comes_back_as_it_was_put(store: Store) -> None:
    await store.run(lambda tx: tx.put_entity(RECORD))
    assert store.read(lambda view: view.entity("patients", "P1")) == RECORD
    assert store.read(lambda view: view.entity("providers", "P1")) is None


async def test_a_record_is_replaced_whole(store: Store) -> None:
    forgotten = replace(RECORD, sent=None, desired={}, facts={})
    await store.run(lambda tx: tx.put_entity(RECORD))
    await store.run(lambda tx: tx.put_entity(forgotten))
    assert store.read(lambda view: view.entity("patients", "P1")) == forgotten


async def test_a_reference_leads_to_the_record_last_learnt(store: Store) -> None:
    await store.run(lambda tx: tx.put_link("Patient/1", "patients", "P1"))
    await store.run(lambda tx: tx.put_link("Patient/1", "patients", "P2"))
    assert store.read(lambda view: view.link("Patient/1")) == "P2"
    assert store.read(lambda view: view.link("Patient/2")) is None


async def test_a_key_has_one_number_for_ever(store: Store) -> None:
    first = await store.run(lambda tx: tx.number("uhid", "P1", 900))
    second = await store.run(lambda tx: tx.number("uhid", "P2", 900))
    other = await store.run(lambda tx: tx.number("order", "P1", 1))
    assert (first, second, other) == (900, 901, 1)
    assert await store.run(lambda tx: tx.number("uhid", "P1", 5000)) == 900


async def test_a_sequence_can_be_moved_up_but_never_back(store: Store) -> None:
    assert await store.run(lambda tx: tx.number("uhid", "P1", 900)) == 900
    assert await store.run(lambda tx: tx.number("uhid", "P2", 5000)) == 5000
    assert await store.run(lambda tx: tx.number("uhid", "P3", 900)) == 5001


async def test_a_note_holds_the_value_put_last(store: Store) -> None:
    assert store.read(lambda view: view.note("paused")) is None
    await store.run(lambda tx: tx.put_note("paused", "yes"))
    await store.run(lambda tx: tx.put_note("paused", "no"))
    assert store.read(lambda view: view.note("paused")) == "no"
