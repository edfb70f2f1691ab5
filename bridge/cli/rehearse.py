"""A dry run: what messages would become, as plain values; nothing is sent or kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bridge.delivery import Legend, Target, Translation
from bridge.errors import BridgeError, ReadError
from bridge.hl7v2.grammar import check_structure
from bridge.hl7v2.header import scan
from bridge.hl7v2.writer import write
from bridge.mapping.plan import Mappings
from bridge.message import Message, Protocol
from bridge.pipeline.refuse import refusal_of, why
from bridge.pipeline.report import call_report
from bridge.pipeline.translate import Rehearsal, translate
from bridge.senders.files import Kind, Part, recognise, walk
from bridge.service.parts import read_parts
from bridge.settings import Settings
from bridge.zauto.catalogue import Catalogue

_PROTOCOLS = {Kind.HL7V2: Protocol.HL7V2, Kind.FHIR: Protocol.FHIR, Kind.ORDER: Protocol.ORDERS}
_ORDERS = {"prescriptions": "prescription-order", "services": "service-order"}


def rehearse(files: list[Path], settings: Settings) -> list[dict[str, Any]]:
    """One report a message; later messages know what earlier ones taught, as in the service.

    Raises BridgeError for files that are not there, MappingError for wrong mappings.
    """
    parts = read_parts(settings)
    rehearsal = Rehearsal()
    reports = []
    for part in _parts(files):
        refused = _refused(part, parts.mappings, settings)
        if refused:
            reports.append(_report(part, None, ()) | {"problem": refused, "status": "rejected"})
            continue
        made = translate(_message(part, settings), parts.mappings, settings, rehearsal)
        report = _report(part, made, parts.mappings.legend)
        if made is not None:
            report["lacks"] = _lacking(made, parts.catalogue, rehearsal)
            rehearsal.learn(made.calls)
        reports.append(report)
    return reports


def _refused(part: Part, mappings: Mappings, settings: Settings) -> str:
    """Why the MLLP door would not take it, "" where it would."""
    if _PROTOCOLS.get(part.kind, Protocol.HL7V2) is not Protocol.HL7V2:
        return ""
    channel = settings.channels[0]
    try:
        header = scan(part.body, default_version=channel.default_version)
    except ReadError as error:
        return str(error)

    def takes(protocol: Protocol, message_type: str) -> bool:
        return mappings.find(protocol, message_type) is not None

    return why(refusal_of(header, part.body, channel, takes))


def _lacking(made: Translation, catalogue: Catalogue, known: Rehearsal) -> list[str]:
    """What ZautoAI requires and neither this message nor an earlier one of the run brought."""
    lacking = []
    for call in made.calls:
        if call.target is not Target.ZAUTO:
            continue
        before = known.entity(call.resource, call.external_id)
        held = {**(before.desired if before else {}), **call.payload}
        held |= {allocation.field: 0 for allocation in call.allocations}
        missing = [n for n in sorted(catalogue[call.resource].required()) if held.get(n) is None]
        if missing:
            lacking.append(f"{call.resource} {call.external_id} lacks {', '.join(missing)}")
    return lacking


def _parts(files: list[Path]) -> list[Part]:
    missing = [str(file) for file in files if not file.exists()]
    if missing:
        raise BridgeError(f"no such file: {', '.join(missing)}")
    return [part for file in walk(files) for part in recognise(file, file.read_bytes())]


def _message(part: Part, settings: Settings) -> Message:
    protocol = _PROTOCOLS.get(part.kind, Protocol.HL7V2)
    message_type, reference = part.message_type, ""
    if protocol is Protocol.HL7V2:
        message_type = scan(part.body).message_type
    elif protocol is Protocol.ORDERS:
        message_type = _ORDERS.get(part.message_type, part.message_type)
    else:
        reference = f"{part.message_type}/{part.address.rpartition('/')[2]}"
    return Message(
        channel=settings.channels[0].name,
        protocol=protocol,
        message_type=message_type,
        control_id=part.control_id,
        sending_application="",
        sending_facility="",
        received_at=time.time(),
        body=part.body,
        reference=reference,
    )


def _report(part: Part, made: Translation | None, legend: Legend) -> dict[str, Any]:
    report: dict[str, Any] = {
        "file": str(part.path),
        "index": part.index,
        "message_type": part.message_type,
        "status": _status(made),
        "mapping": made.mapping if made else "",
        "mappings_hash": made.mappings_hash if made else "",
        "calls": [call_report(call, legend, reveal=True) for call in made.calls] if made else [],
        "remarks": _remarks(made) if made else [],
        "needs": list(made.needs) if made else [],
        "problem": made.problem if made else "",
        "lacks": [],
    }
    return report


def _remarks(made: Translation) -> list[str]:
    """What the translation met, and what a strict receiver would find in an order."""
    remarks = [f"{each.where}: {each.text}" for each in made.warnings]
    for call in made.calls:
        if call.target is Target.HOSPITAL:
            body = write([(name, fields) for name, fields in call.payload["segments"]])
            remarks += [f"structure: {sentence}" for sentence in check_structure(body)]
    return remarks


def _status(made: Translation | None) -> str:
    if made is None:
        return "unmapped"
    if made.needs:
        return "held"
    if made.problem:
        return "parked"
    return "waiting" if made.calls else "suppressed"
