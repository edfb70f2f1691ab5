"""CapabilityStatement: what the FHIR door does, for those who connect to it."""

from __future__ import annotations

from typing import Any

from bridge.fhir.elements import RESOURCE_TYPES

FHIR_VERSION = "4.0.1"
#: when what is stated here last changed
CHANGED = "2026-11-22"

_ABOUT = """\
Takes resources, keeps them durably and forwards what they say to ZautoAI. 201 or 200 means kept \
on disk, not yet forwarded. There is no read and no search. A version id counts what was kept, \
over all resources. If-Match is ignored, because servers that push resources send the version of \
their own; If-None-Exist and a conditional update are refused."""

_SECURITY = """\
Every request but this one needs the key: `Authorization: Bearer <key>` or `X-API-Key: <key>`."""

_VALIDATE = {
    "name": "validate",
    "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate",
}


def statement(software_version: str) -> dict[str, Any]:
    """The CapabilityStatement (R4 capabilitystatement.html) of this bridge."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": CHANGED,
        "kind": "instance",
        "software": {"name": "zautoai-bridge", "version": software_version},
        "implementation": {"description": "FHIR door of the bridge to ZautoAI"},
        "fhirVersion": FHIR_VERSION,
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": _ABOUT,
                "security": {"description": _SECURITY},
                "resource": [_resource(name) for name in RESOURCE_TYPES],
            }
        ],
    }


def _resource(resource_type: str) -> dict[str, Any]:
    return {
        "type": resource_type,
        "interaction": [{"code": "create"}, {"code": "update"}],
        "versioning": "versioned",
        "readHistory": False,
        "updateCreate": True,
        "conditionalCreate": False,
        "conditionalUpdate": False,
        "operation": [_VALIDATE],
    }
