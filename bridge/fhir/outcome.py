"""OperationOutcome: how FHIR says what went wrong, or well (R4 operationoutcome.html)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import orjson

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding."""

    severity: Severity
    #: of the value set issue-type: structure, required, value, invalid, not-supported …
    code: str
    #: one sentence for the people at the sender
    text: str
    #: where, as simple FHIRPath: `Encounter.participant[0].period.start`; "" for the whole
    expression: str = ""

    @property
    def grave(self) -> bool:
        """Whether it stands in the way of taking the resource."""
        return self.severity in ("fatal", "error")


def error(code: str, text: str, expression: str = "") -> Issue:
    """An issue that stands in the way."""
    return Issue("error", code, text, expression)


def outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """The OperationOutcome of these issues; R4 wants at least one."""
    found = [_issue(issue) for issue in issues]
    return {
        "resourceType": "OperationOutcome",
        "issue": found or [_issue(Issue("information", "informational", "All OK"))],
    }


def write(issues: Iterable[Issue]) -> bytes:
    """The same as JSON in UTF-8."""
    return orjson.dumps(outcome(issues))


def _issue(issue: Issue) -> dict[str, Any]:
    found: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "diagnostics": issue.text,
    }
    if issue.expression:
        found["expression"] = [issue.expression]
    return found
