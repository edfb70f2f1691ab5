"""Records that the hospital deletes."""

from __future__ import annotations

import pytest

from bridge.delivery import Call, Interaction, Target
from bridge.message import Status
from tests.unit.pipeline.bench import Bench, a_patient, a_visit
from tests.unit.pipeline.remote import Fault


def delete(resource: str, number: str, **payload: str) -> Call:
    fields = {"id": number, **payload}
    return Call(Target.ZAUTO, Interaction.DELETE, resource, number, fields)


async def test_a_visit_is_deleted(bench: Bench) -> None:
    await bench.plan(a_patient(), a_visit())
    deleted = await bench.plan(delete("patient-visits", "V1", patientId="P1"))
    await bench.finish()
    assert list(bench.remote.records) == [("patients", "P1")]
    assert bench.reason(deleted) == ""
    assert bench.status(deleted) is Status.DELIVERED
    assert bench.methods()[-1] == "DELETE patient-visits"


async def test_what_the_bridge_never_made_it_does_not_delete(bench: Bench) -> None:
    bench.remote.records["patients", "P1"] = {"id": "P1", "uhid": 1}
    deleted = await bench.plan(delete("patients", "P1"))
    await bench.finish()
    assert (bench.status(deleted), bench.methods()) == (Status.SUPPRESSED, [])
    assert bench.reason(deleted) == "the bridge has made no such record"


async def test_a_patient_who_has_visits_is_not_deleted(bench: Bench) -> None:
    await bench.plan(a_patient(), a_visit())
    await bench.finish()
    deleted = await bench.plan(delete("patients", "P1"))
    await bench.finish()
    assert bench.status(deleted) is Status.PARKED
    assert bench.reason(deleted).startswith("1 other record would be left without it")


async def test_a_patient_whose_visits_are_on_their_way_is_not_deleted(bench: Bench) -> None:
    await bench.plan(a_patient(), a_visit())
    deleted = await bench.plan(delete("patients", "P1"))
    await bench.finish()
    assert bench.status(deleted) is Status.PARKED
    assert ("patients", "P1") in bench.remote.records


async def test_a_record_that_is_gone_already_is_no_fault(bench: Bench) -> None:
    await bench.plan(a_patient())
    await bench.finish()
    bench.remote.wipe()
    deleted = await bench.plan(delete("patients", "P1"))
    await bench.finish()
    assert (bench.status(deleted), bench.reason(deleted)) == (
        Status.SUPPRESSED,
        "it is not there any more",
    )


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNHEARD, Fault.FAILED_AFTER, Fault.LIMITED])
async def test_an_unanswered_deletion_is_verified(bench: Bench, fault: Fault) -> None:
    await bench.plan(a_patient())
    await bench.finish()
    bench.remote.faults = iter([fault])
    deleted = await bench.plan(delete("patients", "P1"))
    await bench.finish()
    assert (bench.status(deleted), bench.remote.records) == (Status.DELIVERED, {})


async def test_a_record_that_comes_again_is_made_of_what_is_said_then(bench: Bench) -> None:
    await bench.plan(a_patient(gender="Female"))
    await bench.plan(delete("patients", "P1"))
    await bench.plan(a_patient())
    await bench.finish()
    assert "gender" not in bench.remote.records["patients", "P1"]
    assert bench.remote.creations["patients", "P1"] == 2
