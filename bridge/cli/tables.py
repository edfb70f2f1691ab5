"""How the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

#: colour of a status or answer where it stands in a table
COLOURS = {
    "delivered": "green",
    "suppressed": "green",
    "superseded": "green",
    "waiting": "yellow",
    "held": "yellow",
    "parked": "red",
    "rejected": "red",
    "unmapped": "cyan",
}


def console() -> Console:
    """A console on standard output; wide enough for whole tables when it is not a terminal.

    COLUMNS, where it is set, is the width in any case.
    """
    told = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if told else 160, highlight=False)


def print_json(value: Any) -> None:
    """One JSON document, indented, as UTF-8."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table whose cells are taken literally, never as markup."""
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    return made


def when(seconds: float | None, zone: str) -> str:
    """A time in the site's zone, to the second, with the zone's short name."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %Z")


def lasting(seconds: float) -> str:
    """How long, in the largest unit that says it: `40 s`, `12 min`, `3 h`, `2 days`."""
    for size, unit in ((172_800, "days"), (7_200, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds / (size / 2):.0f} {unit}"
    return f"{seconds:.0f} s"


def short(value: Any) -> str:
    """A value of a payload in one line."""
    if isinstance(value, Mapping | list):
        return orjson.dumps(value).decode()
    return "cleared" if value is None else str(value)


def _cell(value: Any) -> Text:
    text = "" if value is None else str(value)
    return Text(text, style=COLOURS.get(text, ""))
