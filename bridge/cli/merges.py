"""`bridge merges`: which numbers lead to another record, and by which message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.options import AsJson, Config, Reveal, reach_of, settings_of
from bridge.cli.tables import print_rows, when

if TYPE_CHECKING:
    from bridge.reports.aliases import AliasRow

_COLUMNS = ("message", "when", "number", "leads to", "still used", "of", "what", "did")


def merges(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 50,
    before: Annotated[
        int | None,
        typer.Option("--before", metavar="ID", min=1, help="Only of messages before this one."),
    ] = None,
    reveal: Reveal = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List what merges and changes of number did, the latest first.

    A line is a number of a patient, visit or account, the record it leads to now, and the message
    that said so. A message with a number that is not still used is about that record all the same.
    Two numbers that a visit had from the start have nothing under 'what'. A move changes no number:
    its message tells what it did.

    Example: bridge merges --reveal
    """
    settings = settings_of(config)
    rows, zone = reach_of(settings).merges(limit, before, reveal), settings.site.time_zone
    nothing = "No number leads to another record."
    print_rows(rows, as_json, nothing, _COLUMNS, lambda row: _cells(row, zone))


def _cells(row: AliasRow, zone: str) -> tuple[Any, ...]:
    numbers = row.number, row.leads_to, "no" if row.retired else "yes", row.level
    return row.message, when(row.at, zone), *numbers, row.interaction, row.reason
