"""Coverage: every value that comes is read, left out on purpose, the bridge's own, or shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.engine.sets import Sets
from bridge.mapping.language.load import load as load_mappings
from bridge.message import Message, Protocol
from bridge.settings import Settings, Site
from bridge.shipped import mappings_folder
from bridge.study.coverage.measure import Coverage, MappingCoverage, PathCoverage, PathState, Survey
from bridge.study.coverage.report import coverage_report, masked_code
from bridge.zauto import catalogue
from tests.unit.pipeline.hl7 import adt, message

SETTINGS = Settings()
CATALOGUE = catalogue.load(mappings_folder() / "zauto")
MAPPINGS = load_mappings([mappings_folder()], CATALOGUE, Site())


def covered(*bodies: bytes | Message) -> Coverage:
    survey = Survey(Sets.of_one(MAPPINGS), CATALOGUE, SETTINGS)
    for body in bodies:
        survey.add(body if isinstance(body, Message) else message(body))
    return survey.coverage()


def of_adt(*bodies: bytes) -> MappingCoverage:
    (found,) = covered(*bodies).mappings
    return found


def row(found: MappingCoverage, path: str) -> PathCoverage:
    return next(each for each in found.rows if each.path == path)


def fhir(resource: dict[str, object]) -> Message:
    kind, body = str(resource["resourceType"]), json.dumps(resource).encode()
    reference = f"{kind}/{resource['id']}"
    return Message("default", Protocol.FHIR, kind, "", "", "", 1.0, body, reference)


def order(kind: str, body: object) -> Message:
    text = json.dumps(body).encode()
    return Message("default", Protocol.ORDERS, f"{kind}-order", "", "", "", 1.0, text)


def with_segments(*segments: str) -> bytes:
    return adt() + "\r".join(segments).encode() + b"\r"


def with_born(value: str) -> bytes:
    return adt().replace(b"19840712", value.encode())


def test_values_that_are_thrown_away_are_no_coverage() -> None:
    good = of_adt(adt(), adt())
    found = of_adt(adt(), *(with_born(odd) for odd in ("12/07/1984", "12-07-1984", "07121984x")))
    born = row(found, "PID-7")
    assert (born.present, born.used, born.thrown_away) == (4, 1, 3)
    assert (row(good, "PID-7").used, row(good, "PID-7").thrown_away) == (2, 0)
    assert found.covered < good.covered
    assert not covered(with_born("12/07/1984")).complete


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("PID-7", "19840712", "12/07/1984"),
        ("PID-8.1", "|F|", "|Woman|"),
        ("PID-13", "9845000001", "none"),
    ],
)
def test_of_each_path_it_is_told_how_much_was_used(path: str, before: str, after: str) -> None:
    odd = adt().replace(before.encode(), after.encode())
    found = of_adt(adt(), odd, odd)
    one = row(found, path)
    assert (one.state, one.present, one.used, one.thrown_away) == (PathState.MAPPED, 3, 1, 2)


def test_a_path_of_which_one_value_is_used_is_not_thrown_away() -> None:
    both = adt().replace(b"9845000001", b"none~9845000001")
    phone = row(of_adt(both), "PID-13")
    assert (phone.present, phone.used, phone.thrown_away) == (1, 1, 0)


def test_of_a_fhir_element_the_same_is_told() -> None:
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "12/07/1984"}
    (found,) = covered(fhir(patient)).mappings
    born = row(found, "birthDate")
    assert (born.present, born.used, born.thrown_away) == (1, 0, 1)


def test_a_field_is_told_with_how_often_it_came_and_the_rules_that_used_it() -> None:
    found = of_adt(adt(), adt(), adt(name=""))
    name = row(found, "PID-5")
    assert (name.present, name.state) == (2, PathState.MAPPED)
    used = {use.field: use.used for use in name.rules}
    assert used == {"fullName": 2, "title": 0, "facts.family": None, "facts.given": None}
    assert all("patient_from_pid.yaml:" in use.place for use in name.rules)


def test_a_field_is_told_by_component_where_a_rule_reads_one() -> None:
    found = of_adt(adt(visit="V1^^^LOTUS^^X"))
    states = {each.path: each.state for each in found.rows if each.path.startswith("PV1-19")}
    assert states == {
        "PV1-19.1": PathState.MAPPED,
        "PV1-19.4": PathState.MAPPED,
        "PV1-19.6": PathState.UNMAPPED,
    }


def test_what_no_rule_reads_comes_first_and_most_frequent_first() -> None:
    found = of_adt(with_segments("PV2|||||X"), with_segments("PV2|||||X||||7"), adt())
    assert [(r.path, r.present) for r in found.rows][:2] == [("PV2-5", 2), ("PV2-9", 1)]
    assert found.rows[2].state is not PathState.UNMAPPED
    assert 0.9 < found.covered < 1


def test_padding_says_nothing_and_a_deletion_does() -> None:
    found = of_adt(with_segments('PV2||^^ |~|""'))
    assert [r.path for r in found.rows if r.path.startswith("PV2")] == ["PV2-4"]


def test_of_several_segments_those_that_are_not_read_are_told_apart() -> None:
    nk1 = ("NK1|1|Nair^Employer|||||E", "NK1|2|Nair^Asha|||||C|x")
    found = of_adt(with_segments(*nk1))
    states = {each.path: each.state for each in found.rows if each.path.startswith("NK1")}
    assert states == {
        "NK1-8": PathState.UNMAPPED,
        "NK1-2": PathState.MAPPED,
        "NK1-7.1": PathState.MAPPED,
        "NK1-1": PathState.IGNORED,
        "NK1[*]": PathState.IGNORED,
    }


def test_a_path_of_every_segment_reads_the_first_and_all_others() -> None:
    segments = b"SCH||A1\rAIS|1|||20260301\rAIS|2||X|20260302"
    (found,) = covered(adt().replace(b"ADT^A04", b"SIU^S12") + segments).mappings
    states = {each.path: each.state for each in found.rows if each.path.startswith("AIS")}
    assert states == {
        "AIS-1": PathState.IGNORED,
        "AIS-4": PathState.MAPPED,
        "AIS[*]-4": PathState.MAPPED,
        "AIS[*]": PathState.IGNORED,
    }


def test_the_bridges_own_fields_need_no_rule() -> None:
    found = of_adt(adt())
    assert row(found, "MSH-2").state is PathState.OWN
    assert row(found, "MSH-10").state is PathState.OWN


def test_a_line_that_is_no_segment_is_not_told_by_its_words() -> None:
    report = coverage_report(
        covered(with_segments("Mrs Nair called|again")), refused=0, reveal=True
    )
    assert "(no segment)-1" in json.dumps(report)
    assert "Nair" not in json.dumps(report)


def test_fhir_is_told_by_element_as_finely_as_rules_read_it() -> None:
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "name": [{"family": "Nair", "period": {"start": "2020"}}],
        "communication": [{"language": {"coding": [{"code": "ml", "version": "1"}]}}],
        "deceasedBoolean": False,
        "extension": [{"url": "http://x.test/ward", "valueString": "3"}],
    }
    (found,) = covered(fhir(patient)).mappings
    assert {each.path for each in found.rows if each.state is PathState.UNMAPPED} == {
        "communication.language.coding.version",
        "deceased",
        "extension('http://x.test/ward')",
    }
    assert row(found, "name").state is PathState.MAPPED


def test_what_waited_for_a_later_message_is_counted_when_that_has_come() -> None:
    visit = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "planned",
        "subject": {"reference": "Patient/p1"},
    }
    patient = {"resourceType": "Patient", "id": "p1"}
    found = {each.mapping: each for each in covered(fhir(visit), fhir(patient)).mappings}
    (use,) = (u for u in row(found["fhir/encounter"], "subject.reference").rules if u.used)
    assert (use.field, use.used) == ("patientId", 1)


def test_what_a_service_says_of_its_order_is_mapped() -> None:
    line = {"externalServiceId": "S1", "name": "ECG", "price": 300, "status": "scheduled"}
    body = {"externalVisitId": "V1", "Services": [line]}
    pushes = order("service", body), order("service", body)
    (found,) = (one for one in covered(adt(), *pushes).mappings if one.mapping == "orders/service")
    assert {row.state for row in found.rows} == {PathState.MAPPED}
    assert [use.field for use in row(found, "line.price").rules] == ["order.price"]


def test_orders_are_told_with_their_lines() -> None:
    body = {"externalVisitId": "V1", "Medications": [{"name": "Paracetamol", "route": "oral"}]}
    found = {each.mapping: each for each in covered(adt(), order("prescription", body)).mappings}
    rows = {each.path: each.state for each in found["orders/prescription"].rows}
    assert rows["line.route"] is PathState.UNMAPPED
    assert rows["line.name"] is rows["order.externalVisitId"] is PathState.MAPPED


def test_rules_that_nothing_used_are_named_and_those_switched_off_apart() -> None:
    unhit = {(each.field, each.off) for each in of_adt(adt()).unhit}
    assert ("insuranceProvider", False) in unhit
    assert ("phoneNumber", True) in unhit
    assert "fullName" not in {field for field, _ in unhit}


def test_fields_that_stayed_empty_are_named_with_or_without_a_rule() -> None:
    unfilled = {(e.resource, e.field): e.has_rule for e in of_adt(adt()).unfilled}
    assert unfilled["patients", "insuranceProvider"] is True
    assert unfilled["patients", "medicalHistory"] is False
    assert ("patients", "fullName") not in unfilled
    assert ("patients", "id") not in unfilled


def test_codes_without_a_row_are_counted_by_table() -> None:
    strange = adt().replace(b"|F|", b"|Woman|")
    found = covered(strange, strange, adt().replace(b"|F|", b"|W|"))
    assert found.codes == (("gender", "Woman", 2), ("gender", "W", 1))
    report = coverage_report(found, refused=0, reveal=False)
    assert [code["code"] for code in report["codes"]] == ["••• (5 characters)", "W"]
    assert coverage_report(found, refused=0, reveal=True)["codes"][0]["code"] == "Woman"


@pytest.mark.parametrize("code", ["", "F", "OPD"])
def test_a_short_code_is_no_secret(code: str) -> None:
    assert masked_code(code) == code


def test_unmapped_types_unreadable_messages_and_idle_mappings_are_told() -> None:
    broken = Message("default", Protocol.FHIR, "Patient", "", "", "", 1.0, b"{", "Patient/1")
    found = covered(adt(kind="ORU^R01"), broken, adt())
    assert (found.messages, found.unreadable) == (3, 1)
    assert found.untaken == {("hl7v2", "ORU^R01"): 1}
    assert "fhir/encounter" in found.idle
    assert found.complete


def test_a_message_type_that_is_none_is_not_told_by_its_words() -> None:
    report = coverage_report(covered(adt(kind="Nair, Meera")), refused=0, reveal=True)
    assert report["unmapped_types"][0]["message_type"] == "(not a message type)"


def test_the_samples_are_covered_whole() -> None:
    survey = Survey(Sets.of_one(MAPPINGS), CATALOGUE, SETTINGS)
    for file in sorted((Path(__file__).parents[3] / "samples/hl7v2").glob("adt-*/*.hl7")):
        survey.add(message(file.read_bytes()))
    found = survey.coverage()
    assert [r.path for m in found.mappings for r in m.rows if r.state is PathState.UNMAPPED] == []


@pytest.fixture
def of_each(tmp_path: Path) -> Mappings:
    """Mappings that make a call for each of some segments, and for each item of a list."""
    for name, text in (
        (
            "hl7v2/a.yaml",
            "messages: [ADT^A04]\ncalls: [{upsert: services, use: a, each: AL1}]\n",
        ),
        (
            "parts/a.yaml",
            "source: hl7v2\nresource: services\nid: {from: AL1-3.1}\n"
            "fields: {name: {from: AL1-3.2}}\n",
        ),
        (
            "fhir/p.yaml",
            "messages: [Patient]\ncalls: [{upsert: services, use: p, each: contact}]\n",
        ),
        (
            "parts/p.yaml",
            "source: fhir\nresource: services\nid: {from: $this.gender}\n"
            "fields: {name: {from: $this.name.text}}\n",
        ),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return load_mappings([tmp_path], CATALOGUE, Site())


def test_what_a_call_is_made_for_each_of_is_all_read(of_each: Mappings) -> None:
    survey = Survey(Sets.of_one(of_each), CATALOGUE, SETTINGS)
    survey.add(message(with_segments("AL1|1||A^Aspirin", "AL1|2||P^Pollen^X")))
    (found,) = survey.coverage().mappings
    states = {each.path: each.state for each in found.rows if each.path.startswith("AL1")}
    assert states == {
        "AL1-1": PathState.UNMAPPED,
        "AL1-3.3": PathState.UNMAPPED,
        "AL1-3.1": PathState.MAPPED,
        "AL1-3.2": PathState.MAPPED,
    }


def test_the_items_of_a_list_are_told_by_what_is_read_of_each(of_each: Mappings) -> None:
    survey = Survey(Sets.of_one(of_each), CATALOGUE, SETTINGS)
    contact = {"gender": "female", "name": {"text": "Asha Nair", "use": "usual"}, "period": "x"}
    survey.add(fhir({"resourceType": "Patient", "id": "1", "contact": [contact]}))
    (found,) = survey.coverage().mappings
    states = {each.path: each.state for each in found.rows if each.path.startswith("contact")}
    assert states == {
        "contact.name.use": PathState.UNMAPPED,
        "contact.period": PathState.UNMAPPED,
        "contact.gender": PathState.MAPPED,
        "contact.name.text": PathState.MAPPED,
    }
