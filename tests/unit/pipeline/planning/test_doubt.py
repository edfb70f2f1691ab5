"""Refused means untouched: what ZautoAI holds before and after a message in doubt.

Two patients of one hospital are known, A with visit VA and account AA, B with VB and AB, and a
third one, C, with VC and AC. Each cell of the table sends one message that may not be carried out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pytest

from bridge.causes import action
from bridge.message import Status
from tests.unit.pipeline.bench import Bench
from tests.unit.pipeline.hospital import Hospital, mrg, pid, pv1

A, B, C = "601^^^CITY^MR", "602^^^CITY^MR", "603^^^CITY^MR"
OTHER_A, OTHER_B = "601^^^LAKE^MR", "602^^^LAKE^MR"
BARE_A, BARE_B = "601^^^^MR", "602^^^^MR"
VA, VB, VC = "VA^^^CITY", "VB^^^CITY", "VC^^^CITY"
AA, AB, AC = "AA^^^CITY^AN", "AB^^^CITY^AN", "AC^^^CITY^AN"
NEW = "699^^^CITY^MR"
#: whose data a refused message carries: it must be found nowhere
NAME, BORN = "Wrong^Person", "19550101"


class Cell(NamedTuple):
    """A message that must be refused."""

    event: str
    why: str
    segments: tuple[str, ...]


def who(*numbers: str, account: str = "") -> str:
    return pid(*numbers, name=NAME, born=BORN, account=account)


def refused() -> list[Cell]:
    """The table."""
    cells: list[Cell] = []

    def add(event: str, why: str, *segments: str) -> None:
        cells.append(Cell(event, why, segments))

    for event in ("A18", "A30", "A34", "A36", "A39", "A40"):
        account = {"account": AB} if event in ("A18", "A36") else {}
        own = {"account": AA} if account else {}
        add(event, "prior of another issuer", who(A, **own), mrg(OTHER_B, **account))
        add(event, "survivor of another issuer", who(OTHER_A, **own), mrg(B, **account))
        add(event, "prior without issuer", who(A, **own), mrg(BARE_B, **account))
        add(event, "survivor without issuer", who(BARE_A, **own), mrg(B, **account))
        add(event, "two priors", who(A, **own), mrg(f"{B}~{C}", **account))
        add(event, "two priors, the first unknown", who(A, **own), mrg(f"{NEW}~{C}", **account))
        add(event, "two survivors", who(A, C, **own), mrg(B, **account))
        add(event, "two survivors, the prior first", who(B, A, **own), mrg(B, **account))
    for event in ("A18", "A36"):
        add(event, "account of a third", who(A, account=AA), mrg(B, account=AC))
    for event in ("A46", "A47", "A48"):
        add(event, "the new number is another's", who(A), mrg(B))
        add(event, "prior of another issuer", who(NEW), mrg(OTHER_B))
        add(event, "prior without issuer", who(NEW), mrg(BARE_B))
        add(event, "new number of another issuer", who(OTHER_A), mrg(B))
        add(event, "two priors", who(NEW), mrg(f"{B}~{C}"))
        add(event, "one of the new numbers is another's", who(NEW, A), mrg(B))
    add("A43", "person of another issuer", who(A), mrg(OTHER_A))
    add("A43", "record of another issuer", who(OTHER_A), mrg(A))
    add("A43", "without issuer", who(BARE_A), mrg(BARE_A))
    add("A43", "two records", who(A), mrg(B))
    add("A43", "two records, the new one unknown", who(NEW), mrg(B))
    add("A43", "two priors", who(A), mrg(f"{A}~{C}"))
    add("A44", "patient of another issuer", who(OTHER_A, account=AB), mrg(B, account=AB))
    add("A44", "prior of another issuer", who(A, account=AB), mrg(OTHER_B, account=AB))
    add("A44", "patient without issuer", who(BARE_A, account=AB), mrg(B, account=AB))
    add("A44", "prior without issuer", who(A, account=AB), mrg(BARE_B, account=AB))
    add("A44", "account of a third", who(A, account=AC), mrg(B, account=AC))
    add("A44", "two priors", who(A, account=AB), mrg(f"{B}~{C}", account=AB))
    add("A44", "two patients", who(A, C, account=AB), mrg(B, account=AB))
    add("A44", "the prior is listed too", who(A, B, account=AB), mrg(B, account=AB))
    add("A45", "patient of another issuer", who(OTHER_A), mrg(B, visit=VB), pv1(VB))
    add("A45", "prior of another issuer", who(A), mrg(OTHER_B, visit=VB), pv1(VB))
    add("A45", "patient without issuer", who(BARE_A), mrg(B, visit=VB), pv1(VB))
    add("A45", "prior without issuer", who(A), mrg(BARE_B, visit=VB), pv1(VB))
    add("A45", "visit of another issuer", who(A), mrg(B, visit="VB^^^LAKE"), pv1(VB))
    add("A45", "visit without issuer", who(A), mrg(B, visit="VB"), pv1("VB"))
    add("A45", "visit of a third", who(A), mrg(B, visit=VC), pv1(VC))
    add("A45", "two visits", who(A), mrg(B, visit=VB, alternate=VC), pv1(VB))
    add("A45", "two priors", who(A), mrg(f"{B}~{C}", visit=VB), pv1(VB))
    add("A45", "two patients", who(A, C), mrg(B, visit=VB), pv1(VB))
    add("A42", "prior of another issuer", who(A), mrg(A, visit="VB^^^LAKE"), pv1(VA))
    add("A42", "survivor of another issuer", who(A), mrg(A, visit="VA2^^^CITY"), pv1("VA^^^LAKE"))
    add("A42", "prior without issuer", who(A), mrg(A, visit="VA2"), pv1(VA))
    add("A42", "patient of another issuer", who(OTHER_A), mrg(A, visit="VA2^^^CITY"), pv1(VA))
    add("A42", "patient without issuer", who(BARE_A), mrg(BARE_A, visit="VA2^^^CITY"), pv1(VA))
    add("A42", "prior of another patient", who(A), mrg(A, visit=VB), pv1(VA))
    add("A42", "prior of another, survivor unknown", who(A), mrg(A, visit=VB), pv1("VX^^^CITY"))
    add("A42", "survivor of another patient", who(A), mrg(A, visit="VA2^^^CITY"), pv1(VB))
    add("A42", "MRG names another patient", who(A), mrg(B, visit=VB), pv1(VA))
    add("A42", "two priors", who(A), mrg(A, visit="VA2^^^CITY", alternate=VC), pv1(VA))
    add("A42", "two survivors", who(A), mrg(A, visit="VA2^^^CITY"), pv1(VA, alternate=VC))
    for event in ("A50", "A51"):
        new = "VX^^^CITY"
        add(event, "the new number is another's", who(A), mrg(A, visit=VA), pv1("VA2^^^CITY"))
        add(event, "and another patient's", who(A), mrg(A, visit=VA), pv1(VB))
        add(event, "prior of another issuer", who(A), mrg(A, visit="VA^^^LAKE"), pv1(new))
        add(event, "prior without issuer", who(A), mrg(A, visit="VA"), pv1(new))
        add(event, "patient of another issuer", who(OTHER_A), mrg(A, visit=VA), pv1(new))
        add(event, "patient without issuer", who(BARE_A), mrg(BARE_A, visit=VA), pv1(new))
        add(event, "prior of another patient", who(A), mrg(A, visit=VB), pv1(new))
        add(event, "MRG names another patient", who(A), mrg(B, visit=VA), pv1(new))
        add(event, "two priors", who(A), mrg(A, visit=VA, alternate=VC), pv1(new))
        add(event, "two new numbers", who(A), mrg(A, visit=VA), pv1(new, alternate=VC))
    # ZautoAI keeps no accounts; their visits must be the patient's all the same
    add(
        "A44", "account of another issuer", who(A, account="AB^^^LAKE"), mrg(B, account="AB^^^LAKE")
    )
    add("A44", "account without issuer", who(A, account="AB"), mrg(B, account="AB"))
    # a visit is of whom its own patient's number says, not of anybody listed beside
    both = "602^^^LAKE^PI"
    add("A42", "owner through another issuer", who(A, both), mrg(A, visit=VB), pv1(VA))
    add("A45", "owner through another issuer", who(A), mrg(f"{C}~{both}", visit=VB), pv1(VB))
    add("A50", "owner through another issuer", who(A, both), mrg(A, visit=VB), pv1("VX^^^CITY"))
    add("A23", "owner through another issuer", who(A, both), pv1(VB))
    # the issuer of one field is not that of the number in another
    other = "ALT^^^CITY"
    add("A23", "issuer of PV1-50 beside PV1-19", who(A), pv1("VA", other))
    add("A45", "issuer of MRG-6", who(A), mrg(B, visit="VB", alternate=other), pv1("VB"))
    add("A42", "issuer of MRG-6", who(A), mrg(A, visit="VA2", alternate=other), pv1(VA))
    add("A50", "issuer of MRG-6", who(A), mrg(A, visit="VA", alternate=other), pv1("VX^^^CITY"))
    for event in ("A35", "A41", "A49"):
        add(event, "MRG names another patient", who(A, account="A9"), mrg(B, account=AA))
        add(event, "account of another", who(A, account="AX^^^CITY"), mrg(A, account=AB))
        add(event, "patient of another issuer", who(OTHER_A, account=AA), mrg(A, account="AA2"))
        add(event, "patient without issuer", who(BARE_A, account=AA), mrg(A, account="AA2"))
    add("A29", "without issuer", who(BARE_A))
    add("A29", "of another issuer", who(OTHER_A))
    add("A29", "two patients", who(A, C))
    add("A23", "patient without issuer", who(BARE_A), pv1(VA))
    add("A23", "visit without issuer", who(A), pv1("VA"))
    add("A23", "visit of another issuer", who(A), pv1("VA^^^LAKE"))
    add("A23", "visit of another patient", who(A), pv1(VB))
    add("A23", "two visits", who(A), pv1(VA, alternate="VA2^^^CITY"))
    return cells


async def known(hospital: Hospital) -> None:
    """Register the three of them."""
    await hospital.send("A04", pid(A, account=AA), pv1(VA))
    await hospital.send("A04", pid(A, account="AA2^^^CITY^AN"), pv1("VA2^^^CITY"))
    await hospital.send("A04", pid(B, name="Menon^Latha", account=AB), pv1(VB))
    await hospital.send("A04", pid(C, name="Rao^Divya", account=AC), pv1(VC))


CELLS = refused()


def policies(cell: Cell) -> tuple[str, ...]:
    """The values of `site.deletes` that matter to an event."""
    return ("mark", "delete") if cell.event in ("A23", "A29") else ("mark",)


@pytest.mark.parametrize(
    ("cell", "deletes"),
    [(cell, deletes) for cell in CELLS for deletes in policies(cell)],
    ids=[f"{each.event}: {each.why}, {deletes}" for each in CELLS for deletes in policies(each)],
)
async def test_a_refused_message_changes_nothing(bench: Bench, cell: Cell, deletes: str) -> None:
    hospital = Hospital(bench, deletes=deletes)
    await known(hospital)
    before, calls, aliases = hospital.records, hospital.calls, _aliases(bench)
    sent = await hospital.send(cell.event, *cell.segments)
    assert hospital.records == before
    assert (hospital.calls, _aliases(bench)) == (calls, aliases)
    assert bench.status(sent) is Status.PARKED
    parked = bench.deliveries([sent])
    assert parked
    assert {delivery.status for delivery in parked} == {Status.PARKED}
    # and nothing of it comes out later
    await hospital.send("A08", pid(A, account=AA), pv1(VA))
    assert NAME.split("^", maxsplit=1)[0] not in str(hospital.records)


def _aliases(bench: Bench) -> list[str]:
    return [each.key for each in bench.store.read(lambda view: view.aliases(99))]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message about a record that the bridge has never seen."""

    event: str
    segments: tuple[str, ...]


