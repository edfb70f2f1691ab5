"""One visit that is known by several ids, from the call to what ZautoAI holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bridge.delivery import Call, OtherId
from bridge.message import Status
from bridge.remarks import RemarkCode
from tests.unit.pipeline.bench import Bench, a_call, a_patient


def appointment(
    number: str, *, placer: str = "", visit: str = "", patient: str = "P1", **payload: Any
) -> Call:
    """An upsert as an SIU message makes it: of the visit number where it names one."""
    stated = [OtherId(f"SCH2-{number}")] if number else []
    stated += [OtherId(f"SCH1-{placer}")] if placer else []
    return a_visit(visit or stated[0].external_id, patient, stated, **payload)


def encounter(number: str, *, alternate: str = "", patient: str = "P1", **payload: Any) -> Call:
    """An upsert as an ADT message makes it."""
    guessed = [OtherId(f"SCH2-{alternate}", guessed=True)] if alternate else []
    return a_visit(number, patient, guessed, **payload)


def a_visit(number: str, patient: str, also: Sequence[OtherId], **payload: Any) -> Call:
    authority = payload.pop("authority", "")
    body = {
        "id": number,
        "patientId": patient,
        "visitDateTime": "2026-03-12T05:00:00Z",
        "status": "IN_QUEUE",
        **payload,
    }
    create_only = frozenset() if "status" in payload else frozenset({"status"})
    return a_call(
        "patient-visits",
        number,
        body,
        also=tuple(also),
        create_only=create_only,
        authority=authority,
    )


async def visits(bench: Bench, *calls: Call) -> dict[str, str]:
    """What becomes of calls, each of a message of its own: status by external id at ZautoAI."""
    await bench.plan(a_patient("P1", uhid=1), a_patient("P2", uhid=2))
    for call in calls:
        await bench.plan(call)
        await bench.finish()
    records = bench.remote.records.items()
    return {number: held["status"] for (name, number), held in records if name == "patient-visits"}


async def test_a_visit_number_that_scheduling_names_later_leads_to_the_appointments_visit(
    bench: Bench,
) -> None:
    held = await visits(
        bench,
        appointment("A1"),
        appointment("A1", visit="V9"),
        encounter("V9", status="FINISHED"),
    )
    assert held == {"SCH2-A1": "FINISHED"}


async def test_an_appointments_number_leads_to_the_visit_it_was_named_with(bench: Bench) -> None:
    held = await visits(bench, appointment("A1", visit="V9"), appointment("A1", status="CANCELED"))
    assert held == {"V9": "CANCELED"}


async def test_a_visit_that_registration_named_first_is_the_appointments(bench: Bench) -> None:
    held = await visits(
        bench,
        encounter("V9"),
        appointment("A1", visit="V9"),
        appointment("A1", status="NO_SHOW"),
    )
    assert held == {"V9": "NO_SHOW"}


async def test_registration_may_name_the_appointment_by_an_alternate_number(bench: Bench) -> None:
    held = await visits(
        bench,
        appointment("A1"),
        encounter("V9", alternate="A1"),
        encounter("V9", status="FINISHED"),
        appointment("A1", status="COMPLETED"),
    )
    assert held == {"SCH2-A1": "COMPLETED"}


async def test_an_alternate_number_of_another_patient_or_of_nothing_known_joins_nothing(
    bench: Bench,
) -> None:
    held = await visits(
        bench,
        appointment("A1", patient="P2"),
        encounter("V9", alternate="A1"),
        encounter("V8", alternate="A2"),
        appointment("A2"),
    )
    assert sorted(held) == ["SCH2-A1", "SCH2-A2", "V8", "V9"]


async def test_an_alternate_number_says_nothing_of_a_visit_that_is_known(bench: Bench) -> None:
    await visits(bench, appointment("A1"), encounter("V9"))
    told = await bench.plan(encounter("V9", alternate="A1", status="FINISHED"))
    await bench.finish()
    kept = bench.store.read(lambda view: view.message(told))
    assert kept is not None
    assert kept.reason == ""
    assert bench.remote.records["patient-visits", "SCH2-A1"]["status"] == "IN_QUEUE"


async def test_appointments_that_share_a_visit_number_stay_visits_of_their_own(
    bench: Bench,
) -> None:
    held = await visits(
        bench,
        appointment("A1", visit="V9"),
        appointment("A2", visit="V9"),
        appointment("A2", visit="V9", status="CANCELED"),
        appointment("A1", visit="V9", status="COMPLETED"),
    )
    assert held == {"V9": "COMPLETED", "SCH2-A2": "CANCELED"}


async def test_appointments_of_one_request_stay_visits_of_their_own(bench: Bench) -> None:
    held = await visits(
        bench,
        appointment("A1", placer="R1"),
        appointment("A2", placer="R1"),
        appointment("A2", placer="R1", status="CANCELED"),
    )
    assert held == {"SCH2-A1": "IN_QUEUE", "SCH2-A2": "CANCELED"}


async def test_the_fillers_number_may_come_after_the_placers(bench: Bench) -> None:
    held = await visits(
        bench,
        appointment("", placer="R1"),
        appointment("A1", placer="R1"),
        appointment("A1", status="CANCELED"),
    )
    assert held == {"SCH1-R1": "CANCELED"}


async def test_another_request_for_the_same_appointment_makes_no_visit(bench: Bench) -> None:
    held = await visits(
        bench, appointment("A1", placer="R1"), appointment("A1", placer="R2", status="CANCELED")
    )
    assert held == {"SCH2-A1": "CANCELED"}


async def test_two_visits_that_are_there_stay_two_and_the_message_says_so(bench: Bench) -> None:
    held = await visits(bench, appointment("A1"), encounter("V9"))
    assert sorted(held) == ["SCH2-A1", "V9"]
    told = await bench.plan(appointment("A1", visit="V9", status="CANCELED"))
    await bench.finish()
    kept = bench.store.read(lambda view: view.message(told))
    assert kept is not None
    assert [remark.code for remark in kept.remarks] == [RemarkCode.TWO_RECORDS]
    assert bench.remote.records["patient-visits", "V9"]["status"] == "CANCELED"
    assert bench.remote.records["patient-visits", "SCH2-A1"]["status"] == "IN_QUEUE"


async def test_a_number_of_another_issuer_leads_nowhere(bench: Bench) -> None:
    await visits(bench, appointment("A1", visit="V9", authority="SGH"))
    other = await bench.plan(appointment("A2", visit="V9", authority="LMC", status="CANCELED"))
    await bench.finish()
    assert bench.status(other) is Status.PARKED
    held = await visits(bench, appointment("A2", status="CANCELED"))
    assert held == {"V9": "IN_QUEUE", "SCH2-A2": "CANCELED"}
