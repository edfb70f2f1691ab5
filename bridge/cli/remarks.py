"""`bridge remarks`: what of messages was thrown away or left out, how often, and by whom sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.options import AsJson, Config, reach_of, settings_of
from bridge.cli.tables import print_rows, when
from bridge.notices import Notice, NoticeKind

if TYPE_CHECKING:
    from bridge.reports.remarks import RemarkRow


def remarks(
    sender: Annotated[
        str,
        typer.Option(
            "--sender", metavar="NAME", help="Only of this sender, such as 'MEDIS|RIVERSIDE'."
        ),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 50,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List remarks by sender, path and code, the most frequent first.

    A remark is what a translation met and continued from: a value that is not what its place
    needs, or a call that was not made. Each line names the latest message that has it;
    'bridge messages show' shows the remarks of one message.

    Example: bridge remarks --sender 'MEDIS|RIVERSIDE'
    """
    settings = settings_of(config)
    rows, zone = reach_of(settings).remarks(limit, sender), settings.site.time_zone
    nothing = f"No message{f' of {sender}' if sender else ''} has a remark."
    columns = ("times", "path", "remark", "sender", "code", "message", "last", "first")
    print_rows(rows, as_json, nothing, columns, lambda row: _cells(row, zone))


def _cells(row: RemarkRow, zone: str) -> tuple[Any, ...]:
    times = when(row.last_at, zone), when(row.first_at, zone)
    return row.count, row.path, row.text, row.sender, row.code, row.message, *times


def most_frequent(rows: list[RemarkRow]) -> list[Notice]:
    """Lines of `bridge status` about what is thrown away most often."""
    return [Notice(NoticeKind.REMARKS), *map(_notice, rows)] if rows else []


def _notice(row: RemarkRow) -> Notice:
    kind = NoticeKind.REMARK
    return Notice(kind, number=row.count, name=row.path, text=row.text, sender=row.sender)
