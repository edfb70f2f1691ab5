"""Keeping messages, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.causes import Cause, CauseKind
from bridge.errors import StoreError
from bridge.message import Protocol, Status, Verdict
from bridge.store.contract import Store, Transaction
from bridge.store.records import Kept
from tests.store.samples import a_call, a_message, because, keep, plan

#: what can come in a header: anything but lone surrogates
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=3000), text=TEXT, at=st.floats(0, 2e9))
async def test_a_kept_message_comes_back_as_it_came(
    store: Store, body: bytes, text: str, at: float
) -> None:
    message = a_message(
        body=body, control_id=text, sending_facility=text, received_at=at, reference=text
    )
    kept = await store.run(
        lambda tx: keep(tx, message, answer_code="CA", acknowledgment=body, cause=because(text))
    )
    found = store.read(lambda view: view.message(kept.id))
    assert found is not None
    assert found.message == message
    assert (found.answer_code, found.acknowledgment, found.reason) == ("CA", body, text)
    assert (found.status, found.verdict, found.duplicates) == (Status.WAITING, None, 0)


async def test_the_channel_of_a_message_is_found_without_its_body(store: Store) -> None:
    kept = await store.run(lambda tx: keep(tx, a_message(channel="lab")))
    assert store.read(lambda view: view.channel_of(kept.id)) == "lab"
    assert store.read(lambda view: view.channel_of(kept.id + 1)) == ""


@pytest.mark.parametrize("protocol", Protocol)
async def test_every_protocol_is_kept(store: Store, protocol: Protocol) -> None:
    kept = await store.run(lambda tx: keep(tx, a_message(protocol=protocol)))
    found = store.read(lambda view: view.message(kept.id))
    assert found is not None
    assert found.message.protocol is protocol


async def test_a_rejected_message_is_kept_with_its_reason_and_verdict(store: Store) -> None:
    kept = await store.run(
        lambda tx: keep(tx, status=Status.REJECTED, cause=because("no PID", Verdict.SENDER))
    )
    found = store.read(lambda view: view.message(kept.id))
    assert found is not None
    assert (found.status, found.reason, found.verdict) == (
        Status.REJECTED,
        "no PID",
        Verdict.SENDER,
    )
    assert store.read(lambda view: view.untranslated(10)) == []


async def test_an_unknown_message_is_none(store: Store) -> None:
    assert store.read(lambda view: view.message(7)) is None


async def test_ids_grow_in_commit_order(store: Store) -> None:
    ids = [(await store.run(keep)).id for _ in range(5)]
    assert ids == sorted(set(ids))


async def test_a_duplicate_gets_the_first_acknowledgment_and_only_counts(store: Store) -> None:
    first = await store.run(lambda tx: keep(tx, identity=b"same", acknowledgment=b"first"))
    again = await store.run(lambda tx: keep(tx, identity=b"same", acknowledgment=b"second"))
    assert again == Kept(first.id, b"first", duplicate=True)
    found = store.read(lambda view: view.messages())
    assert [(each.id, each.duplicates) for each in found] == [(first.id, 1)]
    assert store.read(lambda view: view.tally()).messages == {Status.WAITING: 1}


async def test_copies_in_one_group_are_recognised(store: Store) -> None:
    def both(tx: Transaction) -> tuple[Kept, Kept]:
        return keep(tx, identity=b"same"), keep(tx, identity=b"same")

    first, second = await store.run(both)
    assert (first.duplicate, second.duplicate) == (False, True)


async def test_another_identity_is_a_new_message(store: Store) -> None:
    first = await store.run(lambda tx: keep(tx, identity=b"one"))
    second = await store.run(lambda tx: keep(tx, identity=b"two"))
    assert not second.duplicate
    assert second.id > first.id


async def test_without_identity_nothing_is_a_duplicate(store: Store) -> None:
    kept = [await store.run(keep) for _ in range(2)]
    assert [each.duplicate for each in kept] == [False, False]


async def test_a_copy_within_the_window_is_a_duplicate(store: Store) -> None:
    await store.run(lambda tx: keep(tx, a_message(received_at=100.0), identity=b"order"))
    again = await store.run(
        lambda tx: keep(tx, a_message(received_at=700.0), identity=b"order", identity_since=100.0)
    )
    assert again.duplicate


async def test_a_copy_after_the_window_is_new_and_opens_the_next_window(store: Store) -> None:
    async def order(at: float) -> Kept:
        message, since = a_message(received_at=at), at - 600
        return await store.run(
            lambda tx: keep(tx, message, identity=b"order", identity_since=since)
        )

    first, second, third = await order(0.0), await order(601.0), await order(1200.0)
    assert (second.duplicate, third.duplicate) == (False, True)
    assert third.id == second.id != first.id


async def test_messages_come_newest_first_in_pages_without_bodies(store: Store) -> None:
    ids = [(await store.run(keep)).id for _ in range(5)]
    page = store.read(lambda view: view.messages(limit=2))
    rest = store.read(lambda view: view.messages(before=page[-1].id))
    assert [each.id for each in [*page, *rest]] == ids[::-1]
    assert {each.message.body for each in page} == {b""}


async def test_messages_of_a_status_come_newest_first_translated_or_not(store: Store) -> None:
    ids = []
    for number in range(6):
        if number % 2:
            ids.append((await store.run(keep)).id)
        else:
            await store.run(lambda tx: plan(tx, a_call()))
            ids.append(store.read(lambda view: view.messages(limit=1))[0].id)
    await store.run(lambda tx: keep(tx, status=Status.REJECTED))
    found = store.read(lambda view: view.messages(status=Status.WAITING, before=ids[5], limit=4))
    assert [each.id for each in found] == ids[4:0:-1]


async def test_messages_with_a_cause_come_newest_first_of_any_status_or_one(store: Store) -> None:
    lacking = Cause(CauseKind.INCOMPLETE, fields=("phoneNumber",))
    other = Cause(CauseKind.TWO_RECORDS)
    states = [
        (Status.PARKED, lacking),
        (Status.PARKED, other),
        (Status.SUPERSEDED, lacking),
        (Status.PARKED, lacking),
        (Status.WAITING, None),
    ]
    ids = []
    for status, cause in states:
        kept = await store.run(lambda tx, s=status, c=cause: keep(tx, status=s, cause=c))
        ids.append(kept.id)

    def listed(**asked: Any) -> list[int]:
        return [each.id for each in store.read(lambda view: view.messages(**asked))]

    assert listed(cause=CauseKind.INCOMPLETE) == [ids[3], ids[2], ids[0]]
    assert listed(cause=CauseKind.INCOMPLETE, status=Status.PARKED) == [ids[3], ids[0]]
    assert listed(cause=CauseKind.INCOMPLETE, before=ids[3], limit=1) == [ids[2]]
    assert listed(cause=CauseKind.NOT_OFFERED) == []


async def test_parked_messages_are_counted_by_cause(store: Store) -> None:
    lacking = Cause(CauseKind.INCOMPLETE, fields=("phoneNumber",))
    for sender in ("HIS", "LAB"):
        message = a_message(sending_application=sender)
        await store.run(lambda tx, m=message: keep(tx, m, status=Status.PARKED, cause=lacking))
    assert store.read(lambda view: view.parked_by_cause()) == {"incomplete": 2}
    await store.run(lambda tx: tx.mark(1, Status.SUPERSEDED, at=2.0, cause=lacking))
    assert store.read(lambda view: view.parked_by_cause()) == {"incomplete": 1}


async def test_untranslated_messages_come_in_commit_order_with_bodies(store: Store) -> None:
    ids = [(await store.run(keep)).id for _ in range(4)]
    await store.run(lambda tx: tx.mark(ids[1], Status.WAITING, at=1.0))
    await store.run(lambda tx: tx.mark(ids[2], Status.UNMAPPED, at=1.0))
    found = store.read(lambda view: view.untranslated(10))
    assert [each.id for each in found] == [ids[0], ids[3]]
    assert all(each.message == a_message() for each in found)
    assert len(store.read(lambda view: view.untranslated(1))) == 1


@pytest.mark.parametrize(
    "status", [Status.HELD, Status.PARKED, Status.SUPPRESSED, Status.UNMAPPED, Status.REJECTED]
)
async def test_a_mark_says_what_became_of_a_message(store: Store, status: Status) -> None:
    kept = await store.run(keep)
    await store.run(
        lambda tx: tx.mark(
            kept.id,
            status,
            at=200.0,
            cause=because("because", Verdict.MAPPING),
            waits_for="Patient/1",
            mapping="hl7v2/adt",
            mappings_hash="abc",
        )
    )
    found = store.read(lambda view: view.message(kept.id))
    assert found is not None
    assert (found.status, found.changed_at, found.reason) == (status, 200.0, "because")
    assert (found.verdict, found.waits_for) == (Verdict.MAPPING, "Patient/1")
    assert (found.mapping, found.mappings_hash) == ("hl7v2/adt", "abc")


async def test_marking_an_unknown_message_is_an_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no message 7"):
        await store.run(lambda tx: tx.mark(7, Status.PARKED, at=1.0))


async def test_a_held_message_is_untranslated_again_once_released(store: Store) -> None:
    held, later = (await store.run(keep)).id, (await store.run(keep)).id
    await store.run(lambda tx: tx.mark(held, Status.HELD, at=1.0, waits_for="Patient/1"))
    assert await store.run(lambda tx: tx.release("Patient/2", 2.0)) == 0
    assert await store.run(lambda tx: tx.release("Patient/1", 2.0)) == 1
    found = store.read(lambda view: view.untranslated(10))
    assert [each.id for each in found] == [held, later]
    assert (found[0].waits_for, found[0].reason) == ("", "")


async def test_a_reference_is_seen_in_its_channel_unless_rejected(store: Store) -> None:
    def seen(channel: str, reference: str) -> bool:
        return store.read(lambda view: view.seen_reference(channel, reference))

    await store.run(lambda tx: keep(tx, a_message(reference="Patient/1")))
    await store.run(lambda tx: keep(tx, a_message(reference="Patient/2"), status=Status.REJECTED))
    assert seen("default", "Patient/1")
    assert not seen("other", "Patient/1")
    assert not seen("default", "Patient/2")
    assert not seen("default", "")


async def test_the_tally_counts_messages_as_they_change(store: Store) -> None:
    ids = [
        (await store.run(lambda tx, at=at: keep(tx, a_message(received_at=at)))).id
        for at in (5.0, 6.0, 7.0)
    ]
    await store.run(lambda tx: tx.mark(ids[0], Status.UNMAPPED, at=8.0))
    await store.run(lambda tx: tx.mark(ids[2], Status.HELD, at=8.0, waits_for="Patient/1"))
    await store.run(lambda tx: tx.quarantine("default", "10.0.0.1", "not HL7", b"GET /", 9.0))
    tally = store.read(lambda view: view.tally())
    assert tally.messages == {Status.UNMAPPED: 1, Status.WAITING: 1, Status.HELD: 1}
    assert tally.oldest_waiting == 6.0
    assert tally.held_for == [("Patient/1", 1)]
    assert tally.quarantined == 1


async def test_what_is_in_quarantine_is_listed_newest_first(store: Store) -> None:
    for at in (9.0, 10.0):
        await store.run(
            lambda tx, at=at: tx.quarantine("default", "10.0.0.1", "not HL7", b"GET /", at)
        )
    found = store.read(lambda view: view.quarantined(5))
    assert [each.at for each in found] == [10.0, 9.0]
    assert (found[0].channel, found[0].peer) == ("default", "10.0.0.1")
    assert (found[0].reason, found[0].head) == ("not HL7", b"GET /")
    assert len(store.read(lambda view: view.quarantined(1))) == 1


async def test_an_empty_store_has_an_empty_tally(store: Store) -> None:
    tally = store.read(lambda view: view.tally())
    assert (tally.messages, tally.deliveries, tally.held_for) == ({}, {}, [])
    assert (tally.oldest_waiting, tally.quarantined) == (None, 0)


async def test_a_translated_message_that_waits_is_the_oldest_too(store: Store) -> None:
    await store.run(lambda tx: plan(tx, a_call()))
    await store.run(lambda tx: keep(tx, a_message(received_at=500.0)))
    assert store.read(lambda view: view.tally()).oldest_waiting == 100.0


async def test_every_status_of_a_message_is_counted(store: Store) -> None:
    statuses = [status for status in Status if status is not Status.DUPLICATE]
    for status in statuses:
        await store.run(lambda tx, status=status: keep(tx, status=status))
    assert store.read(lambda view: view.tally()).messages == dict.fromkeys(statuses, 1)


async def test_an_earlier_message_of_the_same_sender_and_control_id_is_found(
    store: Store,
) -> None:
    async def kept_as(control_id: str, identity: bytes, sender: str = "HIS") -> Kept:
        message = a_message(control_id=control_id, sending_application=sender)
        return await store.run(lambda tx: keep(tx, message, identity=identity))

    first = await kept_as("L7", b"L7-one")
    second = await kept_as("L7", b"L7-two")
    await kept_as("L7-three", b"L7-three")
    of_another = await kept_as("L7", b"L7-four", sender="LAB")
    ours, theirs = a_message(control_id="L7"), a_message(control_id="L7", sending_application="LAB")
    assert store.read(lambda view: view.earlier(b"L7", ours, second.id)) == first.id
    assert store.read(lambda view: view.earlier(b"L7", ours, first.id)) is None
    assert store.read(lambda view: view.earlier(b"L7", theirs, of_another.id)) is None


async def test_messages_that_no_mapping_takes_are_counted_by_type(store: Store) -> None:
    def job(tx: Transaction) -> list[int]:
        kinds = ["ORU^R01", "ORU^R01", "MDM^T02", "ADT^A04"]
        return [keep(tx, a_message(message_type=kind, control_id=kind)).id for kind in kinds]

    ids = await store.run(job)
    for number in ids[:3]:
        await store.run(lambda tx, number=number: tx.mark(number, Status.UNMAPPED, at=2.0))  # type: ignore[misc]
    tally = store.read(lambda view: view.tally())
    assert tally.unmapped_types == [("ORU^R01", 2), ("MDM^T02", 1)]
    await store.run(lambda tx: tx.mark(ids[2], Status.SUPPRESSED, at=3.0))
    assert store.read(lambda view: view.tally()).unmapped_types == [("ORU^R01", 2)]
