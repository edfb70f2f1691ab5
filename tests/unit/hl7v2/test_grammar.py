from __future__ import annotations

import pytest

from bridge.hl7v2.grammar import check_structure, field_name
from bridge.hl7v2.writer import write

MSH = {
    "3": "ZAUTO",
    "7": "20260102",
    "9.1": "RDE",
    "9.2": "O11",
    "9.3": "RDE_O11",
    "10": "1",
    "11": "P",
    "12": "2.5.1",
}
ORDER = [
    ("ORC", {"1": "NW", "2": "7"}),
    ("RXE", {"2.1": "M1", "3": "1", "5.1": "TAB"}),
    ("NTE", {"3": "after food"}),
    ("TQ1", {"1": "1", "11": "1-0-1"}),
    ("RXR", {"1.1": "PO"}),
]
PATIENT = [("PID", {"3.1": "7", "5.1": "Rao", "7": "19900305"}), ("PV1", {"2": "O"})]


def faults(*segments: tuple[str, dict[str, str]], **header: str) -> list[str]:
    return check_structure(write([("MSH", {**MSH, **header}), *segments]))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("PID-5", "Patient name"),
        ("PID-5.1", "Patient name, family name"),
        ("PID-3[MR].1", "Patient identifier list, id number"),
        ("NK1[2]-3", "Relationship"),
        ("PV1-44", "Admit date time"),
        ("PID-5.99", "Patient name"),
        ("PID-99", ""),
        ("ZPV-1", ""),
        ("Patient.name", ""),
    ],
)
def test_names_for_people(path: str, name: str) -> None:
    assert field_name(path, "2.5.1") == name


def test_an_unknown_version_is_taken_for_2_5_1() -> None:
    assert field_name("PID-5", "2.9.9") == "Patient name"


def test_a_message_by_the_grammar_has_no_faults() -> None:
    assert faults(*PATIENT, *ORDER, *ORDER) == []


def test_a_missing_segment_is_named_with_its_place() -> None:
    assert faults(*PATIENT, *ORDER[:3], ORDER[4]) == [
        "TQ1 is missing after NTE; RDE_O11 of HL7 2.5.1 requires it."
    ]


def test_a_missing_group_is_named_by_the_segment_it_begins_with() -> None:
    assert faults(*PATIENT) == ["ORC is missing after PV1; RDE_O11 of HL7 2.5.1 requires it."]


def test_a_segment_out_of_place_is_named() -> None:
    assert faults(*ORDER, PATIENT[1]) == [
        "PV1 has no place where it stands in RDE_O11 of HL7 2.5.1."
    ]


def test_required_repeated_and_surplus_fields_are_named() -> None:
    assert faults(("PID", {"3.1": "7", "8[2]": "F", "60": "x"}), *ORDER) == [
        "PID has 60 fields; HL7 2.5.1 has 39.",
        "PID-5 is empty; HL7 2.5.1 requires it.",
        "PID-8 has 2 repetitions; HL7 2.5.1 allows 1.",
    ]


def test_numbers_and_times_are_checked_and_never_repeated() -> None:
    wrong = ("RXE", {"2.1": "M1", "2.9": "any text", "3": "one", "5.1": "TAB", "18": "5.3.1990"})

    assert faults(*PATIENT, ORDER[0], wrong, *ORDER[2:]) == [
        "RXE-3 is not a value of the data type NM.",
        "RXE-18.1 is not a value of the data type DTM.",
    ]


def test_the_second_segment_of_a_name_has_its_number() -> None:
    assert faults(*PATIENT, *ORDER, ("ORC", {"2": "8"}), *ORDER[1:]) == [
        "ORC[2]-1 is empty; HL7 2.5.1 requires it."
    ]


def test_2_3_1_has_no_rde_o11() -> None:
    assert faults(*ORDER, **{"12": "2.3.1"}) == ["RDE_O11 is not a message structure of HL7 2.3.1."]


def test_a_structure_that_is_not_named_is_made_of_code_and_trigger() -> None:
    order = [("ORC", {"1": "NW"}), ("OBR", {"4.1": "CBC"})]

    assert faults(*order, **{"9.1": "ORM", "9.2": "O01", "9.3": ""}) == []


def test_one_of_a_choice_is_enough_and_one_is_needed() -> None:
    header = {"9.1": "ORM", "9.2": "O01", "9.3": "ORM_O01"}
    orders = [("ORC", {"1": "NW"}), ("RXO", {"1": "M1"}), ("ORC", {"1": "NW"}), ("OBR", {"4": "X"})]

    assert faults(*orders, **header) == []
    assert faults(*orders[:1], ("NTE", {"3": "x"}), **header) == [
        "NTE has no place where it stands in ORM_O01 of HL7 2.5.1."
    ]


@pytest.mark.parametrize(
    ("event", "version"),
    [("A04", "2.5.1"), ("A08", "2.4"), ("A31", "2.5.1"), ("A11", "2.3.1"), ("A04", "2.3.1")],
)
def test_a_structure_that_is_not_named_may_be_anothers(event: str, version: str) -> None:
    evn = ("EVN", {"1": event, "2": "20260102"})
    named = {"9.1": "ADT", "9.2": event, "9.3": "", "12": version}
    assert faults(evn, *PATIENT, **named) == []


def test_a_local_event_has_no_structure_to_be_checked() -> None:
    assert faults(*PATIENT, **{"9.1": "ADT", "9.2": "Z01", "9.3": ""}) == []


def test_local_segments_may_stand_anywhere() -> None:
    assert faults(*PATIENT, ("ZPD", {"1": "1"}), *ORDER) == []