UNKNOWN = [
    *(Unknown(event, (pid(A, name="Nair^Anju"), mrg(NEW))) for event in ("A30", "A34", "A39")),
    *(Unknown(event, (pid(A, name="Nair^Anju"), mrg(NEW))) for event in ("A40", "A46", "A47")),
    *(Unknown(e, (pid(A, name="Nair^Anju"), mrg(NEW, account="AZ"))) for e in ("A18", "A36")),
    Unknown("A43", (pid(A, name="Nair^Anju"), mrg(NEW))),
    Unknown("A44", (pid(A, name="Nair^Anju", account="AZ"), mrg(NEW, account="AZ"))),
    Unknown("A45", (pid(A, name="Nair^Anju"), mrg(NEW, visit="VZ^^^CITY"), pv1("VZ^^^CITY"))),
    Unknown("A42", (pid(A, name="Nair^Anju"), mrg(A, visit="VZ^^^CITY"), pv1(VA))),
    Unknown("A48", (pid(A, name="Nair^Anju"), mrg(NEW))),
    Unknown("A50", (pid(A, name="Nair^Anju"), mrg(A, visit="VZ^^^CITY"), pv1(VA))),
    Unknown("A51", (pid(A, name="Nair^Anju"), mrg(A, visit="VZ^^^CITY"), pv1(VA))),
]


