from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import Fault, MappingError
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import FieldFormat, FieldType, Operation, load

SITES = """\
name: sites
title: Site
path: /zauto-api/sites
fields:
  id: {required: true}
  name: {required: true}
search: [name]
"""


def faults(folder: Path, **files: str) -> list[Fault]:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as raised:
        load(folder)
    return list(raised.value.faults)


def test_the_shipped_resources_come_referents_first() -> None:
    names = list(load(mappings_folder() / "zauto").resources)
    assert names.index("patients") < names.index("patient-visits")
    assert names.index("providers") < names.index("patient-visits")


def test_the_shipped_patient_has_the_documents_fields() -> None:
    patients = load(mappings_folder() / "zauto")["patients"]
    assert len(patients.fields) == 24
    assert patients.required() == {"id", "uhid", "fullName", "phoneNumber"}
    assert patients.fields["uhid"].type is FieldType.NUMBER
    assert patients.fields["dateOfBirth"].format is FieldFormat.DATE
    assert patients.search == ("fullName", "phoneNumber", "email", "externalId", "uhid")


def test_the_shipped_visit_has_the_documents_fields_and_enums() -> None:
    visits = load(mappings_folder() / "zauto")["patient-visits"]
    assert len(visits.fields) == 9
    assert visits.required() == {"id", "patientId", "visitDateTime"}
    assert visits.referents() == {"patientId": "patients", "providerId": "providers"}
    assert visits.order == "-visitDateTime"
    assert visits.fields["patientType"].enum == (
        "IN_PATIENT",
        "OUT_PATIENT",
        "ONE_DAY_SERVICE",
        "EMERGENCY",
    )
    assert visits.fields["status"].enum == (
        "IN_QUEUE",
        "IN_PROGRESS",
        "IN_REVIEW",
        "FINISHED",
        "COMPLETED",
        "NO_SHOW",
        "CANCELED",
    )


@pytest.mark.parametrize(
    ("name", "fields", "required"),
    [
        ("specialities", {"id", "name"}, {"id", "name"}),
        ("facilities", {"id", "name"}, {"id", "name"}),
        ("providers", {"id", "fullName", "email"}, {"id", "fullName"}),
        ("medicines", {"id", "name"}, {"id", "name"}),
        ("services", {"id", "name", "description"}, {"id", "name", "description"}),
    ],
)
def test_the_other_shipped_resources_have_the_documents_fields(
    name: str, fields: set[str], required: set[str]
) -> None:
    resource = load(mappings_folder() / "zauto")[name]
    assert resource.path == f"/zauto-api/{name}"
    assert (set(resource.fields), resource.required()) == (fields, required)


def test_operations_the_document_does_not_show_are_assumed() -> None:
    resources = load(mappings_folder() / "zauto").resources
    assert {name: len(each.shown) for name, each in resources.items() if each.shown} == {
        "patients": 5,
        "patient-visits": 2,
        "specialities": 5,
    }
    assert resources["patient-visits"].assumed() == (
        Operation.READ,
        Operation.UPDATE,
        Operation.DELETE,
    )


def test_an_operation_has_its_method_and_path() -> None:
    told = {each.value: (each.method, each.of_one) for each in Operation}
    assert told == {
        "create": ("POST", False),
        "list": ("GET", False),
        "read": ("GET", True),
        "update": ("PUT", True),
        "delete": ("DELETE", True),
    }


def test_a_search_word_of_another_resource_follows_the_field_that_refers_to_it() -> None:
    visits = load(mappings_folder() / "zauto")["patient-visits"]
    assert visits.related("patient.fullName") == ("patientId", "patients", "fullName")
    assert visits.related("purposeOfVisit") is None


def test_a_folder_without_resources_is_refused(tmp_path: Path) -> None:
    assert "holds no resource" in str(faults(tmp_path)[0])


def test_broken_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, sites="name: sites\ntitle: [\n")
    assert fault.line == 3
    assert "is not YAML" in fault.message


def test_an_unknown_key_is_named_with_its_place_and_the_nearest_word(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, sites=SITES.replace("{required: true}", "{requird: true}", 1))
    assert (fault.line, fault.column, fault.key) == (5, 8, "fields.id.requird")
    assert fault.suggestion == "required"


def test_an_unknown_key_of_the_resource_gets_the_resources_words(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, sites=SITES.replace("search:", "serch:"))
    assert (fault.line, fault.suggestion) == (7, "search")


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, sites=SITES + "title: Place\n")
    assert (fault.line, fault.key) == (8, "title")


@pytest.mark.parametrize(
    ("was", "now", "key", "suggestion"),
    [
        ("search: [name]", "search: [nam]", "search.0", "name"),
        ("search: [name]", "order: -naem", "order", "name"),
        ("search: [name]", "created: [names]", "created.0", "name"),
        ("search: [name]", "same: [names]", "same.0", "name"),
        ("search: [name]", "examples: [{id: s, nmae: N}]", "examples.0.nmae", "name"),
        (
            "name: {required",
            "cityId: {refers_to: site, required",
            "fields.cityId.refers_to",
            "sites",
        ),
        ("name: sites", "name: places", "name", None),
        ("id: {required: true}", "id: {}", "fields.id", None),
    ],
)
def test_a_word_that_names_nothing_is_refused(
    tmp_path: Path, was: str, now: str, key: str, suggestion: str | None
) -> None:
    text = SITES.replace(was, now)
    found = {fault.key: fault for fault in faults(tmp_path, sites=text)}
    assert found[key].suggestion == suggestion
    assert found[key].line == 1 + text[: text.index(now.split(":")[0])].count("\n")


def test_a_circle_of_references_is_refused(tmp_path: Path) -> None:
    wards = SITES.replace("sites", "wards")
    here = SITES.replace("  name:", "  wardId: {refers_to: wards}\n  name:")
    there = wards.replace("  name:", "  siteId: {refers_to: sites}\n  name:")
    assert [f.key for f in faults(tmp_path, sites=here, wards=there)] == ["fields", "fields"]


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    bad = SITES.replace("title: Site\n", "")
    found = faults(tmp_path, sites=bad, wards=bad.replace("sites", "wards"))
    assert [Path(fault.file).name for fault in found] == ["sites.yaml", "wards.yaml"]
