"""Every difference is told with its line, what was expected, what came, and the rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.causes import Cause, CauseKind
from bridge.delivery import Allocation, Call, Interaction, Target, Translation
from bridge.errors import Fault
from bridge.lineage import RuleLine
from bridge.remarks import Remark, RemarkCode
from bridge.study.cases.compare import compare
from bridge.study.cases.language import ExpectedEnd
from bridge.study.cases.parse import parse_cases

LEGEND = (
    RuleLine("gender", "parts/patient_from_pid.yaml:22"),
    RuleLine("OBR-4.2", "parts/o.yaml:7"),
)
PATIENT = Call(
    Target.ZAUTO,
    Interaction.UPSERT,
    "patients",
    "4711",
    {"id": "4711", "gender": "Male", "uhid": 4711, "address": None, "status": "IN_QUEUE"},
    create_only=frozenset({"status"}),
    authority="SGH",
    references=("Patient/1",),
    facts={"family": "Rao"},
    allocations=(Allocation("number", "number", "4711"),),
    lineage=((0, "PID-8.1", "M", "codes/gender: M"),),
)
ORDER = Call(
    Target.HOSPITAL,
    Interaction.SEND,
    "ORM^O01",
    "K1",
    {"segments": [("MSH", {"10": "K1"}), ("OBR", {"1": "1", "4.2": "ECG"})]},
    lineage=((1, "line.name", "ECG"),),
)
EXPECTED = """\
calls:
  - upsert: patients
    id: 4711
    authority: SGH
    linked: Patient/1
    fields: {gender: Male, uhid: 4711}
    on_create: {status: IN_QUEUE}
    cleared: [address]
    allocated: [number]
    facts: {family: Rao}
"""


def expected(text: str) -> ExpectedEnd:
    faults: list[Fault] = []
    body = "".join(f"      {line}\n" for line in text.splitlines())
    head = "tests:\n  - name: it\n    message: x\n    expect:\n"
    (case,) = parse_cases(head + body, "t.yaml", "hl7v2/x", faults).cases
    assert faults == []
    assert case.expect is not None
    return case.expect


def made(*calls: Call, **other: Any) -> Translation:
    return Translation("hl7v2/x", "", calls, **other)


def told(text: str, translation: Translation | None) -> list[str]:
    return [str(fault) for fault in compare(expected(text), translation, LEGEND)]


def test_what_is_as_expected_differs_in_nothing() -> None:
    assert told(EXPECTED, made(PATIENT)) == []


def test_facts_and_authority_are_compared_where_they_are_stated() -> None:
    silent = EXPECTED.replace("    authority: SGH\n", "").replace("    facts: {family: Rao}\n", "")
    assert told(silent, made(PATIENT)) == []


def test_a_field_is_told_with_what_was_expected_what_came_and_its_rule() -> None:
    (difference,) = told(EXPECTED.replace("gender: Male", "gender: Female"), made(PATIENT))
    assert difference == (
        "t.yaml:10:20: tests[0].expect.calls[0].fields.gender: expected 'Female', got 'Male'; "
        "parts/patient_from_pid.yaml:22 made it of PID-8.1 'M' by codes/gender: M."
    )


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"payload": {**PATIENT.payload, "uhid": 9}}, "fields.uhid: expected '4711', got '9'"),
        ({"payload": {**PATIENT.payload, "email": "a@b.in"}}, "expected nothing, got 'a@b.in'"),
        ({"create_only": frozenset()}, "on_create.status: expected 'IN_QUEUE', got nothing"),
        ({"create_only": frozenset()}, "fields.status: expected nothing, got 'IN_QUEUE'"),
        ({"payload": {"gender": "Male", "uhid": 4711}}, "cleared: expected 'address'"),
        ({"external_id": "9"}, "id: expected '4711', got '9'"),
        ({"authority": "LMC"}, "authority: expected 'SGH', got 'LMC'"),
        ({"references": ()}, "linked: expected 'Patient/1'"),
        ({"references": ("Patient/1", "Patient/2")}, "linked: got 'Patient/2', not expected."),
        ({"allocations": ()}, "allocated: expected 'number'"),
        ({"facts": {"family": "Das"}}, "facts.family: expected 'Rao', got 'Das'"),
        ({"interaction": Interaction.CREATE}, "expected to upsert patients, got no such call."),
        ({"interaction": Interaction.CREATE}, "got create patients 4711, not expected."),
    ],
)
def test_each_difference_of_a_call_is_told(change: dict[str, Any], difference: str) -> None:
    differences = told(EXPECTED, made(replace(PATIENT, **change)))
    assert any(difference in one for one in differences), differences


def test_the_order_of_calls_matters() -> None:
    other = replace(PATIENT, resource="providers")
    text = EXPECTED + EXPECTED.replace("patients", "providers").removeprefix("calls:\n")
    assert told(text, made(PATIENT, other)) == []
    (difference,) = told(text, made(other, PATIENT))
    assert "got in another order: upsert providers, upsert patients." in difference


def test_a_call_too_many_is_told() -> None:
    (difference,) = told("calls: []", made(PATIENT))
    assert "calls: got upsert patients 4711, not expected." in difference


def test_an_order_is_compared_field_by_field() -> None:
    text = (
        "calls:\n  - send: ORM^O01\n    message: |\n      MSH|^~\\&||||||||K1\n      OBR|1|||^{}\n"
    )
    assert told(text.format("ECG"), made(ORDER)) == []
    (difference,) = told(text.format("EEG"), made(ORDER))
    assert difference.startswith("t.yaml:9:")
    assert "message.OBR-4: expected '^EEG', got '^ECG'; parts/o.yaml:7 made it of line.name" in (
        difference
    )


def test_other_segments_are_told_at_once() -> None:
    text = "calls:\n  - send: ORM^O01\n    message: |\n      MSH|^~\\&||||||||K1\n"
    (difference,) = told(text, made(ORDER))
    assert "expected the segments MSH, got MSH OBR." in difference


@pytest.mark.parametrize(
    ("text", "translation", "difference"),
    [
        ("held: [Patient/1]", made(needs=("Patient/1",)), None),
        ("problem: no id", made(cause=Cause(CauseKind.NOT_CALLED, name="no id")), None),
        ("unmapped: true", None, None),
        ("held: [Patient/1]", made(needs=("Patient/2",)), "expected held for Patient/1, got held"),
        ("held: [Patient/1]", made(PATIENT), "expected held for Patient/1, got calls."),
        (
            "problem: no id",
            made(cause=Cause(CauseKind.NOT_CALLED, name="no name")),
            "got the problem 'no name'.",
        ),
        ("calls: []", None, "expected calls, got unmapped."),
        ("unmapped: true", made(PATIENT), "expected unmapped, got calls."),
    ],
)
def test_it_ends_as_expected(
    text: str, translation: Translation | None, difference: str | None
) -> None:
    differences = told(text, translation)
    assert (differences == []) if difference is None else (difference in differences[0])


def test_remarks_are_all_expected() -> None:
    remarked = made(warnings=(Remark(RemarkCode.NOT_A_DATE, "PID-7"),))
    assert told("calls: []\nremarks:\n  - PID-7: is not a date; left out", remarked) == []
    (more,) = told("calls: []", remarked)
    assert "remarks.PID-7: got 'is not a date; left out', not expected." in more
    (missing,) = told("calls: []\nremarks:\n  - PID-8: is odd", made())
    assert "remarks.PID-8: expected 'is odd', got no such remark." in missing
