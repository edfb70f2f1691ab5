"""Patient.contact of FHIR: whom to call for the patient."""

from __future__ import annotations

from typing import Any

from bridge.mapping.functions import contact as telecoms
from bridge.mapping.functions import names, texts
from bridge.mapping.functions.compounds import FHIR
from bridge.mapping.scope import Candidates, Scope

#: table 0131, which the R4 value set patient-contactrelationship is made of
_EMERGENCY = "C"
_NOT_PEOPLE = frozenset({"E", "F", "I", "S"})


def order(candidates: Candidates, scope: Scope) -> Candidates:
    """One contact: the emergency contact, else the first that is no employer, agency or insurer."""
    contacts = [candidate for candidate in candidates if isinstance(candidate[0], dict)]
    urgent = [contact for contact in contacts if _EMERGENCY in _codes(contact[0])]
    others = [contact for contact in contacts if _NOT_PEOPLE.isdisjoint(_codes(contact[0]))]
    return (urgent or others)[:1]


def name(value: Any, scope: Scope) -> str | None:
    """The contact's full name."""
    return names.full_name(FHIR.name(value.get("name")), scope)


def relation(value: Any, scope: Scope) -> str | None:
    """What the contact is to the patient, in words: the first relationship that is no role."""
    concepts = _relationships(value)
    related = [concept for concept in concepts if _EMERGENCY not in _codes_of(concept)]
    return next(filter(None, (texts.concept_text(c, scope) for c in related or concepts)), None)


def phone(value: Any, scope: Scope) -> str | None:
    """The contact's first number that can be called."""
    points = value.get("telecom")
    found = (
        telecoms.phone(FHIR.telecom(point), scope)
        for point in (points if isinstance(points, list) else ())
    )
    return next(filter(None, found), None)


def _relationships(value: dict[str, Any]) -> list[dict[str, Any]]:
    concepts = value.get("relationship")
    return [c for c in (concepts if isinstance(concepts, list) else [concepts]) if c]


def _codes(value: dict[str, Any]) -> set[str]:
    return {code for concept in _relationships(value) for code in _codes_of(concept)}


def _codes_of(concept: Any) -> set[str]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    listed = codings if isinstance(codings, list) else ()
    return {str(coding.get("code")) for coding in listed if isinstance(coding, dict)}
