"""`bridge coverage` itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli.options import AsJson, Config, settings_of
from bridge.cli.since import Paths, Since, check_chosen, seconds_of, view_of
from bridge.cli.tables import console, print_json, say
from bridge.errors import BridgeError
from bridge.settings import Settings


def coverage(
    paths: Paths = None,
    since: Since = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page to this file.")
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Show what is mapped, ignored or the bridge's own as well."),
    ] = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show codes that may be patient data in full.")
    ] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what of the traffic the mappings read, leave out on purpose, or overlook.

    For each HL7 field or FHIR element: how often it came, and which rules read it. Then codes that
    no table knows, fields of ZautoAI that stayed empty, and rules that nothing used. No value of
    any message is shown. What is left out on purpose stands under 'ignore:' in its part.

    Example: bridge coverage --since 7d --html coverage.html
    """
    check_chosen(paths, since)
    settings = settings_of(config)
    report = _report(paths or [], since, settings, reveal)
    if html is not None:
        from bridge.cli.coverage.page import page

        _write(html, page(report, time.strftime("%Y-%m-%d %H:%M")))
    if as_json:
        print_json(report)
    else:
        from bridge.cli.coverage.show import show

        show(console(), report, everything=everything)
        if html is not None:
            say(f"\nwritten to {html}")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BridgeError(f"--html {file}: cannot be written: {error.strerror}") from error


def _report(
    paths: list[Path], since: str | None, settings: Settings, reveal: bool
) -> dict[str, Any]:
    from bridge.service.parts import read_parts
    from bridge.study.coverage.measure import Survey
    from bridge.study.coverage.report import coverage_report
    from bridge.study.traffic import RefusedMessage, from_files, from_store

    span = seconds_of(since) if since else 0
    parts, refused = read_parts(settings), 0
    view = view_of(settings) if since else None
    survey = Survey(parts.sets, parts.catalogue, settings, view)
    if view is not None:
        for kept in from_store(view, time.time() - span):
            survey.add(kept.message)
    for _, message in from_files(paths, parts.sets.takes, settings, time.time):
        if isinstance(message, RefusedMessage):
            refused += 1
        else:
            survey.add(message)
    return coverage_report(survey.coverage(), refused=refused, reveal=reveal)
