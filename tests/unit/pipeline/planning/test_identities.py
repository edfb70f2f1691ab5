"""Merges, moves and changes of number, from the call to what ZautoAI holds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.delivery import (
    ACCOUNT,
    DELETED,
    Alias,
    Call,
    Interaction,
    Role,
    StatedNumber,
    Target,
)
from bridge.message import Status
from tests.unit.pipeline.bench import Bench, a_call, a_patient, a_visit
from tests.unit.pipeline.delivery.test_delete import delete
from tests.unit.pipeline.remote import Fault


def merge(prior: str, into: str, resource: str = "patients", **payload: Any) -> Call:
    return identity(Interaction.MERGE, resource, prior, into, payload={"id": prior, **payload})


def rename(number: str, into: str, resource: str = "patients") -> Call:
    return identity(Interaction.RENAME, resource, number, into)


def move(number: str, owner: str, into: str, resource: str = "patient-visits") -> Call:
    return identity(Interaction.MOVE, resource, number, into, owner=owner)


def identity(kind: Interaction, resource: str, number: str, into: str, **changes: Any) -> Call:
    payload = changes.pop("payload", {"id": number})
    return Call(Target.ZAUTO, kind, resource, number, payload, into=into, **changes)


def issued(authority: str, call: Call) -> Call:
    """The call as of a message that names this issuer of every number."""
    stated = {Role.INTO: call.into, Role.OWNER: call.owner}
    numbers = tuple(StatedNumber(role, number, authority) for role, number in stated.items())
    return replace(call, authority=authority, numbers=numbers if call.into else ())


def held(bench: Bench, resource: str, number: str) -> dict[str, Any]:
    """What ZautoAI holds of a record."""
    return bench.remote.records[resource, number]


def owners(bench: Bench) -> dict[str, str]:
    """Each visit's patient at ZautoAI."""
    return {
        number: record["patientId"] for number, record in all_of(bench, "patient-visits").items()
    }


def all_of(bench: Bench, resource: str) -> dict[str, dict[str, Any]]:
    """What ZautoAI holds of a resource, by external id."""
    return {
        number: held for (name, number), held in bench.remote.records.items() if name == resource
    }


def aliases(bench: Bench) -> dict[str, str]:
    return {each.key: each.leads_to for each in every_alias(bench)}


def every_alias(bench: Bench) -> Sequence[Alias]:
    return bench.store.read(lambda view: view.aliases(99))


def told(bench: Bench, message_id: int) -> str:
    """The report of the one call about identity of a message."""
    (reason,) = (each.reason for each in bench.deliveries([message_id]) if each.call.into)
    return reason


