"""FHIR resources and orders without their people."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.fhir.elements import NAMES, TIMES, types_of
from bridge.fhir.reader import read
from bridge.hl7v2.grammar import leaf
from bridge.mapping.engine import dotted
from bridge.mapping.engine.trails import Trail
from bridge.mapping.functions.identity import TELLING_TYPES
from bridge.message import Protocol
from bridge.study.scrub.allowed import Allowed
from bridge.study.scrub.disguise import Disguise, country_code, tokens
from bridge.study.scrub.moments import partly_moved

#: codes of R4 and R5 by the element they stand in (required bindings)
CODES: Mapping[str, frozenset[str]] = {
    name: frozenset(codes.split())
    for name, codes in {
        "gender": "male female other unknown",
        "use": "usual official temp nickname anonymous old maiden secondary home work mobile "
        "billing",
        "system": "phone fax email pager url sms other",
        "type": "postal physical both replaced-by replaces refer seealso",
        "status": "planned arrived triaged in-progress onleave finished cancelled entered-in-error "
        "unknown on-hold discharged completed discontinued active reserved generated extensions "
        "additional empty",
    }.items()
}
#: resource types that references lead to
REFERRED = frozenset(
    "Account Appointment CareTeam Condition Device Encounter EpisodeOfCare Group HealthcareService "
    "Location Observation Organization Patient Person Practitioner PractitionerRole Procedure "
    "RelatedPerson ServiceRequest".split()
)
#: what addresses of the net are made of, beside names
_FORMS = "http https urn oid uuid tel mailto whatsapp wa me www identifier history fhir".split()
KEPT = frozenset((*_FORMS, *(name.casefold() for name in REFERRED)))
#: code systems and profiles of HL7, of the net and of the nation, which name nobody
_SYSTEM = re.compile(
    r"https?://(?:terminology\.hl7\.org|hl7\.org/fhir)(?:/[A-Za-z0-9.-]+)*/?"
    r"|https?://(?:loinc\.org|snomed\.info/sct|unitsofmeasure\.org)"
    r"|urn:ietf:bcp:\d{1,2}|urn:oid:2\.16\.840\.1\.113883\.(?:4|5|6|12|18)(?:\.\d{1,4}){0,3}"
    r"|https?://nrces\.in/ndhm/fhir(?:/[A-Za-z0-9.-]+)*"
    r"|https?://(?:[a-z]+\.)?(?:ndhm|abdm|uidai)\.gov\.in(?:/[a-z-]+)*/?"
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,23}")
_EMPTY_DIV = '<div xmlns="http://www.w3.org/1999/xhtml"></div>'
#: words of a dose and of a duration that our functions read
_AMOUNTS = {
    "dose": "to",
    "duration": "for x d day days w wk week weeks month months h hr hour hours",
}
_SMALL = 3
_ORDER_NAMES = frozenset((*dotted.NAMES["order"], *dotted.NAMES["line"]))


def scrub(
    body: bytes, protocol: Protocol, allowed: Allowed, rng: random.Random
) -> tuple[bytes, Disguise]:
    """The document with everything replaced that is not known to be harmless, laid out anew.

    Raises ReadError where it is no JSON object.
    """
    document = read(body)
    disguise = Disguise(json.dumps(document, ensure_ascii=False), rng)
    scrubber = _ResourceScrubber(protocol, allowed, disguise)
    types = frozenset({str(document.get("resourceType"))})
    made = scrubber.table(document, types, ())
    return json.dumps(made, ensure_ascii=False, indent=2).encode(), disguise


def scrub_reference(text: str, disguise: Disguise) -> str:
    """`Patient/123` with another id."""
    return disguise.text(text, KEPT)


@dataclass(frozen=True, slots=True)
class _ResourceScrubber:
    """Goes through one document; `types` are what FHIR says an element may be of."""

    protocol: Protocol
    allowed: Allowed
    disguise: Disguise

    def table(
        self, table: Mapping[str, Any], types: frozenset[str], trail: Trail
    ) -> dict[str, Any]:
        """An object; a name that nobody knows may be a person's."""
        return {
            self._name(name): self._value(name, value, table, types, trail)
            for name, value in table.items()
        }

    def _name(self, name: str) -> str:
        known = _ORDER_NAMES if self.protocol is Protocol.ORDERS else NAMES
        return name if name.removeprefix("_") in known else self.disguise.text(name)

    def _value(
        self, name: str, value: Any, around: Mapping[str, Any], types: frozenset[str], trail: Trail
    ) -> Any:
        if isinstance(value, list):
            return [self._value(name, item, around, types, trail) for item in value]
        inner = frozenset[str]().union(*(types_of(kind, name) for kind in types))
        if isinstance(value, dict):
            return self.table(value, inner, self._under(trail, name))
        if isinstance(value, str):
            return self._text(name, value, around, inner, self._under(trail, name))
        return self._number(value)

    def _under(self, trail: Trail, name: str) -> Trail:
        if self.protocol is not Protocol.ORDERS:
            return (*trail, name)
        return ("line" if trail else "order", name)

    def _number(self, value: Any) -> Any:
        """A number of as many digits; truth and null say nothing of a person."""
        if isinstance(value, bool) or value is None:
            return value
        try:
            return json.loads(self.disguise.text(json.dumps(value)))
        except ValueError:
            return 0

    def _text(
        self, name: str, text: str, around: Mapping[str, Any], types: frozenset[str], trail: Trail
    ) -> str:
        if self.allowed.has(trail, text) or text in self.allowed.literals:
            return text
        if self.protocol is Protocol.ORDERS:
            return self.disguise.text(text, self._amounts(name, text, trail))
        if name == "div":
            return _EMPTY_DIV
        if _is_harmless(name, text, around):
            return text
        if types & TIMES and (partial := partly_moved(text, self.disguise.days)) is not None:
            return partial
        code = country_code(text) if name == "value" else ""
        kept = KEPT if _is_address(name) else frozenset[str]()
        return code + self.disguise.text(text[len(code) :], kept)

    def _amounts(self, name: str, text: str, trail: Trail) -> frozenset[str]:
        """Of a dose or a duration, small numbers and the words that say what they count."""
        if name not in _AMOUNTS:
            return frozenset()
        words = {token.casefold() for token in tokens(text)}
        known = set(_AMOUNTS[name].split())
        return frozenset(
            word
            for word in words
            if word in known
            or (word.isdecimal() and len(word) <= _SMALL)
            or self.allowed.has(trail, word)
        )


def _is_address(name: str) -> bool:
    return name in ("system", "reference", "url", "value", "profile", "source", "fullUrl", "type")


def _is_harmless(name: str, text: str, around: Mapping[str, Any]) -> bool:
    """Whether an element is a code of FHIR's, or one of HL7's or the nation's systems."""
    if name in ("resourceType", "type") and text in REFERRED:
        return True
    if text in CODES.get(name, ()):
        return True
    if name in ("system", "url", "profile"):
        return _SYSTEM.fullmatch(text) is not None
    if name in ("code", "text") and text.upper() in TELLING_TYPES:
        return True
    return name == "code" and _is_code(text, around.get("system"))


def _is_code(text: str, system: Any) -> bool:
    """A code of one of HL7's or the nation's own systems, or of its identifier types."""
    if isinstance(system, str) and _SYSTEM.fullmatch(system):
        return _CODE.fullmatch(text) is not None
    kinds = leaf("PID", 3, 5, 1, "2.5.1")
    return kinds is not None and text in kinds.codes
