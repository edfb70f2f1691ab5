"""FHIR references: which record of ours another resource means."""

from __future__ import annotations

from typing import Any

from bridge.fhir.reader import relative
from bridge.mapping.scope import Scope
from bridge.remarks import RemarkCode


def link(value: Any, scope: Scope) -> str | None:
    """External id of the patient a reference means; what is not known yet is waited for."""
    if not isinstance(value, str):
        return None
    reference = relative(value)
    known = scope.context.links.get(reference)
    if known is not None:
        return known
    if reference.startswith(("Patient/", "urn:")):
        scope.needs.append(reference)
    else:
        scope.remark(RemarkCode.NOT_A_PATIENT)
    return None


def provider_id(value: Any, scope: Scope) -> str | None:
    """Id of a participant that has a name: what is known of it, its identifier, or its id."""
    if not isinstance(value, dict) or not _is_practitioner(value):
        return None
    identifier = _identifier(value, scope)
    if identifier and not _shown(value):
        scope.remark(RemarkCode.PROVIDER_WITHOUT_NAME)
        return None
    return identifier or None


def provider_name(value: Any, scope: Scope) -> str | None:
    """The participant's display, where it also has an id."""
    if not isinstance(value, dict) or not _is_practitioner(value):
        return None
    if _shown(value) and not _identifier(value, scope):
        scope.remark(RemarkCode.PROVIDER_WITHOUT_ID)
        return None
    return _shown(value) or None


def _is_practitioner(value: dict[str, Any]) -> bool:
    """A participant may also be a relative or a device."""
    reference = value.get("reference")
    if not isinstance(reference, str):
        return bool(value.get("type", "Practitioner") == "Practitioner")
    return "Practitioner" in reference or reference.startswith("urn:")


def _identifier(value: dict[str, Any], scope: Scope) -> str:
    text = value.get("reference")
    reference = text if isinstance(text, str) else ""
    known = scope.context.links.get(relative(reference)) if reference else None
    if known is not None:
        return known
    identifier = value.get("identifier")
    if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
        return str(identifier["value"]).strip()
    if "?identifier=" in reference:
        # a conditional reference, as Synthea writes them: `Practitioner?identifier=system|value`
        return reference.rpartition("|")[2].rpartition("=")[2]
    return relative(reference).rpartition("/")[2].removeprefix("urn:uuid:")


def _shown(value: dict[str, Any]) -> str:
    shown = value.get("display")
    return shown.strip() if isinstance(shown, str) else ""
