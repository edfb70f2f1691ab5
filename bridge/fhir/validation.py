"""What is wrong with a resource: what the bridge cannot do without, and what FHIR would say.

`check` is quick and decides: it refuses what the mappings could not read and only remarks on
the rest, because vendors add elements, bend types and send R5. `advise` asks fhir.resources,
which is slow to load and refuses much that can be read well, so that its findings are warnings.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError

from bridge.fhir.elements import OPEN, PRIMITIVES, TEXTS, TIMES, TYPES, Element
from bridge.fhir.outcome import Issue, Severity, error

#: elements without which a resource says nothing to the bridge (R4 cardinality 1..1, and the
#: subject, which R4 leaves optional but a visit cannot)
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "Patient": (),
    "Encounter": ("status", "class", "subject"),
}
#: elements that mappings read: a wrong type there is refused, elsewhere remarked on
READ: Mapping[str, frozenset[str]] = {
    "Patient": frozenset(
        "identifier active name telecom gender birthDate deceasedBoolean deceasedDateTime address "
        "maritalStatus contact communication generalPractitioner".split()
    ),
    "Encounter": frozenset(
        "identifier status class type serviceType subject participant period reasonCode "
        "hospitalization location serviceProvider".split()
    ),
}
#: required value sets (R4 administrative-gender, encounter-status)
CODES: Mapping[str, frozenset[str]] = {
    "Patient.gender": frozenset("male female other unknown".split()),
    "Encounter.status": frozenset(
        "planned arrived triaged in-progress onleave finished cancelled entered-in-error "
        "unknown".split()
    ),
}
#: findings told to a sender at once
MOST = 50

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
#: read all the same: no seconds, no zone, a zone of hours
_LOOSE_TIME = re.compile(
    r"([01]\d|2[0-3]):[0-5]\d(:([0-5]\d|60)(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?", re.ASCII
)


def check(resource: Mapping[str, Any], resource_type: str) -> list[Issue]:
    """Findings on a resource of a type the bridge takes; those that are grave refuse it."""
    walk = _Walk(resource_type)
    for name in REQUIRED[resource_type]:
        if resource.get(name) in (None, "", {}, []):
            text = f"{resource_type}.{name} is missing; the bridge cannot place it without"
            walk.issues.append(error("required", text, f"{resource_type}.{name}"))
    walk.resource(resource)
    return walk.issues


def advise(resource: Mapping[str, Any], resource_type: str) -> list[Issue]:
    """What fhir.resources (R4B, which for these types is R4) finds, as warnings.

    Takes 0.1 to 1 ms, and 0.4 s the first time: not for the event loop.
    """
    module = importlib.import_module(f"fhir.resources.R4B.{resource_type.lower()}")
    try:
        getattr(module, resource_type).model_validate(dict(resource))
    except ValidationError as found:
        return [_advice(resource_type, fault) for fault in found.errors()[:MOST]]
    return []


def _advice(resource_type: str, fault: Mapping[str, Any]) -> Issue:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"]]
    return Issue("warning", "structure", fault["msg"], resource_type + "".join(parts))


class _Walk:
    """One pass over a resource, gathering what is found."""

    def __init__(self, resource_type: str) -> None:
        self.issues: list[Issue] = []
        self._type = resource_type
        self._severity: Severity = "error"

    def resource(self, resource: Mapping[str, Any]) -> None:
        read = READ[self._type]
        for key, value in resource.items():
            self._severity = "error" if key in read else "warning"
            self._member(key, value, self._type, self._type)
            codes = CODES.get(f"{self._type}.{key}")
            if codes is not None and isinstance(value, str):
                self._code(value, codes, f"{self._type}.{key}")

    def _member(self, key: str, value: Any, type_name: str, parent: str) -> None:
        element = TYPES[type_name].get(key)
        if element is None:
            self._unknown(key, f"{parent}.{key}"[:200])
        elif element.is_text and type(value) is str:
            return
        elif element.type not in OPEN:
            self._values(value, element, f"{parent}.{key}")

    def _code(self, value: str, codes: frozenset[str], at: str) -> None:
        if value not in codes:
            known = ", ".join(sorted(codes))
            self._remark("code-invalid", f"{at} is none of its value set: {known}", at)

    def _unknown(self, key: str, at: str) -> None:
        if not key.startswith("_"):
            self._remark("structure", f"{at} is not an R4 element", at)

    def _values(self, value: Any, element: Element, at: str) -> None:
        if isinstance(value, list):
            if not element.many:
                self._remark("structure", f"{at} should not be a list in R4", at)
            for number, item in enumerate(value):
                self._value(item, element.type, f"{at}[{number}]")
            return
        if element.many and value is not None:
            self._remark("structure", f"{at} should be a list; read as a list of one", at)
        self._value(value, element.type, at)

    def _value(self, value: Any, type_name: str, at: str) -> None:
        if value is None:
            return
        if type_name in PRIMITIVES:
            self._primitive(value, type_name, at)
        elif isinstance(value, dict):
            for key, member in value.items():
                self._member(key, member, type_name, at)
        else:
            self._find("structure", f"{at} must be a JSON object ({type_name})", at)

    def _primitive(self, value: Any, type_name: str, at: str) -> None:
        if isinstance(value, (dict, list)):
            self._find("structure", f"{at} must be a single value ({type_name})", at)
        elif type_name in TIMES:
            self._time(value, type_name, at)
        elif type_name in TEXTS:
            if not isinstance(value, str):
                self._remark("value", f"{at} should be a JSON string ({type_name})", at)
        elif isinstance(value, bool) != (type_name == "boolean") or isinstance(value, str):
            self._remark("value", f"{at} should be a JSON {type_name}", at)

    def _time(self, value: Any, type_name: str, at: str) -> None:
        day, mark, time = value.partition("T") if isinstance(value, str) else ("", "", "")
        if not mark and _is_day(day):
            return
        if type_name == "date" or not _is_day(day) or not _LOOSE_TIME.fullmatch(time):
            self._find("value", f"{at} is not a FHIR {type_name} such as {_SUCH[type_name]}", at)
        elif not _TIME.fullmatch(time):
            self._remark("value", f"{at} should have seconds and a zone", at)

    def _remark(self, code: str, text: str, at: str) -> None:
        if len(self.issues) < MOST:
            self.issues.append(Issue("warning", code, text, at))

    def _find(self, code: str, text: str, at: str) -> None:
        """Grave where mappings read; then it is told even when there is much else."""
        if len(self.issues) < MOST or (self._severity == "error" and len(self.issues) < 2 * MOST):
            self.issues.append(Issue(self._severity, code, text, at))


_SUCH = {
    "date": "1987-06-01",
    "dateTime": "2024-03-05T10:30:00+05:30",
    "instant": "2024-03-05T10:30:00.000+05:30",
}


def _is_day(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return True