@pytest.mark.parametrize("unknown", UNKNOWN, ids=[each.event for each in UNKNOWN])
async def test_an_unknown_prior_refuses_nothing(bench: Bench, unknown: Unknown) -> None:
    hospital = Hospital(bench)
    await known(hospital)
    before = hospital.records
    sent = await hospital.send(unknown.event, *unknown.segments)
    assert bench.status(sent) is Status.DELIVERED
    after = hospital.records
    assert after["patients", "601"]["fullName"] == "Anju Nair"
    touched = {key for key in before if before[key] != after[key]}
    assert touched == {("patients", "601")}


@pytest.mark.parametrize("event", ["A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47", "A48"])
async def test_an_unknown_prior_number_leads_to_the_record_in_pid(bench: Bench, event: str) -> None:
    hospital = Hospital(bench)
    await known(hospital)
    await hospital.send(event, pid(A), mrg(NEW))
    await hospital.send("A04", pid(NEW), pv1("VN^^^CITY"))
    assert ("patients", "699") not in hospital.records
    assert hospital.records["patient-visits", "VN"]["patientId"] == "601"


class TestNothingIsJoined:
    """Events that name two patients and make one of nothing."""

    @pytest.mark.parametrize("event", ["A24", "A37"])
    async def test_links_between_records_change_nothing(self, bench: Bench, event: str) -> None:
        hospital = Hospital(bench)
        await known(hospital)
        before = hospital.records
        sent = await hospital.send(event, who(A), pv1(VA), who(OTHER_B), pv1(VB))
        assert hospital.records == before
        assert bench.status(sent) is Status.SUPPRESSED

    async def test_a_bed_swap_says_nothing_of_who_they_are(self, bench: Bench) -> None:
        hospital = Hospital(bench)
        await known(hospital)
        before = hospital.records
        await hospital.send("A17", who(A), pv1(VA), who(B), pv1(VB))
        assert hospital.records == before

    async def test_a_bed_swap_with_anothers_number_touches_neither(self, bench: Bench) -> None:
        hospital = Hospital(bench)
        await known(hospital)
        before = hospital.records
        sent = await hospital.send("A17", who(OTHER_A), pv1(VA), who(B), pv1(VB))
        assert hospital.records == before
        assert bench.status(sent) is Status.PARKED


