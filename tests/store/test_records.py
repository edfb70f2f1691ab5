"""What the bridge knows: records at the far end, references, numbers, notes."""

from __future__ import annotations

from dataclasses import replace

from bridge.delivery import Alias, Entity
from bridge.store.contract import Store, Transaction

RECORD = Entity(
    "patients",
    "P1",
    desired={"firstName": "Meera", "phone": None},
    initial={"status": "booked"},
    sent={"firstName": "Meera"},
    authority="LOTUS",
    facts={"class": "O"},
    owner="families/F1",
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


async def test_records_are_found_by_whose_they_are(store: Store) -> None:
    others = [replace(RECORD, external_id="P2"), replace(RECORD, external_id="P3", owner="")]
    for each in (RECORD, *others):
        await store.run(lambda tx, each=each: tx.put_entity(each))  # type: ignore[misc]
    assert store.read(lambda view: view.owned_by("families/F1")) == [RECORD, others[0]]
    assert store.read(lambda view: view.owned_by("")) == []


def an_alias(number: str, leads_to: str, message_id: int = 1, *, retired: bool = True) -> Alias:
    return Alias(f"patients/{number}", f"patients/{leads_to}", "LOTUS", retired, message_id, 9.0)


async def put(store: Store, *aliases: Alias) -> None:
    def job(tx: Transaction) -> None:
        for each in aliases:
            tx.put_alias(each)

    await store.run(job)


async def test_aliases_are_found_by_their_keys_however_many_are_asked_for(store: Store) -> None:
    known = {each.key: each for each in (an_alias(f"P{number}", "P0") for number in range(1, 20))}
    await put(store, *known.values())
    asked = [f"patients/P{number}" for number in range(40)]
    assert store.read(lambda view: view.aliases_of(asked)) == known
    assert store.read(lambda view: view.aliases_of([])) == {}


async def test_an_alias_is_replaced_by_a_later_one(store: Store) -> None:
    later = an_alias("P1", "P3", 2, retired=False)
    await put(store, an_alias("P1", "P2"), later)
    assert store.read(lambda view: view.aliases(9)) == [later]


async def test_the_numbers_that_lead_to_a_record_are_found(store: Store) -> None:
    await put(store, an_alias("P1", "P3"), an_alias("P2", "P3"), an_alias("P7", "P8"))
    assert sorted(store.read(lambda view: view.leading_to("patients/P3"))) == [
        "patients/P1",
        "patients/P2",
    ]
    assert store.read(lambda view: view.leading_to("patients/P1")) == []


async def test_what_led_to_a_record_can_be_led_to_another(store: Store) -> None:
    await put(
        store, an_alias("P1", "P2"), an_alias("P2", "P2", retired=False), an_alias("P7", "P8")
    )
    await store.run(lambda tx: tx.redirect("patients/P2", "patients/P3"))
    found = store.read(lambda view: view.aliases_of(["patients/P1", "patients/P2", "patients/P7"]))
    assert list(found.values()) == [
        an_alias("P1", "P3"),
        an_alias("P2", "P3"),
        an_alias("P7", "P8"),
    ]


async def test_aliases_are_listed_by_message_the_latest_first(store: Store) -> None:
    aliases = [an_alias(f"P{number}", "P0", number) for number in (1, 2, 3)]
    await put(store, *aliases)
    assert store.read(lambda view: view.aliases(2)) == aliases[:0:-1]
    assert store.read(lambda view: view.aliases(9, before=2)) == aliases[:1]
