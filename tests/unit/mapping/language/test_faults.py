"""A wrong mapping is told with file, line, key and the nearest right word."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import Fault, MappingError
from bridge.mapping.language.load import load
from bridge.settings import Site
from bridge.zauto.catalogue import Catalogue

PART = """\
source: hl7v2
resource: patients
id: {from: PID-3, as: identifier}
fields:
  fullName: {from: PID-5, as: person_name}
  gender: {from: PID-8.1, codes: gender}
"""
MAPPING = """\
messages: [ADT^A04]
calls:
  - {upsert: patients, use: patient, required: true}
"""
CODES = """\
rows:
  M: Male
"""

Plant = Callable[..., list[Fault]]


@pytest.fixture
def plant(tmp_path: Path, zauto: Catalogue) -> Plant:
    """Write a small set of mappings with one text replaced; the faults that are found."""

    def faults(file: str, right: str, wrong: str) -> list[Fault]:
        texts = {
            "hl7v2/registration.yaml": MAPPING,
            "parts/patient.yaml": PART,
            "codes/gender.yaml": CODES,
        }
        assert right in texts[file]
        texts[file] = texts[file].replace(right, wrong)
        for name, text in texts.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        try:
            load([tmp_path], zauto, Site())
        except MappingError as error:
            return list(error.faults)
        return []

    return faults


def test_what_the_faults_are_planted_in_is_right(plant: Plant) -> None:
    assert plant("parts/patient.yaml", "PID-5", "PID-5") == []


@pytest.mark.parametrize(
    ("file", "right", "wrong", "line", "key", "suggestion"),
    [
        ("parts/patient.yaml", "codes:", "code:", 6, "fields.gender.code", "codes"),
        ("parts/patient.yaml", "fields:", "field:", 4, "field", "fields"),
        ("parts/patient.yaml", "PID-5,", "pid.5,", 5, "fields.fullName.from", "PID-5"),
        ("parts/patient.yaml", "fullName", "fulName", 5, "fields.fulName", "fullName"),
        ("parts/patient.yaml", "codes: gender", "codes: gendr", 6, "fields.gender.codes", "gender"),
        ("parts/patient.yaml", "person_name", "persn_name", 5, "fields.fullName.as", "person_name"),
        ("parts/patient.yaml", "hl7v2", "hl7", 1, "source", "hl7v2"),
        ("hl7v2/registration.yaml", "use: patient", "use: patint", 3, "calls[0].use", "patient"),
        ("hl7v2/registration.yaml", "upsert:", "upset:", 3, "calls[0].upset", "upsert"),
        ("hl7v2/registration.yaml", "patients,", "patient,", 3, "calls[0].use", "patients"),
        ("codes/gender.yaml", "rows", "row", 1, "row", "rows"),
    ],
)
def test_an_unknown_name_is_told_with_its_place_and_the_nearest_right_one(
    plant: Plant, file: str, right: str, wrong: str, line: int, key: str, suggestion: str
) -> None:
    found = [fault for fault in plant(file, right, wrong) if fault.key == key]
    assert len(found) == 1
    fault = found[0]
    assert Path(fault.file).as_posix().endswith(file)
    assert (fault.line, fault.suggestion) == (line, suggestion)
    assert fault.column > 0
    assert f"Did you mean '{suggestion}'?" in str(fault)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("gender: &g {constant: Male}", "anchor"),
        ("gender: *g", "alias"),
        ("gender: !!str {constant: Male}", "tag"),
        ("fullName: {constant: Twice}", "stands twice"),
        ("gender: {from: PID-8, constant: Male}", "exactly one of"),
        ("gender: {constant: Male, as: text}", "needs 'from'"),
        ("gender: PID-8", "write a rule"),
        ("gender: {from: PID-8, on: update}", "'update' is not known"),
        ("email: {from: PID-13}", "as: email"),
        ("gender: {site: countri}", "setting of site"),
        ("gender: {id_of: providers}", "earlier call"),
        ("gender: {from: PID-8, when: {path: PID-8, site: country}}", "exactly one of path, site"),
        ("gender: {from: PID-8, when: {site: country}}", "yes/no setting"),
        ("gender: {from: PID-8, when: {path: PV1-2, is: [I], empty: true}}", "no other test"),
        ("gender: {constant: Male, prefix: x}", "needs 'from'"),
        ("gender: {from: PID-8, when: PDI}", "not an HL7 path"),
        ("gender: {from: []}", "takes a word or a list of words"),
        ("gender: {from: PID-8, when: {site: [country], is: IN}}", "one word, not a list"),
        ("gender: [", "is not YAML"),
    ],
)
def test_what_cannot_be_meant_is_a_fault(plant: Plant, wrong: str, told: str) -> None:
    found = plant("parts/patient.yaml", "gender: {from: PID-8.1, codes: gender}", wrong)
    assert [told in fault.message for fault in found] == [True], found


def test_another_id_says_where_it_comes_from(plant: Plant) -> None:
    wrong = "also: [{authority: {from: PID-3.4}, gessed: true}]\nfields:"
    found = plant("parts/patient.yaml", "fields:", wrong)
    assert [fault.key for fault in found] == ["also[0].id", "also[0].gessed"]
    assert found[1].suggestion == "guessed"


def test_what_does_not_fit_hides_nothing_beside_it(plant: Plant) -> None:
    wrong = "gender: [{from: [{a: b}], codes: gendr}, PID-8]\n  titl: {clear: no}"
    found = plant("parts/patient.yaml", "gender: {from: PID-8.1, codes: gender}", wrong)
    assert [(fault.line, fault.key) for fault in found] == [
        (6, "fields.gender[0].from[0]"),
        (6, "fields.gender[0].codes"),
        (6, "fields.gender[1]"),
        (7, "fields.titl"),
        (7, "fields.titl.clear"),
    ]


def test_a_call_that_is_none_leaves_the_others_checked(plant: Plant) -> None:
    wrong = "calls:\n  - {upsert: [patients], use: patient}\n  - {create: patients, use: patint}"
    text = "calls:\n  - {upsert: patients, use: patient, required: true}"
    found = plant("hl7v2/registration.yaml", text, wrong)
    assert [(fault.line, fault.key) for fault in found] == [
        (3, "calls[0].upsert"),
        (4, "calls[1].use"),
    ]


def test_every_fault_of_every_file_is_told_at_once(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/other.yaml").write_text("sorce: hl7v2\nresource: patients\n")
    (tmp_path / "part").mkdir()
    (tmp_path / "part/lost.yaml").write_text("source: hl7v2\n")
    found = plant("parts/patient.yaml", "gender: {from: PID-8.1", "gendr: {form: PID-8.1")
    places = {(Path(fault.file).name, fault.suggestion) for fault in found}
    assert {("patient.yaml", "from"), ("patient.yaml", "gender")} <= places
    assert {("other.yaml", "source"), ("lost.yaml", "parts")} <= places


def test_a_value_that_the_target_does_not_take_is_a_fault(tmp_path: Path, zauto: Catalogue) -> None:
    (tmp_path / "hl7v2").mkdir()
    (tmp_path / "parts").mkdir()
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes/classes.yaml").write_text("rows: {I: INPATIENT}\n")
    (tmp_path / "hl7v2/visit.yaml").write_text(
        "messages: [ADT^A01]\ncalls:\n  - {upsert: patient-visits, use: visit}\n"
    )
    (tmp_path / "parts/visit.yaml").write_text(
        "source: hl7v2\nresource: patient-visits\nid: {from: PV1-19.1}\nfields:\n"
        "  status: {constant: WAITING}\n"
        "  patientType: {from: PV1-2, codes: classes}\n"
    )
    with pytest.raises(MappingError) as caught:
        load([tmp_path], zauto, Site())
    told = [(fault.line, fault.key, fault.suggestion) for fault in caught.value.faults]
    assert (5, "fields.status", None) in told
    assert (1, "rows.I", "IN_PATIENT") in told


def test_what_is_no_message_type_is_a_fault(plant: Plant) -> None:
    (fault,) = plant("hl7v2/registration.yaml", "ADT^A04", "ADT-A04")
    assert "'ADT-A04' is not a message type; write it like ADT^A04." in fault.message


def test_a_message_type_has_one_mapping(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "hl7v2").mkdir()
    (tmp_path / "hl7v2/again.yaml").write_text(MAPPING)
    found = plant("parts/patient.yaml", "PID-5", "PID-5")
    assert [fault.key for fault in found] == ["messages"]


def test_a_folder_that_is_not_there_is_a_fault(tmp_path: Path, zauto: Catalogue) -> None:
    with pytest.raises(MappingError, match="is not a folder"):
        load([tmp_path / "nowhere"], zauto, Site())


def test_a_need_that_is_a_list_is_told(plant: Plant) -> None:
    needs = "needs: {patient-visits: [PV1-19]}\ncalls:"
    (fault,) = plant("hl7v2/registration.yaml", "calls:", needs)
    assert (fault.line, fault.key) == (2, "needs.patient-visits")
    assert fault.message == "takes one word, not a list."


@pytest.mark.parametrize("file", ["parts/patient_from_pid.yaml", "codes/gender.yaml"])
def test_a_file_that_is_no_yaml_is_the_one_fault_that_is_told(
    shipped: Path, zauto: Catalogue, tmp_path: Path, file: str
) -> None:
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_text("fields: {W: [\n")
    with pytest.raises(MappingError) as caught:
        load([shipped, tmp_path], zauto, Site())
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [
        (str(tmp_path / file), 2)
    ]


def test_a_part_that_is_no_yaml_is_the_one_fault_that_is_told(
    shipped: Path, zauto: Catalogue, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(shipped, whole)
    (whole / "parts/patient_from_pid.yaml").write_text("fields: {W: [\n")
    with pytest.raises(MappingError) as caught:
        load([whole], zauto, Site())
    assert [fault.line for fault in caught.value.faults] == [2]
