from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ReadError
from bridge.fhir.outcome import Issue
from bridge.fhir.reader import read
from bridge.fhir.validation import MOST, advise, check

CORPUS = Path(__file__).parents[4] / "shared/corpus/fhir"

ENCOUNTER: dict[str, Any] = {
    "resourceType": "Encounter",
    "status": "in-progress",
    "class": {"code": "AMB"},
    "subject": {"reference": "Patient/1"},
}


def patient(**elements: Any) -> list[Issue]:
    return check({"resourceType": "Patient", **elements}, "Patient")


def encounter(**elements: Any) -> list[Issue]:
    return check({**ENCOUNTER, **elements}, "Encounter")


def test_an_empty_patient_and_a_minimal_encounter_are_well() -> None:
    assert patient() == []
    assert encounter() == []


@pytest.mark.parametrize("name", ["status", "class", "subject"])
@pytest.mark.parametrize("empty", [None, "", {}, []])
def test_an_encounter_without_what_places_it_is_refused(name: str, empty: Any) -> None:
    (issue, *_) = encounter(**{name: empty})
    assert (issue.severity, issue.code) == ("error", "required")
    assert issue.expression == f"Encounter.{name}"


@pytest.mark.parametrize(
    "day", ["01/02/1990", "19900203", "1990-02-30", "1990-2-3", "1990-02-03T10:00:00Z", "", 1990]
)
def test_a_birth_date_that_is_no_date_is_refused(day: Any) -> None:
    (issue,) = patient(birthDate=day)
    assert (issue.severity, issue.code) == ("error", "value")
    assert issue.expression == "Patient.birthDate"
    assert not str(day) or str(day) not in issue.text


@pytest.mark.parametrize("day", ["1990", "1990-02", "1990-02-03", "2000-02-29", None])
def test_a_birth_date_may_be_partial(day: str | None) -> None:
    assert patient(birthDate=day) == []


@pytest.mark.parametrize(
    "start", ["2024", "2024-03-05", "2024-03-05T10:30:00Z", "2024-03-05T10:30:00.123+05:30"]
)
def test_a_period_holds_date_times(start: str) -> None:
    assert encounter(period={"start": start}) == []


@pytest.mark.parametrize(
    "start", ["2024-03-05T10:30", "2024-03-05T10:30:00", "2024-03-05T10:30+05"]
)
def test_a_time_without_seconds_or_zone_is_read_with_a_warning(start: str) -> None:
    (issue,) = encounter(period={"start": start})
    assert (issue.severity, issue.expression) == ("warning", "Encounter.period.start")


@pytest.mark.parametrize("start", ["2024-03-05T24:00:00Z", "2024-03-05 10:30", "now", 20240305])
def test_a_time_that_cannot_be_read_is_refused(start: Any) -> None:
    (issue,) = encounter(period={"start": start})
    assert (issue.severity, issue.code) == ("error", "value")


def test_a_fault_in_a_list_is_told_with_its_index() -> None:
    issues = encounter(participant=[{}, {"period": {"end": "soon"}}])
    assert [issue.expression for issue in issues] == ["Encounter.participant[1].period.end"]


@pytest.mark.parametrize(
    ("elements", "expression"),
    [
        ({"name": "Asha Rao"}, "Patient.name"),
        ({"name": ["Asha Rao"]}, "Patient.name[0]"),
        ({"gender": {"code": "female"}}, "Patient.gender"),
    ],
)
def test_another_shape_than_fhir_s_is_refused_where_mappings_read(
    elements: dict[str, Any], expression: str
) -> None:
    grave = [issue for issue in patient(**elements) if issue.grave]
    assert expression in [issue.expression for issue in grave]
    assert {issue.code for issue in grave} == {"structure"}


def test_the_r5_form_of_an_encounter_is_only_remarked_on() -> None:
    r5 = {
        "status": "completed",
        "class": [{"coding": [{"code": "AMB"}]}],
        "actualPeriod": {"start": "2024-03-05"},
    }
    assert [(issue.severity, issue.expression) for issue in encounter(**r5)] == [
        ("warning", "Encounter.status"),
        ("warning", "Encounter.class"),
        ("warning", "Encounter.class[0].coding"),
        ("warning", "Encounter.actualPeriod"),
    ]


@pytest.mark.parametrize(
    "elements",
    [
        {"gender1": "x"},
        {"name": {"family": "Rao"}},
        {"name": [{"nick": "A"}]},
        {"telecom": [{"system": "phone", "value": 9876543210}]},
        {"active": "true"},
        {"gender": "bogus"},
        {"meta": {"lastUpdated": "yesterday"}},
        {"photo": "none"},
    ],
)
def test_what_vendors_add_or_bend_is_only_remarked_on(elements: dict[str, Any]) -> None:
    issues = patient(**elements)
    assert issues
    assert not any(issue.grave for issue in issues)


@pytest.mark.parametrize(
    "elements",
    [
        {"_birthDate": {"extension": [{"url": "urn:x", "valueString": "y"}]}},
        {"name": [{"given": ["Asha", None], "_given": [None, {"id": "x"}]}]},
        {"extension": [{"url": "urn:x", "valueAnything": {"at": "all"}}]},
        {"contained": [{"resourceType": "Organization", "whatever": 1}]},
        {"multipleBirthInteger": 2, "deceasedBoolean": False},
        {"contact": [{"modifierExtension": [], "name": {"text": "A"}}]},
    ],
)
def test_extensions_siblings_nulls_and_contained_resources_are_well(
    elements: dict[str, Any],
) -> None:
    assert patient(**elements) == []


def test_a_grave_fault_is_told_behind_any_number_of_remarks() -> None:
    issues = patient(**{f"vendor{n}": 1 for n in range(1000)}, birthDate="x")
    assert len(issues) <= MOST + 1
    assert issues[-1].grave


def test_fhir_resources_advises_with_warnings() -> None:
    (issue,) = advise({"resourceType": "Patient", "gender1": "x"}, "Patient")
    assert (issue.severity, issue.expression) == ("warning", "Patient.gender1")
    assert advise(ENCOUNTER, "Encounter") == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
)
NAMES = st.sampled_from(["name", "birthDate", "period", "given", "contact", "class", "subject"])


@given(st.dictionaries(NAMES, ANYTHING | st.dictionaries(NAMES, ANYTHING)))
def test_any_json_object_is_judged_without_failing(resource: dict[str, Any]) -> None:
    for resource_type in ("Patient", "Encounter"):
        for issue in check(resource, resource_type):
            assert issue.expression.startswith(resource_type)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of public messages is not here")
def test_the_r4_resources_of_the_corpus_are_taken() -> None:
    files = [f for f in CORPUS.rglob("*.json") if "r5" not in str(f).lower()]
    refused = [f.name for f in files if _is_refused(f)]
    assert refused == []


def _is_refused(file: Path) -> bool:
    try:
        resource = read(file.read_bytes())
    except ReadError:
        return False
    resource_type = resource.get("resourceType")
    if resource_type not in ("Patient", "Encounter"):
        return False
    return any(issue.grave for issue in check(resource, resource_type))