BARE = "699"


@pytest.mark.parametrize(
    ("event", "segments"),
    [
        ("A40", (who(C), mrg(BARE))),
        ("A40", (who(BARE), mrg(C))),
        ("A47", (who("755^^^CITY^MR"), mrg(BARE))),
        ("A45", (who(C), mrg(BARE, visit=VA), pv1(VA))),
        ("A29", (who(BARE),)),
        ("A40", (who(C), mrg("699^^^LAKE^MR"))),
        ("A40", (who("699^^^LAKE^MR"), mrg(C))),
        ("A45", (who(B), mrg(A, visit="VQ"), pv1("VQ"))),
        ("A45", (who(B), mrg(A, visit="VQ^^^LAKE"), pv1("VQ^^^LAKE"))),
        ("A50", (who(A), mrg(A, visit="VQ"), pv1("VX^^^CITY"))),
    ],
)
async def test_a_number_joined_without_an_issuer_is_of_the_records_issuer(
    bench: Bench, event: str, segments: tuple[str, ...]
) -> None:
    hospital = Hospital(bench)
    await known(hospital)
    await hospital.send("A40", pid(A), mrg(BARE))
    await hospital.send("A42", pid(A), mrg(A, visit="VQ"), pv1(VA))
    before = hospital.records
    sent = await hospital.send(event, *segments)
    assert hospital.records == before
    assert bench.status(sent) in (Status.PARKED, Status.SUPPRESSED)


async def test_another_issuers_number_is_another_record(bench: Bench) -> None:
    hospital = Hospital(bench)
    await known(hospital)
    await hospital.send("A40", pid(A), mrg(BARE))
    before = hospital.records["patients", "601"]
    await hospital.send("A04", who("699^^^LAKE^MR"), pv1("V9"))
    assert hospital.records["patients", "601"] == before
    assert hospital.records["patient-visits", "V9"]["patientId"] == "699"


