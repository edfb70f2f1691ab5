"""How the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import orjson
import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from bridge.cli.grid import Grid, wrap
from bridge.moments import moment
from bridge.reports.report import Report
from bridge.visible import HIDDEN, visible, visible_json

R = TypeVar("R", bound=Report)

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


#: characters of a line where standard output is not a terminal and COLUMNS is not set
USUAL_WIDTH = 100
#: narrower than this nothing can be laid out; the terminal wraps it
LEAST_WIDTH = 40


def console() -> Console:
    """A console on standard output: as wide as COLUMNS says, or the terminal, or 100 characters."""
    return _Visible(width=width(), highlight=False)


def width() -> int:
    """Characters of a line on standard output."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return max(LEAST_WIDTH, int(columns))
    if sys.stdout.isatty():
        # a terminal that does not know its size says 0
        return max(LEAST_WIDTH, os.get_terminal_size(sys.stdout.fileno()).columns or USUAL_WIDTH)
    return USUAL_WIDTH


class _Visible(Console):
    """A console that shows characters which cannot be seen, however they got into a text."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        if isinstance(renderable, Text):
            renderable = _shown(renderable)
        return super().render(renderable, options)


def _shown(text: Text) -> Text:
    """The text with its styles; line feeds stay, the cells of a table have none of their own."""
    if not HIDDEN.search(text.plain):
        return text
    shown, end = text.blank_copy(), 0
    for match in HIDDEN.finditer(text.plain):
        shown.append_text(text[end : match.start()])
        shown.append(visible(match[0], lines=True))
        end = match.end()
    return shown.append_text(text[end:])


def print_json(value: Any) -> None:
    """One JSON document, indented, as UTF-8, with characters escaped that cannot be seen."""
    document = orjson.dumps(value, default=Report.plain, option=orjson.OPT_INDENT_2)
    sys.stdout.buffer.write(visible_json(document) + b"\n")


def print_rows(
    rows: list[R],
    as_json: bool,
    nothing: str,
    columns: Sequence[str],
    cells: Callable[[R], Sequence[Any]],
) -> None:
    """A list as JSON or as a table; the sentence `nothing` in place of an empty table."""
    if as_json:
        print_json(rows)
    elif rows:
        console().print(table("", columns, map(cells, rows)))
    else:
        say(nothing)


def say(text: str, *, error: bool = False) -> None:
    """Print lines of plain text, on standard error if asked."""
    typer.echo(visible(text, lines=True), err=error)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any] | Text], *, indent: int = 0
) -> Grid:
    """A table whose cells are taken literally, never as markup.

    A Text in place of a row stands across all columns. Name those columns first that a person
    needs: the last stand beneath their row where the line is too narrow.
    """
    return Grid(
        title,
        tuple(columns),
        tuple(r if isinstance(r, Text) else tuple(map(cell, r)) for r in rows),
        indent,
    )


def lines(out: Console, text: str | Text, *, indent: int = 0, style: str = "") -> None:
    """Print text literally, broken between words or behind the marks of a path or message."""
    whole = text if isinstance(text, Text) else Text(text, style=style)
    for line in wrap(whole, out.width - indent):
        out.print(Text.assemble(" " * indent, line), no_wrap=True, overflow="ignore", crop=False)


def when(seconds: float | None, zone: str) -> str:
    """A time in the site's zone, to the second, with the zone's short name."""
    return "" if seconds is None else moment(seconds, zone)


def short(value: Any) -> str:
    """A value of a payload in one line."""
    if isinstance(value, Mapping | list):
        return orjson.dumps(value).decode()
    return "cleared" if value is None else str(value)


def cell(value: Any) -> Text:
    """A value as the cell of a table, in the colour of its status; a tuple has one in each line."""
    if isinstance(value, Text):
        return value
    if isinstance(value, tuple):
        return Text("\n").join(map(cell, value))
    text = "" if value is None else visible(str(value).replace("\t", " ").rstrip())
    return Text(text, style=COLOURS.get(text, ""))
