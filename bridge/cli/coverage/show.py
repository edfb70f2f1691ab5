"""Coverage as tables on a terminal, what needs a decision first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console

from bridge.cli.tables import lines, table

UNMAPPED = "never mapped"
#: rows of each kind that a terminal shows; the page and JSON hold all
MOST_SHOWN = 40


def show(out: Console, report: dict[str, Any], *, everything: bool) -> None:
    """Print a report of `coverage_report`."""
    lines(out, summary(report))
    for mapping in report["mappings"]:
        _show_mapping(out, mapping, everything)
    if report["codes"]:
        codes = [(code["table"], code["code"], code["count"]) for code in report["codes"]]
        _table(out, "codes that no row knows", ("table", "code", "messages"), codes)
    if report["unmapped_types"]:
        types = [(one["message_type"], one["count"]) for one in report["unmapped_types"]]
        _table(out, "message types that no mapping takes", ("type", "messages"), types)
    if report["idle_mappings"]:
        idle = ", ".join(report["idle_mappings"])
        lines(out, f"\nno message came for: {idle}")


def summary(report: dict[str, Any]) -> str:
    """The one sentence that matters."""
    lost = sum(mapping["never_mapped"] for mapping in report["mappings"])
    counted = f"{report['messages']} message{'' if report['messages'] == 1 else 's'}"
    for key in ("refused", "unreadable"):
        if report[key]:
            counted += f", {report[key]} {key}"
    if not report["mappings"]:
        return f"{counted}: none of a type that a mapping takes."
    thrown = sum(mapping["thrown_away"] for mapping in report["mappings"])
    lacks = [f"{_paths(lost)} came that no rule reads"] if lost else []
    lacks += [f"{_paths(thrown)} came with values that were thrown away"] if thrown else []
    if not lacks:
        return f"{counted}: all that came is used, or left out on purpose."
    return f"{counted}: {'; '.join(lacks)}."


def _paths(count: int) -> str:
    return f"{count} path{'' if count == 1 else 's'}"


def overlooked(mapping: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows that are never mapped; of an HL7 segment that no rule reads at all, one row."""
    rows = [row for row in mapping["rows"] if row["state"] == UNMAPPED]
    if mapping["protocol"] != "hl7v2":
        return rows
    told: dict[str, dict[str, Any]] = {}
    for row in rows:
        segment, _, field = row["path"].partition("-")
        if segment in mapping["read"] or not field:
            told[row["path"]] = row
            continue
        whole = told.setdefault(segment, {**row, "path": segment, "name": "whole segment:"})
        whole["name"] += f" {field}"
    return list(told.values())


def thrown_away(mapping: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of which values were thrown away, the most first."""
    rows = [row for row in mapping["rows"] if row["thrown_away"]]
    return sorted(rows, key=lambda row: -int(row["thrown_away"]))


def arrived(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    """In how many messages a path had a value, a field was made of it, and it was thrown away; ""
    where no trace is kept of its use, or where nothing was thrown away."""
    return row["present"], "" if row["used"] is None else row["used"], row["thrown_away"] or ""


def percent(share: float) -> str:
    """A share, never rounded up to all."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"


def _show_mapping(out: Console, mapping: dict[str, Any], everything: bool) -> None:
    share = f"{percent(mapping['covered'])} of their values covered"
    title = f"\n{mapping['mapping']}: {mapping['messages']} messages, {share}"
    lines(out, title, style="bold")
    rows = [_row(row, mapping["messages"]) for row in overlooked(mapping)]
    _table(out, "never mapped", ("path", "", "messages", ""), rows)
    thrown = [(r["path"], r["name"], *arrived(r)) for r in thrown_away(mapping)]
    headings = ("path", "", "messages", "used in", "thrown away in")
    _table(out, "values thrown away, with a remark", headings, thrown)
    if everything:
        others = [row for row in mapping["rows"] if row["state"] != UNMAPPED]
        told = [
            (*_row(row, mapping["messages"]), arrived(row)[1], row["state"], rules(row))
            for row in others
        ]
        columns = ("path", "", "messages", "", "used in", "state", "rules, with their uses")
        _table(out, "covered", columns, told, most=len(told))
    _show_unused(out, mapping)


def _show_unused(out: Console, mapping: dict[str, Any]) -> None:
    hit = [(r["field"], r["place"], why_unhit(r)) for r in mapping["rules_never_hit"]]
    _table(out, "rules never used", ("field", "rule", ""), hit)
    empty = [(f["resource"], f["field"], why_empty(f)) for f in mapping["never_filled"]]
    _table(out, "fields never filled", ("of", "field", ""), empty)


def why_unhit(rule: dict[str, Any]) -> str:
    """What keeps a rule from being used, where it is known."""
    return "switched off by the settings of the site" if rule["off"] else ""


def why_empty(field: dict[str, Any]) -> str:
    """What keeps a field empty."""
    return "its rules found nothing" if field["has_rule"] else "no rule fills it"


def rules(row: dict[str, Any]) -> str:
    """Which rules read a path: `gender 46, facts.sex`."""
    told: dict[str, int | None] = {}
    for rule in row["rules"]:
        before = told.get(rule["field"])
        told[rule["field"]] = rule["used"] if before is None else before + (rule["used"] or 0)
    return ", ".join(f"{name}" if n is None else f"{name} {n}" for name, n in told.items())


def _row(row: dict[str, Any], messages: int) -> tuple[str, str, int, str]:
    return row["path"], row["name"], row["present"], percent(row["present"] / messages)


def _table(
    out: Console,
    title: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[Any, ...]],
    most: int = MOST_SHOWN,
) -> None:
    all_of = list(rows)
    if not all_of:
        return
    out.print()
    out.print(table(title, columns, all_of[:most]))
    if len(all_of) > most:
        lines(out, f"… and {len(all_of) - most} more: --json or --html shows all")