class TestDeletions:
    @pytest.mark.parametrize("patient", ["", "999^^^SSA^SS"])
    @pytest.mark.parametrize("deletes", ["mark", "delete"])
    async def test_a_visit_is_not_deleted_without_its_patient(
        self, bench: Bench, patient: str, deletes: str
    ) -> None:
        hospital = Hospital(bench, deletes=deletes)
        await known(hospital)
        before = hospital.records
        sent = await hospital.send("A23", who(patient), pv1(VA))
        assert hospital.records == before
        assert bench.status(sent) is Status.PARKED

    @pytest.mark.parametrize("deletes", ["mark", "delete"])
    async def test_what_was_never_seen_is_not_made_to_be_deleted(
        self, bench: Bench, deletes: str
    ) -> None:
        hospital = Hospital(bench, deletes=deletes)
        await known(hospital)
        await hospital.send("A40", pid(A), mrg(NEW))
        before = hospital.records
        for number in (NEW, "777^^^CITY^MR"):
            sent = await hospital.send("A29", who(number))
            assert bench.status(sent) is Status.SUPPRESSED
        assert hospital.records == before


class TestWithoutIssuers:
    """A hospital that names no issuer anywhere is served as before."""

    async def test_a_merge_without_issuers(self, bench: Bench) -> None:
        hospital = Hospital(bench)
        await hospital.send("A04", pid("601^^^^MR"), pv1("VA"))
        await hospital.send("A04", pid("602"), pv1("VB"))
        sent = await hospital.send("A40", pid("601"), mrg("602"))
        assert hospital.records["patient-visits", "VB"]["patientId"] == "601"
        assert bench.status(sent) is Status.DELIVERED

    async def test_a_record_that_never_had_an_issuer_takes_one(self, bench: Bench) -> None:
        hospital = Hospital(bench)
        await hospital.send("A04", pid("601"), pv1("VA"))
        await hospital.send("A04", pid("602"), pv1("VB"))
        await hospital.send("A40", pid(A), mrg(B))
        assert hospital.records["patient-visits", "VB"]["patientId"] == "601"

    async def test_an_update_without_an_issuer_is_taken_for_the_same(self, bench: Bench) -> None:
        hospital = Hospital(bench)
        await known(hospital)
        await hospital.send("A08", pid("601", name="Nair^Anju"), pv1("VA"))
        assert hospital.records["patients", "601"]["fullName"] == "Anju Nair"

    async def test_the_reason_names_the_setting(self, bench: Bench) -> None:
        hospital = Hospital(bench)
        await known(hospital)
        sent = await hospital.send("A40", pid(A), mrg("602"))
        kept = bench.store.read(lambda view: view.message(sent))
        assert kept is not None
        assert kept.cause is not None
        assert "`authority` of the channel" in action(kept.cause)


class TestChannelAuthority:
    """`authority` of the channel stands for the issuer that a sender leaves out."""

    async def test_a_merge_is_carried_out(self, bench: Bench) -> None:
        hospital = Hospital(bench, authority="CITY")
        await known(hospital)
        await hospital.send("A40", pid("601"), mrg("602"))
        assert hospital.records["patient-visits", "VB"]["patientId"] == "601"

    async def test_a_deletion_is_carried_out(self, bench: Bench) -> None:
        hospital = Hospital(bench, authority="CITY")
        await known(hospital)
        await hospital.send("A29", pid("601"))
        assert hospital.records["patients", "601"]["remarks"] == "Deleted by the hospital"

    async def test_a_number_that_names_its_issuer_keeps_it(self, bench: Bench) -> None:
        hospital = Hospital(bench, authority="CITY")
        await known(hospital)
        before = hospital.records
        await hospital.send("A40", pid("601"), mrg(OTHER_B))
        assert hospital.records == before


async def test_what_another_issuer_said_of_a_number_is_not_inherited(bench: Bench) -> None:
    hospital = Hospital(bench)
    await known(hospital)
    await hospital.send("A08", who(OTHER_B), pv1("VB9"))
    await hospital.send("A40", pid("650^^^CITY^MR", name=""), mrg(B))
    made = hospital.records["patients", "650"]
    assert made["fullName"] == "Latha Menon"
