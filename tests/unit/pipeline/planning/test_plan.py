"""From calls to deliveries in lanes, and what a message teaches and releases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.causes import Cause, CauseKind
from bridge.delivery import (
    ACCOUNT,
    Allocation,
    Call,
    Interaction,
    Target,
    Translation,
    UnknownCode,
)
from bridge.message import Status, Verdict
from bridge.pipeline.planning.plan import FIRST_NUMBER, plan
from bridge.pipeline.records.lanes import lane_of
from bridge.remarks import Remark, RemarkCode
from bridge.store.contract import Transaction
from bridge.store.records import KeptMessage
from tests.unit.pipeline.bench import (
    CATALOGUE,
    Bench,
    a_call,
    a_patient,
    a_provider,
    a_visit,
    keep,
)


def an_order(number: str = "ORDER1", visit: str = "V1") -> Call:
    segments = [["MSH", {"9.1": "RDE", "10": number}], ["PV1", {"19.1": visit}]]
    return Call(Target.HOSPITAL, Interaction.SEND, "RDE^O11", number, {"segments": segments})


async def planned(bench: Bench, translation: Translation | None) -> KeptMessage:
    """Keep a message, plan this translation of it, and show what became of it."""

    def job(tx: Transaction) -> KeptMessage:
        kept = tx.message(keep(tx, 1.0))
        assert kept is not None
        plan(tx, kept, translation, CATALOGUE, 2.0)
        after = tx.message(kept.id)
        assert after is not None
        return after

    return await bench.store.run(job)


def made(*calls: Call, **changes: object) -> Translation:
    return replace(Translation("hl7v2/adt", "hash", calls), **changes)  # type: ignore[arg-type]


NOT_CALLED = Cause(CauseKind.NOT_CALLED, name="PID-3 has no value")
ODD_PHONE = Remark(RemarkCode.NOT_A_PHONE, "PID-13", sent="none")


class TestFate:
    async def test_without_a_mapping_it_is_unmapped(self, bench: Bench) -> None:
        assert (await planned(bench, None)).status is Status.UNMAPPED

    async def test_with_a_problem_it_is_parked_for_its_sender(self, bench: Bench) -> None:
        kept = await planned(bench, made(cause=NOT_CALLED))
        assert (kept.status, kept.verdict) == (Status.PARKED, Verdict.SENDER)
        assert kept.reason == "PID-3 has no value"

    @pytest.mark.parametrize(
        "changes", [{}, {"cause": NOT_CALLED}, {"needs": ("patients/P1",)}], ids=str
    )
    async def test_it_keeps_its_remarks_whatever_its_status(
        self, bench: Bench, changes: dict[str, Any]
    ) -> None:
        kept = await planned(bench, made(a_patient(), warnings=(ODD_PHONE,), **changes))
        assert kept.remarks == (ODD_PHONE,)

    async def test_remarks_are_counted_by_sender_once_a_message(self, bench: Bench) -> None:
        for _ in range(3):
            await planned(bench, made(a_patient(), warnings=(ODD_PHONE,)))
        await planned(bench, made(warnings=(ODD_PHONE,), needs=("patients/P1",)))
        (found,) = bench.store.read(lambda view: view.remark_counts(9))
        assert found[:4] == ("HIS|LOTUS", "PID-13", "not_a_phone", 3)
        assert found.message_id == 3

    async def test_what_is_left_out_is_work_for_a_person(self, bench: Bench) -> None:
        left_out = Remark(RemarkCode.LEFT_OUT, "patient-visits", "no id for patient-visits")
        await planned(bench, made(a_patient(), warnings=(left_out, ODD_PHONE)))
        assert bench.store.read(lambda view: view.tasks()) == [("left_out", 1, 2.0)]

    async def test_with_a_need_it_is_held_for_the_first(self, bench: Bench) -> None:
        kept = await planned(bench, made(needs=("patient-visits/V1", "patients/P1")))
        assert (kept.status, kept.waits_for) == (Status.HELD, "patient-visits/V1")

    async def test_with_a_code_that_waits_for_a_row_it_is_held_by_the_mapping(
        self, bench: Bench
    ) -> None:
        codes = (UnknownCode("gender", "W", held=True), UnknownCode("language", "xx", held=False))
        kept = await planned(bench, made(needs=("codes/gender/W",), unknown_codes=codes))
        assert (kept.status, kept.verdict) == (Status.HELD, Verdict.MAPPING)
        assert kept.waits_for == "codes/gender/W"
        found = bench.store.read(lambda view: view.unmapped_codes(9))
        assert [(each.table, each.code, each.sender, each.waiting) for each in found] == [
            ("gender", "W", "HIS|LOTUS", 1),
            ("language", "xx", "HIS|LOTUS", 0),
        ]

    async def test_codes_of_what_waits_for_a_record_are_counted_when_it_has_come(
        self, bench: Bench
    ) -> None:
        codes = (UnknownCode("gender", "W", held=True),)
        needs = ("patients/P1", "codes/gender/W")
        kept = await planned(bench, made(needs=needs, unknown_codes=codes))
        assert (kept.verdict, kept.waits_for) == (Verdict.SENDER, "patients/P1")
        assert bench.store.read(lambda view: view.unmapped_codes(9)) == []

    async def test_without_calls_it_is_suppressed(self, bench: Bench) -> None:
        assert (await planned(bench, made())).status is Status.SUPPRESSED

    async def test_with_calls_it_waits(self, bench: Bench) -> None:
        kept = await planned(bench, made(a_patient()))
        assert (kept.status, kept.cause) == (Status.WAITING, None)
        assert (kept.mapping, kept.mappings_hash) == ("hl7v2/adt", "hash")


class TestLanes:
    @pytest.mark.parametrize(
        ("call", "lane"),
        [
            (a_patient("P7"), "patients/P7"),
            (a_visit("V1", "P7", providerId="D1"), "patients/P7"),
            (a_call("patient-visits", "V1", {"id": "V1"}), "patient-visits/V1"),
            (a_provider("D1"), "providers/D1"),
            (an_order("A", "V1"), "orders/V1"),
            (an_order("A", ""), "orders/A"),
        ],
    )
    def test_a_call_queues_with_its_patient_visit_or_record(self, call: Call, lane: str) -> None:
        assert lane_of(call, CATALOGUE) == lane

    async def test_deliveries_keep_the_order_of_the_calls(self, bench: Bench) -> None:
        kept = await planned(bench, made(a_patient(), a_provider(), a_visit()))
        deliveries = bench.deliveries([kept.id])
        assert [each.position for each in deliveries] == [0, 1, 2]
        assert [each.call.resource for each in deliveries] == [
            "patients",
            "providers",
            "patient-visits",
        ]


class TestNumbers:
    def call(self, key: str) -> Call:
        return replace(a_patient(key), allocations=(Allocation("uhid", "uhid", key),))

    async def test_a_key_gets_the_same_number_for_ever(self, bench: Bench) -> None:
        ids = [(await planned(bench, made(self.call(key)))).id for key in ("A", "B", "A")]
        numbers = [each.call.payload["uhid"] for each in bench.deliveries(ids)]
        assert numbers == [FIRST_NUMBER, FIRST_NUMBER + 1, FIRST_NUMBER]

    async def test_what_is_kept_asks_for_no_number_any_more(self, bench: Bench) -> None:
        kept = await planned(bench, made(self.call("A")))
        assert bench.deliveries([kept.id])[0].call.allocations == ()


class TestTeaching:
    async def test_facts_and_references_are_remembered(self, bench: Bench) -> None:
        call = replace(
            a_patient(), facts={"family": "Nair"}, references=("Patient/7",), authority="NORTH"
        )
        await planned(bench, made(call))
        entity = bench.store.read(lambda view: view.entity("patients", "P1"))
        assert entity is not None
        assert (entity.facts, entity.authority) == ({"family": "Nair"}, "NORTH")
        assert bench.store.read(lambda view: view.link("Patient/7")) == "P1"

    async def test_facts_gather_over_messages(self, bench: Bench) -> None:
        await planned(bench, made(replace(a_visit(), facts={"bed": "1", "room": "2"})))
        await planned(bench, made(replace(a_visit(), facts={"bed": "3"})))
        entity = bench.store.read(lambda view: view.entity("patient-visits", "V1"))
        assert entity is not None
        assert entity.facts == {"bed": "3", "room": "2"}

    async def test_a_record_of_another_authority_teaches_nothing(self, bench: Bench) -> None:
        await planned(bench, made(replace(a_patient(), authority="N", facts={"family": "Nair"})))
        other = replace(
            a_patient(), authority="S", facts={"family": "Das"}, references=("Patient/8",)
        )
        await planned(bench, made(other))
        entity = bench.store.read(lambda view: view.entity("patients", "P1"))
        assert entity is not None
        assert entity.facts == {"family": "Nair"}
        assert bench.store.read(lambda view: view.link("Patient/8")) is None


class TestReleasing:
    @pytest.mark.parametrize("need", ["patients/P1", "Patient/7"])
    async def test_a_message_that_waited_is_translated_again(self, bench: Bench, need: str) -> None:
        held = await planned(bench, made(needs=(need,)))
        await planned(bench, made(replace(a_patient(), references=("Patient/7",))))
        assert bench.status(held.id) is Status.WAITING
        untranslated = bench.store.read(lambda view: view.untranslated(10))
        assert [kept.id for kept in untranslated] == [held.id]


def a_renumbering(kind: Interaction, number: str, into: str) -> Call:
    return a_call("patients", number, {"id": number}, interaction=kind, into=into)


class TestOrderBehindACode:
    """A message that waits for a row of a code table is not passed by its patient's later ones."""

    HELD = made(
        needs=("codes/gender/W",),
        unknown_codes=(UnknownCode("gender", "W", held=True),),
        held_calls=(a_patient(),),
    )

    async def test_a_later_message_of_the_patient_waits_behind(self, bench: Bench) -> None:
        first = await planned(bench, self.HELD)
        later = await planned(bench, made(a_patient(), a_visit()))
        assert (later.status, later.waits_for) == (Status.HELD, "codes/gender/W")
        assert later.reason == f"waits behind message {first.id} of the same record"
        assert bench.store.read(lambda view: view.deliveries_of(later.id)) == []

    async def test_of_several_records_none_is_passed(self, bench: Bench) -> None:
        both = (a_patient(), replace(a_patient(), external_id="P2", payload={"id": "P2"}))
        await planned(bench, replace(self.HELD, held_calls=both))
        second = await planned(bench, made(both[1], a_patient("P3")))
        assert second.status is Status.HELD
        # and what is behind it in any of its lanes
        third = await planned(bench, made(a_patient("P3")))
        assert third.reason == f"waits behind message {second.id} of the same record"

    async def test_a_deletion_waits_behind_it(self, bench: Bench) -> None:
        await planned(bench, self.HELD)
        gone = replace(a_patient(), interaction=Interaction.DELETE)
        assert (await planned(bench, made(gone))).status is Status.HELD

    @pytest.mark.parametrize("resource", ["patient-visits", ACCOUNT])
    async def test_what_takes_something_from_its_patient_waits(
        self, bench: Bench, resource: str
    ) -> None:
        await planned(bench, self.HELD)
        moved = a_call(resource, "N1", {"id": "N1"}, interaction=Interaction.MOVE)
        moved = replace(moved, owner="P1", into="P2")
        later = await planned(bench, made(a_patient("P2"), moved))
        assert later.status is Status.HELD

    async def test_numbers_of_one_record_are_one(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1"))
        await bench.plan(a_patient("P2", uhid=2), a_renumbering(Interaction.MERGE, "P2", "P1"))
        late = replace(a_patient(), external_id="P2", payload={"id": "P2"})
        await planned(bench, replace(self.HELD, held_calls=(late,)))
        for number in ("P1", "P2"):
            assert (await planned(bench, made(a_patient(number)))).status is Status.HELD

    async def test_a_merge_of_its_other_number_waits(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1"))
        await bench.plan(a_patient("P9", uhid=9), a_renumbering(Interaction.RENAME, "P1", "P9"))
        await planned(bench, self.HELD)
        merged = made(a_patient("P3", uhid=3), a_renumbering(Interaction.MERGE, "P9", "P3"))
        assert (await planned(bench, merged)).status is Status.HELD

    async def test_once_let_go_it_holds_nothing_back(self, bench: Bench) -> None:
        first = await planned(bench, self.HELD)
        await bench.store.run(lambda tx: tx.release("codes/gender/W", 3.0))
        found = bench.store.read(lambda view: view.held_about("patients/P1", first.id + 1))
        assert found is None
        assert (await planned(bench, made(a_patient()))).status is Status.WAITING

    async def test_another_patients_message_does_not(self, bench: Bench) -> None:
        await planned(bench, self.HELD)
        other = replace(a_patient(), external_id="P2", payload={"id": "P2"})
        assert (await planned(bench, made(other))).status is Status.WAITING

    async def test_who_makes_a_doctor_known_waits_for_no_patient(self, bench: Bench) -> None:
        await planned(bench, self.HELD)
        assert (await planned(bench, made(a_provider()))).status is Status.WAITING

    async def test_all_of_them_are_let_go_in_the_order_they_came(self, bench: Bench) -> None:
        first = await planned(bench, self.HELD)
        later = await planned(bench, made(a_patient()))
        last = await planned(bench, made(a_patient()))
        await bench.store.run(lambda tx: tx.release("codes/gender/W", 3.0))
        waiting = bench.store.read(lambda view: view.untranslated(9))
        assert [kept.id for kept in waiting] == [first.id, later.id, last.id]

    async def test_a_message_that_came_before_is_not_held_by_it(self, bench: Bench) -> None:
        def earlier(tx: Transaction) -> int:
            return keep(tx, 1.0)

        before = await bench.store.run(earlier)
        await planned(bench, self.HELD)
        found = bench.store.read(lambda view: view.held_about("patients/P1", before))
        assert found is None
