"""`bridge translate`: what would be done with these messages, without doing it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bridge.cli.look import named
from bridge.cli.options import AsJson, Config, settings_of
from bridge.cli.tables import console, print_json, short, table
from bridge.delivery import Translation
from bridge.errors import BridgeError, ReadError
from bridge.hl7v2.header import scan
from bridge.message import Message, Protocol
from bridge.pipeline import translate as pipeline
from bridge.pipeline.report import call_report
from bridge.senders.files import Kind, Part, recognise, walk
from bridge.settings import Settings

_PROTOCOLS = {Kind.HL7V2: Protocol.HL7V2, Kind.FHIR: Protocol.FHIR, Kind.ORDER: Protocol.ORDERS}
_ORDERS = {"prescriptions": "prescription-order", "services": "service-order"}


def translate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="HL7 or JSON files.")],
    explain: Annotated[
        bool, typer.Option("--explain", help="Show where each field comes from.")
    ] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the calls that messages would become; nothing is sent or kept.

    Later files know what earlier ones taught, as in the service.

    Example: bridge translate samples/hl7v2/adt-a04 --explain
    """
    settings = settings_of(config)
    from bridge.service.parts import read_parts

    mappings = read_parts(settings).mappings
    rehearsal = pipeline.Rehearsal()
    reports = []
    for part in _parts(files):
        try:
            message = _message(part, settings)
            made = pipeline.translate(message, mappings, settings, rehearsal)
        except ReadError as error:
            reports.append(_report(part, None) | {"problem": str(error), "status": "rejected"})
            continue
        if made is not None:
            rehearsal.learn(made.calls)
        reports.append(_report(part, made))
    if as_json:
        print_json(reports)
        return
    out = console()
    for report in reports:
        _print(out, report, explain)


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


def _report(part: Part, made: Translation | None) -> dict[str, Any]:
    report: dict[str, Any] = {
        "file": str(part.path),
        "index": part.index,
        "message_type": part.message_type,
        "status": _status(made),
        "mapping": made.mapping if made else "",
        "mappings_hash": made.mappings_hash if made else "",
        "calls": [call_report(call, reveal=True) for call in made.calls] if made else [],
        "remarks": [f"{each.where}: {each.text}" for each in made.warnings] if made else [],
        "needs": list(made.needs) if made else [],
        "problem": made.problem if made else "",
    }
    return report


def _status(made: Translation | None) -> str:
    if made is None:
        return "unmapped"
    if made.needs:
        return "held"
    if made.problem:
        return "parked"
    return "waiting" if made.calls else "suppressed"


def _print(out: Console, report: dict[str, Any], explain: bool) -> None:
    place = f"{report['file']} [{report['index']}]" if report["index"] else report["file"]
    out.print(f"\n{place}: {report['message_type'] or 'unreadable'}", style="bold", markup=False)
    for line in (report["problem"], *(f"waits for {need}" for need in report["needs"])):
        if line:
            out.print(f"  {report['status']}: {line}", markup=False)
    if report["status"] == "unmapped":
        out.print("  unmapped: no mapping takes this message type", markup=False)
    for call in report["calls"]:
        _print_call(out, call, explain)
    for remark in report["remarks"]:
        out.print(f"  remark: {remark}", markup=False)


def _print_call(out: Console, call: dict[str, Any], explain: bool) -> None:
    title = f"  {call['interaction']} {call['resource']} {call['external_id']}"
    if not explain:
        rows = [(name, short(value)) for name, value in call["payload"].items()]
        out.print(table(title, ("field", "value"), rows))
        return
    explained = [_explained(call["payload"], origin) for origin in call["lineage"]]
    out.print(table(title, ("field", "value", "from", "raw", "by", "rule"), explained))


def _explained(payload: dict[str, Any], origin: dict[str, str]) -> tuple[str, ...]:
    name = origin["field"]
    value = short(payload[name]) if name in payload else ""
    by = origin["made_by"] or ("" if origin["path"] else "constant")
    return name, value, named(origin["path"]), origin["raw"], by, origin["rule"]
