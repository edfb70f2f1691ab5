from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.pipeline.records.identity import differs, same_record
from bridge.zauto.catalogue import load

CATALOGUE = load(Path(__file__).parents[4] / "mappings" / "zauto")
PATIENTS, VISITS = CATALOGUE["patients"], CATALOGUE["patient-visits"]


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ({"uhid": 7}, {"uhid": 7}, True),
        ({"uhid": 7}, {"uhid": "7"}, True),
        ({"uhid": 7}, {"uhid": 8}, False),
        ({"uhid": 7}, {}, False),
        ({"uhid": 7}, {"uhid": None}, False),
        ({}, {"uhid": 7}, False),
        ({"uhid": 7, "dateOfBirth": "1990-05-15"}, {"uhid": 7}, True),
        (
            {"uhid": 7, "dateOfBirth": "1990-05-15"},
            {"uhid": 7, "dateOfBirth": "1990-05-15T00:00:00.000Z"},
            True,
        ),
        (
            {"uhid": 7, "dateOfBirth": "1990-05-15"},
            {"uhid": 7, "dateOfBirth": "1991-05-15"},
            False,
        ),
        ({"uhid": 7, "dateOfBirth": None}, {"uhid": 7, "dateOfBirth": "1991-05-15"}, True),
    ],
)
def test_a_patient_is_the_same_by_uhid_unless_the_birth_dates_differ(
    ours: dict[str, Any], theirs: dict[str, Any], same: bool
) -> None:
    assert same_record(PATIENTS, ours, theirs) is same


def test_a_visit_is_the_same_when_its_patient_is() -> None:
    assert same_record(VISITS, {"patientId": "P1"}, {"patientId": "P1"})
    assert not same_record(VISITS, {"patientId": "P1"}, {"patientId": "P2"})
    # their own id of the patient: not enough to tell
    assert not same_record(VISITS, {"patientId": "P1"}, {"patientId": "u-123"})


def test_a_resource_without_identifying_fields_cannot_be_told() -> None:
    nameless = PATIENTS.model_copy(update={"same": ()})
    assert not same_record(nameless, {"uhid": 7}, {"uhid": 7})


@pytest.mark.parametrize(
    ("field", "ours", "theirs"),
    [
        ("uhid", 7, 7.0),
        ("uhid", 7, "7"),
        ("dateOfBirth", "1990-05-15", "1990-05-15T00:00:00Z"),
        ("phoneNumber", "+919812345678", "+91 98123-45678"),
        ("email", "asha.rao@example.com", "Asha.Rao@Example.com"),
        ("isTeleCommunication", True, "true"),
        ("fullName", "Zoë Rao", "Zoe\u0308  Rao "),
        ("remarks", None, ""),
        ("remarks", "", None),
    ],
)
def test_values_that_mean_the_same_do_not_differ(field: str, ours: Any, theirs: Any) -> None:
    assert differs(PATIENTS, {field: ours}, {field: theirs}) == ()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("2024-01-15T14:30:00Z", "2024-01-15T14:30:00.000Z"),
        ("2024-01-15T20:00:00+05:30", "2024-01-15T14:30:00Z"),
        ("2024-01-15T14:30:00", "2024-01-15T14:30:00Z"),
    ],
)
def test_instants_are_compared_not_their_writing(ours: str, theirs: str) -> None:
    assert differs(VISITS, {"visitDateTime": ours}, {"visitDateTime": theirs}) == ()


@pytest.mark.parametrize(
    ("field", "ours", "theirs"),
    [
        ("uhid", 7, 8),
        ("uhid", 7, "seven"),
        ("fullName", "Asha Rao", "Asha R"),
        ("dateOfBirth", "1990-05-15", "1990-05-16"),
        ("phoneNumber", "+919812345678", "9812345678"),
        ("remarks", None, "regular"),
        ("remarks", "regular", None),
    ],
)
def test_values_that_mean_something_else_differ(field: str, ours: Any, theirs: Any) -> None:
    assert differs(PATIENTS, {field: ours}, {field: theirs}) == (field,)


def test_an_instant_that_cannot_be_read_differs() -> None:
    theirs = {"visitDateTime": "today"}
    assert differs(VISITS, {"visitDateTime": "2024-01-15T14:30:00Z"}, theirs) == ("visitDateTime",)


def test_only_what_we_say_is_compared_and_never_the_id() -> None:
    ours = {"id": "P1", "fullName": "Asha Rao"}
    theirs = {"id": "u-1", "externalId": "P1", "fullName": "Asha Rao", "createdAt": "x"}
    assert differs(PATIENTS, ours, theirs) == ()


def test_what_is_not_shown_may_not_be_there_and_what_is_cleared_need_not_be() -> None:
    assert differs(PATIENTS, {"title": "Ms.", "email": None}, {}) == ("title",)


def test_a_repeating_field_is_compared_item_by_item() -> None:
    assert differs(PATIENTS, {"tags": ["a", "b"]}, {"tags": ["a", " b"]}) == ()
    assert differs(PATIENTS, {"tags": ["a", "b"]}, {"tags": ["b", "a"]}) == ("tags",)
