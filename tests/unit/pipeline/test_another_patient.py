"""A visit number that comes under another patient touches neither the visit nor its orders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.message import Status
from tests.unit.pipeline.bench import Bench, a_patient, a_visit


async def test_a_visit_is_not_moved_to_another_patient(bench: Bench) -> None:
    await bench.plan(a_patient("P1"), a_visit("V1", "P1"))
    await bench.finish()

    other = await bench.plan(a_patient("P2"), a_visit("V1", "P2"))
    await bench.finish()

    assert bench.remote.records["patient-visits", "V1"]["patientId"] == "P1"
    assert bench.status(other) is Status.PARKED
    assert (
        bench.reason(other) == "conflict: this id is known as another patient visit (by patientId)"
    )


@pytest.mark.parametrize("rounds", [0, 1, 2])
async def test_whichever_is_sent_first_the_first_that_came_has_the_number(
    bench: Bench, rounds: int
) -> None:
    first = await bench.plan(a_patient("P1"), a_visit("V1", "P1"))
    for _ in range(rounds):
        await bench.look()
    await bench.plan(a_patient("P2"), a_visit("V1", "P2"))
    await bench.finish()

    assert bench.remote.records["patient-visits", "V1"]["patientId"] == "P1"
    assert bench.status(first) is Status.DELIVERED


async def test_what_orders_are_written_from_stays_the_first_patients(bench: Bench) -> None:
    await bench.plan(replace(a_visit("V1", "P1"), facts={"patientId": "P1"}))
    await bench.plan(replace(a_visit("V1", "P2"), facts={"patientId": "P2"}))

    visit = bench.store.read(lambda view: view.entity("patient-visits", "V1"))

    assert visit is not None
    assert visit.facts["patientId"] == "P1"


async def test_a_visit_does_not_become_anothers_whose_number_is_the_same(bench: Bench) -> None:
    await bench.plan(replace(a_patient("P1"), authority="LOTUS"), a_visit("V1", "P1"))
    await bench.finish()

    theirs = await bench.plan(replace(a_patient("P1"), authority="ROSE"), a_visit("V9", "P1"))
    await bench.finish()

    assert [number for name, number in bench.remote.records if name == "patient-visits"] == ["V1"]
    assert bench.status(theirs) is Status.PARKED
    assert [each.reason.partition(":")[0] for each in bench.deliveries([theirs])] == [
        "conflict",
        "conflict",
    ]
