"""`bridge codes`: what senders write that no code table knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.options import AsJson, Config, Reveal, reach_of, settings_of
from bridge.cli.tables import print_rows, when

if TYPE_CHECKING:
    from bridge.reports.lists import UnmappedCodeRow


def codes(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 50,
    reveal: Reveal = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List codes that have no row in their code table, those that most messages wait for first.

    Add a row to codes/<table>.yaml, for all or under 'senders' for one of them, and the messages
    that wait go by themselves once the mappings are read again. Of codes longer than three
    characters only the length is shown, unless --reveal: words about a person may stand there.

    Example: bridge codes
    """
    settings = settings_of(config)
    rows, zone = reach_of(settings).codes(limit, reveal), settings.site.time_zone
    nothing = "Every code that came has a row in its table."
    columns = ("code", "table", "waiting", "messages", "sender", "first", "last")
    print_rows(rows, as_json, nothing, columns, lambda row: _cells(row, zone))


def _cells(row: UnmappedCodeRow, zone: str) -> tuple[Any, ...]:
    times = when(row.first_at, zone), when(row.last_at, zone)
    return row.code, f"codes/{row.table}", row.waiting or "", row.count, row.sender, *times
