"""`bridge codes`: what senders write that no code table knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.options import AsJson, Config, Reveal, reach_of, settings_of
from bridge.cli.tables import console, print_json, say, table, when

if TYPE_CHECKING:
    from bridge.reports.lists import CodeRow


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
    rows = reach_of(settings).codes(limit, reveal)
    if as_json:
        print_json(rows)
        return
    if not rows:
        say("Every code that came has a row in its table.")
        return
    columns = ("code", "table", "waiting", "messages", "sender", "first", "last")
    zone = settings.site.time_zone
    console().print(table("", columns, (_told(row, zone) for row in rows)))


def _told(row: CodeRow, zone: str) -> tuple[Any, ...]:
    return (
        row.code,
        f"codes/{row.table}",
        row.waiting or "",
        row.count,
        row.sender,
        when(row.first_at, zone),
        when(row.last_at, zone),
    )
