"""Lineage in two columns: what the message said, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.text import Text

from bridge.cli.grid import Grid
from bridge.cli.tables import short, table

if TYPE_CHECKING:
    from bridge.reports.calls import CallReport, OriginRow

_ASIDE = "dim"


def title_of(call: CallReport) -> str:
    """A call in a line: `upsert patients P1`, `merge patients P1 into P2`."""
    into = f" into {call.into}" if call.into else ""
    return f"{call.interaction} {call.resource} {call.external_id}{into}"


def lineage_table(call: CallReport) -> Grid:
    """One row for each field of a call, source on the left; cells are taken literally."""
    rows = ((_source(origin), _field(origin, call.payload)) for origin in call.lineage)
    return table("", ("what came", "what it became"), rows, indent=2)


def _source(origin: OriginRow) -> Text:
    """The value as sent, over the path it stood at."""
    if not origin.path:
        return Text(origin.raw or "·", style=_ASIDE if not origin.raw else "")
    return Text.assemble(origin.raw, "\n", (named(origin.path), _ASIDE))


def _field(origin: OriginRow, payload: Mapping[str, object]) -> Text:
    """The field and its value, over what made it and the rule that says so."""
    field, place = origin.field, origin.rule
    by = origin.made_by or ("copied" if origin.path else "")
    value = f" = {short(payload[field])}" if field in payload else ""
    said = " · ".join(filter(None, (by, f"{PurePath(place).name}" if place else "")))
    return Text.assemble((field, "bold"), value, "\n", (said, _ASIDE))


def named(path: str) -> str:
    """A source path with the standard's name for it: `PID-5[1] Patient Name`."""
    from bridge.hl7v2.grammar import field_name

    name = field_name(path, "2.5.1") if path[:3].isupper() and "-" in path else ""
    return f"{path} {name}".strip()
