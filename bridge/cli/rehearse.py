"""A dry run: what messages would become, as plain values; nothing is sent or kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from bridge.delivery import OF_IDENTITY, Target, Translation
from bridge.hl7v2.grammar import check_structure
from bridge.hl7v2.writer import write
from bridge.lineage import Legend
from bridge.pipeline.planning.translate import Rehearsal, translate
from bridge.reports.calls import call_report
from bridge.senders.files import ReplayPart
from bridge.service.parts import read_parts
from bridge.settings import Settings
from bridge.study.traffic import RefusedMessage, from_files
from bridge.zauto.catalogue import Catalogue


def rehearse(files: list[Path], settings: Settings) -> list[dict[str, Any]]:
    """One report a message; later messages know what earlier ones taught, as in the service.

    Raises BridgeError for files that are not there, MappingError for wrong mappings.
    """
    parts = read_parts(settings)
    rehearsal = Rehearsal()
    reports = []
    for part, message in from_files(files, parts.sets.takes, settings, time.time):
        if isinstance(message, RefusedMessage):
            refused = {"problem": message.why, "status": "rejected"}
            reports.append(_report(part, None, ()) | refused)
            continue
        mappings = parts.sets.of(message.channel)
        made = translate(message, mappings, settings, rehearsal)
        report = _report(part, made, mappings.legend)
        if made is not None:
            report["lacks"] = _lacking(made, parts.catalogue, rehearsal)
            rehearsal.learn(made.calls)
        reports.append(report)
    return reports


def _lacking(made: Translation, catalogue: Catalogue, known: Rehearsal) -> list[str]:
    """What ZautoAI requires and neither this message nor an earlier one of the run brought."""
    lacking = []
    for call in made.calls:
        if call.target is not Target.ZAUTO or call.interaction in OF_IDENTITY:
            continue
        before = known.entity(call.resource, call.external_id)
        held = {**(before.desired if before else {}), **call.payload}
        held |= {allocation.field: 0 for allocation in call.allocations}
        missing = [n for n in sorted(catalogue[call.resource].required()) if held.get(n) is None]
        if missing:
            lacking.append(f"{call.resource} {call.external_id} lacks {', '.join(missing)}")
    return lacking


def _report(part: ReplayPart, made: Translation | None, legend: Legend) -> dict[str, Any]:
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
    remarks = [f"{each.path}: {each.text}" for each in made.warnings]
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
