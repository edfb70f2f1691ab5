"""What people and programs are told of coverage, as plain JSON values without patient data."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from bridge.hl7v2.grammar import field_name
from bridge.message import NOT_A_TYPE, Protocol, shown_type
from bridge.reports.masking import masked_code
from bridge.study.coverage.measure import Coverage, MappingCoverage, PathCoverage, PathState

#: files can hold any resource
_RESOURCE_TYPE = re.compile(r"[A-Z][A-Za-z]{1,39}")


def coverage_report(found: Coverage, *, refused: int, reveal: bool) -> dict[str, Any]:
    """Everything that was counted; `refused` is what the door would not have taken."""
    return {
        "mappings_hashes": dict(found.hashes),
        "messages": found.messages,
        "refused": refused,
        "unreadable": found.unreadable,
        "complete": found.complete,
        "unmapped_types": [
            {"protocol": protocol, "message_type": _type_of(protocol, kind), "count": count}
            for (protocol, kind), count in found.untaken.items()
        ],
        "mappings": [_of_mapping(each) for each in found.mappings],
        "idle_mappings": list(found.idle),
        "codes": [
            {"table": table, "code": code if reveal else masked_code(code), "count": count}
            for table, code, count in found.codes
        ],
    }


def _type_of(protocol: str, text: str) -> str:
    """A message type; what a sender wrote in its place may be anything."""
    if protocol == Protocol.FHIR and _RESOURCE_TYPE.fullmatch(text):
        return text
    return shown_type(text) or NOT_A_TYPE


def _of_mapping(found: MappingCoverage) -> dict[str, Any]:
    return {
        "mapping": found.mapping,
        "protocol": str(found.protocol),
        "messages": found.messages,
        "covered": round(found.covered, 4),
        "never_mapped": sum(row.state is PathState.UNMAPPED for row in found.rows),
        "thrown_away": sum(row.thrown_away > 0 for row in found.rows),
        "read": list(found.read),
        "rows": [_of_row(row, found.protocol) for row in found.rows],
        "rules_never_hit": [asdict(each) for each in found.unhit],
        "never_filled": [asdict(each) for each in found.unfilled],
    }


def _of_row(row: PathCoverage, protocol: Protocol) -> dict[str, Any]:
    hl7 = protocol is Protocol.HL7V2
    return {
        "path": row.path,
        "name": field_name(row.path, "2.5.1") if hl7 else "",
        "present": row.present,
        "state": str(row.state),
        "used": row.used,
        "thrown_away": row.thrown_away,
        "rules": [asdict(use) for use in row.rules],
    }
