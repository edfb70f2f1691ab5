"""`bridge translate`: what would be done with these messages, without doing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bridge.cli.explain import lineage_table, title_of
from bridge.cli.options import AsJson, Config, settings_of
from bridge.cli.tables import console, lines, print_json, short, table

if TYPE_CHECKING:
    from bridge.reports.calls import CallReport


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
    from bridge.cli.rehearse import rehearse

    reports = rehearse(files, settings)
    if as_json:
        print_json(reports)
        return
    out = console()
    for report in reports:
        _print(out, report, explain)


def _print(out: Console, report: dict[str, Any], explain: bool) -> None:
    place = f"{report['file']} [{report['index']}]" if report["index"] else report["file"]
    lines(out, f"\n{place}: {report['message_type'] or 'unreadable'}", style="bold")
    for line in (report["problem"], *(f"waits for {need}" for need in report["needs"])):
        if line:
            lines(out, f"{report['status']}: {line}", indent=2)
    if report["status"] == "unmapped":
        lines(out, "unmapped: no mapping takes this message type", indent=2)
    for call in report["calls"]:
        _print_call(out, call, explain)
    for lack in report["lacks"]:
        lines(out, f"would be parked, if ZautoAI has no such record yet: {lack}", indent=2)
    for remark in report["remarks"]:
        lines(out, f"remark: {remark}", indent=2)


def _print_call(out: Console, call: CallReport, explain: bool) -> None:
    lines(out, title_of(call), indent=2, style="bold")
    if not explain and "segments" in call.payload:
        lines(out, _as_hl7(call.payload["segments"]), indent=4)
        return
    if not explain:
        rows = [(name, short(value)) for name, value in call.payload.items()]
        out.print(table("", ("field", "value"), rows, indent=2))
        return
    out.print(lineage_table(call))


def _as_hl7(segments: list[tuple[str, dict[str, str]]]) -> str:
    from bridge.hl7v2.writer import write
    from bridge.visible import readable

    return readable(write(segments))