class TestMerge:
    async def test_the_visits_of_the_record_before_are_the_surviving_ones(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"), a_visit("V2", "P1"))
        await bench.plan(a_patient("P2", uhid=2), a_visit("V3", "P2"))
        await bench.finish()
        before = len(bench.methods())
        merged = await bench.plan(a_patient("P2", uhid=2, fullName="Meera K"), merge("P1", "P2"))
        await bench.finish()
        assert owners(bench) == {"V1": "P2", "V2": "P2", "V3": "P2"}
        assert held(bench, "patients", "P2")["fullName"] == "Meera K"
        made = sorted(bench.methods()[before:])
        assert made == ["PUT patient-visits", "PUT patient-visits", "PUT patients"]
        assert bench.status(merged) is Status.DELIVERED
        assert told(bench, merged) == (
            "2 visits re-pointed, the previous record is kept; visits that the bridge has not seen "
            "are unknown to it"
        )

    async def test_the_record_before_is_marked_where_the_mapping_says_so(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient("P1", uhid=1))
        await bench.plan(a_patient("P2", uhid=2))
        merged = await bench.plan(merge("P1", "P2", remarks="Merged"))
        await bench.finish()
        assert held(bench, "patients", "P1")["remarks"] == "Merged"
        assert "remarks" not in held(bench, "patients", "P2")
        assert "is marked" in told(bench, merged)

    async def test_late_messages_with_the_number_before_are_about_the_surviving_record(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"))
        await bench.plan(a_patient("P2", uhid=2))
        await bench.plan(merge("P1", "P2"))
        await bench.plan(a_patient("P1", uhid=1, fullName="Meera Late"), a_visit("V2", "P1"))
        await bench.finish()
        assert owners(bench) == {"V1": "P2", "V2": "P2"}
        survivor = held(bench, "patients", "P2")
        assert (survivor["fullName"], survivor["uhid"]) == ("Meera Late", 2)
        assert held(bench, "patients", "P1")["fullName"] == "Meera Nair"

    async def test_a_merge_that_comes_again_changes_nothing(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"))
        await bench.plan(a_patient("P2", uhid=2))
        await bench.plan(merge("P1", "P2", remarks="Merged"))
        await bench.finish()
        calls, known = len(bench.methods()), aliases(bench)
        again = await bench.plan(a_patient("P2", uhid=2), merge("P1", "P2", remarks="Merged"))
        await bench.finish()
        assert (len(bench.methods()), aliases(bench)) == (
            calls,
            known | {"patients/P2": "patients/P2"},
        )
        assert told(bench, again) == "they are one record already"

    async def test_merges_in_a_row_lead_to_the_last_one(self, bench: Bench) -> None:
        for number in (1, 2, 3):
            await bench.plan(
                a_patient(f"P{number}", uhid=number), a_visit(f"V{number}", f"P{number}")
            )
        await bench.plan(merge("P1", "P2"))
        await bench.plan(merge("P2", "P3"))
        await bench.plan(a_visit("V4", "P1"))
        await bench.finish()
        assert set(owners(bench).values()) == {"P3"}
        assert aliases(bench) == {"patients/P1": "patients/P3", "patients/P2": "patients/P3"}

    async def test_a_merge_the_other_way_round_makes_no_circle_but_the_number_count(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"))
        await bench.plan(a_patient("P2", uhid=2))
        await bench.plan(merge("P1", "P2"))
        await bench.plan(merge("P2", "P1"))
        await bench.plan(a_patient("P1", uhid=1))
        await bench.finish()
        assert aliases(bench) == {"patients/P1": "patients/P2", "patients/P2": "patients/P2"}
        assert held(bench, "patients", "P2")["uhid"] == 1
        assert owners(bench) == {"V1": "P2"}

    async def test_an_unknown_record_before_is_told(self, bench: Bench) -> None:
        merged = await bench.plan(a_patient("P2", uhid=2), merge("P1", "P2", remarks="Merged"))
        await bench.finish()
        assert list(all_of(bench, "patients")) == ["P2"]
        assert told(bench, merged) == "the bridge has seen no patient with the previous number"
        assert aliases(bench) == {"patients/P1": "patients/P2"}

    async def test_a_surviving_record_that_is_new_is_made_of_what_is_known_of_both(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient("P1", uhid=1, gender="Female"))
        sparse = {"id": "P2", "uhid": 2, "fullName": "Meera K"}
        await bench.plan(a_call("patients", "P2", sparse), merge("P1", "P2"))
        await bench.finish()
        survivor = held(bench, "patients", "P2")
        assert (survivor["fullName"], survivor["uhid"]) == ("Meera K", 2)
        assert (survivor["phoneNumber"], survivor["gender"]) == ("+919845000001", "Female")

    async def test_what_waits_in_the_lane_of_the_record_before_goes_out_for_the_surviving_one(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"))
        await bench.plan(a_patient("P2", uhid=2), merge("P1", "P2"))
        await bench.plan(a_visit("V1", "P2", purposeOfVisit="Fever"))
        await bench.finish()
        assert owners(bench) == {"V1": "P2"}
        assert held(bench, "patient-visits", "V1")["purposeOfVisit"] == "Fever"
        assert await bench.waiting() == 0

    async def test_what_was_held_for_the_record_before_is_released(self, bench: Bench) -> None:
        incomplete = a_call("patients", "P1", {"id": "P1", "uhid": 1, "fullName": "Meera Nair"})
        first = await bench.plan(incomplete, a_visit("V1", "P1"))
        await bench.finish()
        assert bench.status(first) is Status.PARKED
        await bench.plan(a_patient("P2", uhid=2), merge("P1", "P2"))
        await bench.finish()
        assert owners(bench) == {"V1": "P2"}
        assert bench.status(first) in (Status.DELIVERED, Status.SUPERSEDED)

    async def test_a_number_that_another_issued_is_refused(self, bench: Bench) -> None:
        mine = a_call("patients", "P1", a_patient("P1", uhid=1).payload, authority="LOTUS")
        await bench.plan(mine, a_visit("V1", "P1"))
        await bench.plan(a_patient("P2", uhid=2))
        theirs = identity(Interaction.MERGE, "patients", "P1", "P2", authority="ROSE")
        merged = await bench.plan(theirs)
        await bench.finish()
        assert (bench.status(merged), owners(bench)) == (Status.PARKED, {"V1": "P1"})
        assert told(bench, merged).startswith("conflict: this id was issued by 'LOTUS'")
        assert aliases(bench) == {}

    async def test_a_survivor_that_may_be_anothers_gets_no_visits(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"))
        other = a_call("patients", "P2", a_patient("P2", uhid=2).payload, authority="ROSE")
        await bench.plan(other)
        mine = a_call("patients", "P2", a_patient("P2", uhid=2).payload, authority="LOTUS")
        merged = await bench.plan(mine, merge("P1", "P2"))
        await bench.finish()
        assert (bench.status(merged), owners(bench)) == (Status.PARKED, {"V1": "P1"})

    async def test_a_number_issued_by_another_is_no_alias(self, bench: Bench) -> None:
        await bench.plan(a_patient("P2", uhid=2))
        await bench.plan(identity(Interaction.MERGE, "patients", "P1", "P2", authority="LOTUS"))
        theirs = a_call("patients", "P1", a_patient("P1", uhid=9).payload, authority="ROSE")
        await bench.plan(theirs, a_visit("V9", "P1"))
        await bench.finish()
        assert owners(bench) == {"V9": "P1"}
        assert held(bench, "patients", "P2")["uhid"] == 2

    async def test_a_prior_number_that_another_issued_leads_to_nobody(self, bench: Bench) -> None:
        await bench.plan(issued("LOTUS", a_patient("P2", uhid=2)), a_visit("V2", "P2"))
        await bench.plan(issued("LOTUS", merge("P1", "P2")))
        await bench.finish()
        theirs = issued("ROSE", a_patient("P5", uhid=5))
        merged = await bench.plan(theirs, issued("ROSE", merge("P1", "P5")))
        await bench.finish()
        assert (bench.status(merged), owners(bench)) == (Status.PARKED, {"V2": "P2"})
        assert told(bench, merged).startswith("conflict: this id was issued by 'LOTUS'")

    async def test_a_surviving_number_that_another_issued_leads_to_nobody(
        self, bench: Bench
    ) -> None:
        await bench.plan(issued("LOTUS", a_patient("P2", uhid=2)))
        await bench.plan(issued("LOTUS", merge("P1", "P2")))
        await bench.plan(issued("ROSE", a_patient("P6", uhid=6)), a_visit("V6", "P6"))
        await bench.finish()
        theirs = issued("ROSE", a_patient("P1", uhid=1))
        merged = await bench.plan(theirs, issued("ROSE", merge("P6", "P1")))
        await bench.finish()
        assert (bench.status(merged), owners(bench)) == (Status.PARKED, {"V6": "P6"})

    async def test_pairs_in_a_row_in_one_message_lead_to_the_last_one(self, bench: Bench) -> None:
        for number in (1, 2, 3):
            await bench.plan(
                a_patient(f"P{number}", uhid=number), a_visit(f"V{number}", f"P{number}")
            )
        second, third = a_patient("P2", uhid=2), a_patient("P3", uhid=3)
        await bench.plan(second, third, merge("P1", "P2", remarks="M"), merge("P2", "P3"))
        await bench.finish()
        assert set(owners(bench).values()) == {"P3"}
        assert held(bench, "patients", "P3")["uhid"] == 3
        assert held(bench, "patients", "P1")["remarks"] == "M"

    async def test_a_pair_into_a_number_that_the_same_message_gave_up(self, bench: Bench) -> None:
        for number in (1, 2, 3):
            await bench.plan(
                a_patient(f"P{number}", uhid=number), a_visit(f"V{number}", f"P{number}")
            )
        second, first = a_patient("P2", uhid=2), a_patient("P1", uhid=1)
        await bench.plan(second, first, merge("P1", "P2"), merge("P3", "P1"))
        await bench.finish()
        assert set(owners(bench).values()) == {"P2"}
        assert held(bench, "patients", "P2")["uhid"] == 2

    async def test_a_mark_is_told_whatever_became_of_the_visits(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"), a_visit("V2", "P1"))
        await bench.plan(a_patient("P2", uhid=2))
        bench.remote.faults = iter([Fault.NONE, Fault.NONE, Fault.INVALID])
        await bench.finish()
        merged = await bench.plan(merge("P1", "P2", remarks="Merged"))
        await bench.finish()
        assert held(bench, "patients", "P1")["remarks"] == "Merged"
        assert "is marked" in told(bench, merged)

    async def test_a_deleted_visit_is_not_counted(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"))
        await bench.plan(delete("patient-visits", "V1", patientId="P1"))
        await bench.plan(a_patient("P2", uhid=2))
        await bench.finish()
        merged = await bench.plan(merge("P1", "P2"))
        assert told(bench, merged).startswith("0 visits re-pointed")

    async def test_a_visit_held_for_another_record_is_the_surviving_ones_when_it_goes(
        self, bench: Bench
    ) -> None:
        nameless = a_call("providers", "D1", {"id": "D1"}, interaction=Interaction.CREATE)
        await bench.plan(a_patient("P1", uhid=1), nameless, a_visit("V1", "P1", providerId="D1"))
        await bench.plan(a_patient("P2", uhid=2))
        await bench.finish()
        await bench.plan(merge("P1", "P2"))
        await bench.plan(a_call("providers", "D1", {"id": "D1", "fullName": "Dr. Anand Rao"}))
        await bench.finish()
        assert owners(bench) == {"V1": "P2"}

    async def test_a_record_that_is_cleared_away_after_a_merge_is_not_the_surviving_one(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"), a_visit("V2", "P1"))
        await bench.plan(merge("V1", "V2", "patient-visits"))
        await bench.plan(delete("patient-visits", "V1", patientId="P1"))
        await bench.plan(a_patient("P2", uhid=2), merge("P1", "P2"))
        await bench.plan(delete("patients", "P1"))
        await bench.finish()
        assert list(all_of(bench, "patients")) == ["P2"]
        assert owners(bench) == {"V2": "P2"}

    async def test_a_mark_of_deletion_stays_with_the_record_before(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1))
        await bench.plan(a_patient("P2", uhid=2))
        await bench.plan(merge("P1", "P2"))
        marked = a_patient("P1", uhid=1, remarks="Deleted by the hospital")
        await bench.plan(replace(marked, facts={DELETED: "Y"}))
        await bench.finish()
        assert held(bench, "patients", "P1")["remarks"] == "Deleted by the hospital"
        assert "remarks" not in held(bench, "patients", "P2")


class TestLanes:
    """No two lanes wait for each other."""

    async def test_a_lost_survivor_is_made_again_behind_its_visits(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"), a_visit("V2", "P1"))
        await bench.plan(a_patient("P2", uhid=2))
        await bench.finish()
        bench.remote.wipe()
        await bench.plan(merge("P1", "P2"))
        await bench.plan(a_visit("V2", "P2", purposeOfVisit="Fever"))
        await bench.finish()
        assert owners(bench) == {"V1": "P2", "V2": "P2"}
        assert held(bench, "patient-visits", "V2")["purposeOfVisit"] == "Fever"

    async def test_visits_that_change_places_before_their_patients_come(self, bench: Bench) -> None:
        await bench.plan(a_visit("V1", "P1"))
        await bench.plan(a_visit("V2", "P2"))
        await bench.finish()
        await bench.plan(a_patient("P1", uhid=1))
        await bench.plan(a_patient("P2", uhid=2))
        await bench.plan(move("V1", "P1", "P2"))
        await bench.plan(move("V2", "P2", "P1"))
        await bench.finish()
        assert owners(bench) == {"V1": "P2", "V2": "P1"}


class TestVisits:
    async def test_a_visit_that_was_one_with_another_is_marked_and_followed(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient("P1"), a_visit("V1", "P1"), a_visit("V2", "P1"))
        await bench.plan(merge("V1", "V2", "patient-visits", status="CANCELED"))
        await bench.plan(a_visit("V1", "P1", purposeOfVisit="Fever"))
        await bench.finish()
        assert held(bench, "patient-visits", "V1")["status"] == "CANCELED"
        assert held(bench, "patient-visits", "V2")["purposeOfVisit"] == "Fever"

    async def test_visits_of_two_patients_are_not_merged(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"))
        await bench.plan(a_patient("P2", uhid=2), a_visit("V2", "P2"))
        merged = await bench.plan(merge("V1", "V2", "patient-visits", status="CANCELED"))
        await bench.finish()
        assert bench.status(merged) is Status.PARKED
        assert held(bench, "patient-visits", "V1")["status"] == "IN_QUEUE"

    async def test_a_visit_moves_and_both_patients_stay(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"), a_visit("V2", "P1"))
        await bench.plan(a_patient("P2", uhid=2), move("V1", "P1", "P2"), a_visit("V1", "P2"))
        await bench.finish()
        assert owners(bench) == {"V1": "P2", "V2": "P1"}
        assert aliases(bench) == {}

    async def test_a_visit_of_a_third_patient_does_not_move(self, bench: Bench) -> None:
        await bench.plan(a_patient("P3", uhid=3), a_visit("V1", "P3"))
        await bench.plan(a_patient("P1", uhid=1))
        moved = await bench.plan(a_patient("P2", uhid=2), move("V1", "P1", "P2"))
        await bench.finish()
        assert (owners(bench), bench.status(moved)) == ({"V1": "P3"}, Status.PARKED)

    async def test_a_visit_that_moves_waits_no_longer_for_the_patient_before(
        self, bench: Bench
    ) -> None:
        incomplete = a_call("patients", "P1", {"id": "P1", "uhid": 1, "fullName": "Meera Nair"})
        await bench.plan(incomplete, a_visit("V1", "P1"))
        await bench.finish()
        await bench.plan(a_patient("P2", uhid=2), move("V1", "P1", "P2"))
        await bench.plan(a_visit("V1", "P2", purposeOfVisit="Fever"))
        await bench.finish()
        assert owners(bench) == {"V1": "P2"}
        assert held(bench, "patient-visits", "V1")["purposeOfVisit"] == "Fever"

    async def test_a_visit_that_was_never_seen_is_told(self, bench: Bench) -> None:
        moved = await bench.plan(a_patient("P2", uhid=2), move("V1", "P1", "P2"))
        assert told(bench, moved) == "the bridge has seen no patient visit with the previous number"


def of_account(visit: Call, number: str) -> Call:
    return a_call("patient-visits", visit.external_id, visit.payload, facts={ACCOUNT: number})


class TestAccounts:
    async def test_an_account_moves_with_its_visits_and_no_others(self, bench: Bench) -> None:
        first, second = a_visit("V1", "P1"), a_visit("V2", "P1")
        await bench.plan(a_patient("P1", uhid=1), of_account(first, "A1"), of_account(second, "A2"))
        await bench.plan(a_patient("P2", uhid=2), move("A1", "P1", "P2", ACCOUNT))
        await bench.finish()
        assert owners(bench) == {"V1": "P2", "V2": "P1"}

    async def test_a_merged_account_leads_late_messages_to_the_other(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1"), of_account(a_visit("V1", "P1"), "A1"))
        merged = identity(Interaction.MERGE, ACCOUNT, "A1", "A2", owner="P1")
        await bench.plan(a_patient("P1"), merged)
        await bench.plan(of_account(a_visit("V2", "P1"), "A1"))
        await bench.plan(a_patient("P2", uhid=2), move("A2", "P1", "P2", ACCOUNT))
        await bench.finish()
        assert owners(bench) == {"V1": "P2", "V2": "P2"}

    async def test_an_account_moves_by_the_number_before_too(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1"), of_account(a_visit("V1", "P1"), "A1"))
        for into in ("A2", "A3"):
            await bench.plan(identity(Interaction.MERGE, ACCOUNT, "A1", into, owner="P1"))
        await bench.plan(a_patient("P2", uhid=2), move("A1", "P1", "P2", ACCOUNT))
        await bench.finish()
        assert owners(bench) == {"V1": "P2"}


class TestRename:
    async def test_the_record_stays_the_same_under_another_number(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1), a_visit("V1", "P1"))
        await bench.plan(a_patient("P9", uhid=9), rename("P1", "P9"))
        await bench.plan(a_visit("V2", "P9"))
        await bench.finish()
        assert list(all_of(bench, "patients")) == ["P1"]
        assert held(bench, "patients", "P1")["uhid"] == 9
        assert owners(bench) == {"V1": "P1", "V2": "P1"}

    async def test_the_number_before_does_not_come_back(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1))
        await bench.plan(a_patient("P9", uhid=9), rename("P1", "P9"))
        await bench.plan(a_patient("P1", uhid=1, fullName="Meera Late"))
        await bench.finish()
        record = held(bench, "patients", "P1")
        assert (record["uhid"], record["fullName"]) == (9, "Meera Late")

    async def test_a_number_that_another_record_has_is_refused(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1))
        await bench.plan(a_patient("P9", uhid=9))
        renamed = await bench.plan(a_patient("P9", uhid=9), rename("P1", "P9"))
        await bench.finish()
        assert (bench.status(renamed), aliases(bench)) == (Status.PARKED, {})

    async def test_a_record_that_was_never_seen_begins_under_its_new_number(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient("P9", uhid=9), rename("P1", "P9"))
        await bench.finish()
        assert list(all_of(bench, "patients")) == ["P9"]
        assert aliases(bench) == {"patients/P1": "patients/P9"}

    async def test_a_number_that_a_record_gave_up_deletes_nothing(self, bench: Bench) -> None:
        await bench.plan(a_patient("P1", uhid=1))
        await bench.plan(a_patient("P9", uhid=9), rename("P1", "P9"))
        deleted = await bench.plan(delete("patients", "P1"))
        await bench.finish()
        assert list(bench.remote.records) == [("patients", "P1")]
        assert bench.status(deleted) is Status.SUPPRESSED
        assert bench.reason(deleted) == "the record no longer goes by this number: it stays"
        await bench.plan(delete("patients", "P9"))
        await bench.finish()
        assert bench.remote.records == {}


numbers = st.integers(1, 5).map("P{}".format)
events = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), numbers, numbers),
        st.tuples(st.just("rename"), numbers, numbers),
        st.tuples(st.just("visit"), numbers, st.integers(1, 9).map("V{}".format)),
    ),
    max_size=14,
)


troubles = st.lists(
    st.sampled_from([Fault.NONE, Fault.LOST, Fault.UNHEARD, Fault.FAILED_AFTER, Fault.LIMITED]),
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(events, troubles)
def test_whatever_becomes_one_no_alias_leads_to_another_and_every_visit_to_a_record(
    script: list[tuple[str, str, str]], faults: list[Fault]
) -> None:
    asyncio.run(play(script, faults))


async def play(script: list[tuple[str, str, str]], faults: list[Fault]) -> None:
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.remote.faults = iter(faults)
        try:
            for kind, one, other in script:
                await bench.plan(*calls_of(kind, one, other))
                if kind == "visit":
                    await bench.look()
            await bench.finish()
            check(bench)
        finally:
            await bench.store.close()


def calls_of(kind: str, one: str, other: str) -> list[Call]:
    uhid = int(one[1:])
    if kind == "visit":
        return [a_patient(one, uhid=uhid), a_visit(other, one)]
    if one == other:
        return [a_patient(one, uhid=uhid)]
    renumber = merge if kind == "merge" else rename
    return [a_patient(other, uhid=int(other[1:])), renumber(one, other)]


def check(bench: Bench) -> None:
    known = aliases(bench)
    for target in known.values():
        assert known.get(target, target) == target
    for number, record in all_of(bench, "patient-visits").items():
        entity = bench.store.read(lambda view, number=number: view.entity("patient-visits", number))
        assert entity is not None
        owner = f"patients/{record['patientId']}"
        assert entity.owner == owner
        assert known.get(owner, owner) == owner
        assert record["patientId"] in all_of(bench, "patients")
