from __future__ import annotations

import orjson
from fhir.resources.R4B.operationoutcome import OperationOutcome

from bridge.fhir.outcome import Issue, error, outcome, write


def test_an_issue_is_told_with_its_place() -> None:
    assert outcome([error("required", "Encounter.subject is missing", "Encounter.subject")]) == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "required",
                "diagnostics": "Encounter.subject is missing",
                "expression": ["Encounter.subject"],
            }
        ],
    }


def test_an_issue_of_the_whole_has_no_expression() -> None:
    assert "expression" not in outcome([error("structure", "the body is not JSON")])["issue"][0]


def test_no_finding_is_an_outcome_too() -> None:
    assert outcome([])["issue"][0]["severity"] == "information"


def test_what_is_written_is_an_r4_operation_outcome() -> None:
    written = orjson.loads(write([error("value", "x", "Patient.birthDate")]))
    assert OperationOutcome.model_validate(written)


def test_only_errors_stand_in_the_way() -> None:
    assert error("value", "x").grave
    assert not Issue("warning", "value", "x").grave
