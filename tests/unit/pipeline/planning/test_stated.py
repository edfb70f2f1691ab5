"""What a message says of the records that its calls are about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.delivery import ACCOUNT, Alias, Call, Interaction, Role, StatedNumber
from bridge.pipeline.planning.stated import StatedRecords
from bridge.pipeline.records.known import KnownRecords
from bridge.store.contract import View
from tests.unit.pipeline.bench import CATALOGUE, Bench, a_call, a_patient, a_visit

MERGE = a_call("patients", "P1", {}, interaction=Interaction.MERGE, into="P2", authority="NORTH")
MOVE = a_call(
    "patient-visits", "V1", {}, interaction=Interaction.MOVE, into="P2", owner="P1", authority=""
)


def stated(view: View, *calls: Call) -> StatedRecords:
    return StatedRecords(KnownRecords(view, CATALOGUE), calls)


@pytest.mark.parametrize(
    ("call", "chosen", "keys"),
    [
        (
            MERGE,
            {Role.ID: "P1", Role.INTO: "P2"},
            {"patients/P1", "patients/P2"},
        ),
        (
            MOVE,
            {Role.ID: "V1", Role.INTO: "P2", Role.OWNER: "P1"},
            {"patient-visits/V1", "patients/P2", "patients/P1"},
        ),
        (
            a_visit("V1", patient="P7"),
            {Role.ID: "V1", Role.OWNER: "P7"},
            {"patient-visits/V1", "patients/P7"},
        ),
    ],
)
def test_each_number_is_a_records_in_its_role(
    bench: Bench, call: Call, chosen: dict[Role, str], keys: set[str]
) -> None:
    def read(view: View) -> tuple[dict[Role, str], set[str]]:
        records = stated(view, call)
        found = records.chosen(call)
        return found, {records.key(call, role, number) for role, number in found.items()}

    assert bench.store.read(read) == (chosen, keys)


def test_an_account_belongs_to_whom_its_visits_do(bench: Bench) -> None:
    account = replace(MOVE, resource=ACCOUNT, external_id="A1")
    assert bench.store.read(lambda view: stated(view).has_owner(account))
    assert bench.store.read(lambda view: stated(view).owners(account)) == {
        "patients/P1",
        "patients/P2",
    }
    assert not bench.store.read(lambda view: stated(view).has_owner(a_patient()))


async def test_an_owner_is_the_record_that_its_number_leads_to(bench: Bench) -> None:
    message_id = await bench.plan()
    alias = Alias("patients/P1", "patients/P3", "", True, message_id, 0.0)
    await bench.store.run(lambda tx: tx.put_alias(alias))
    owners = bench.store.read(lambda view: stated(view).owners(MOVE))
    assert owners == {"patients/P3", "patients/P2"}


class TestIssuer:
    def issuer(self, bench: Bench, call: Call, role: Role, number: str, *others: Call) -> str:
        return bench.store.read(lambda view: stated(view, call, *others).issuer(call, role, number))

    def test_of_the_calls_own_number(self, bench: Bench) -> None:
        assert self.issuer(bench, MERGE, Role.ID, "P1") == "NORTH"
        assert self.issuer(bench, MERGE, Role.INTO, "P2") == ""

    def test_of_a_number_beside_it(self, bench: Bench) -> None:
        number = StatedNumber(Role.INTO, "P2", "SOUTH")
        assert self.issuer(bench, replace(MERGE, numbers=(number,)), Role.INTO, "P2") == "SOUTH"

    def test_of_another_call_for_the_record(self, bench: Bench) -> None:
        other = replace(a_patient("P2"), authority="SOUTH")
        assert self.issuer(bench, MERGE, Role.INTO, "P2", other) == "SOUTH"
        assert self.issuer(bench, MERGE, Role.INTO, "P2", replace(MERGE, external_id="P2")) == ""
