"""Coverage as a page of its own: no script, nothing loaded, readable on a phone and in print."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from bridge.cli.coverage.show import (
    UNMAPPED,
    arrived,
    overlooked,
    percent,
    rules,
    summary,
    thrown_away,
    why_empty,
    why_unhit,
)
from bridge.visible import visible


class Markup(str):
    """Text that is HTML already; `tag` is the only maker."""

    __slots__ = ()


def tag(name: str, *inner: Any, **attributes: Any) -> Markup:
    """An element; whatever in it is not Markup is escaped here and nowhere else."""
    told = "".join(f' {key.strip("_")}="{escape(str(v))}"' for key, v in attributes.items())
    body = "".join(
        part if isinstance(part, Markup) else escape(visible(str(part), lines=True))
        for part in inner
    )
    return Markup(f"<{name}{told}>{body}</{name}>")


def page(report: dict[str, Any], at: str) -> str:
    """The whole page of a `coverage_report`, made at a time."""
    lost = sum(each["never_mapped"] + each["thrown_away"] for each in report["mappings"])
    hashes = ", ".join(report["mappings_hashes"].values())
    body = (
        tag("h1", "Mapping coverage"),
        tag("p", summary(report), class_="verdict lost" if lost else "verdict"),
        tag("p", f"Made {at} with mappings {hashes}. {_WHAT}", class_="dim"),
        *(_mapping(each) for each in report["mappings"]),
        _codes(report["codes"]),
        _types(report["unmapped_types"]),
        _idle(report["idle_mappings"]),
    )
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    head = Markup(
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Mapping coverage</title><style>\n{style}</style>"
    )
    html = tag("html", tag("head", head), tag("body", tag("main", *body)), lang="en")
    return f"<!doctype html>\n{html}\n"


_WHAT = (
    "It holds paths and counts, and no value of any message; codes longer than three characters "
    "are hidden unless --reveal was said."
)


def _mapping(mapping: dict[str, Any]) -> Markup:
    messages = mapping["messages"]
    lost = overlooked(mapping)
    covered = [row for row in mapping["rows"] if row["state"] != UNMAPPED]
    share = percent(mapping["covered"])
    return tag(
        "section",
        tag("h2", mapping["mapping"], tag("span", f"{share} covered", class_="share")),
        tag("p", f"{messages} messages", class_="dim"),
        _table("Never mapped", ("path", "messages"), (_came(row, messages) for row in lost)),
        _table(
            "Values thrown away, with a remark",
            ("path", "messages", "used in", "thrown away in"),
            ((*_came(row, messages), *arrived(row)[1:]) for row in thrown_away(mapping)),
        ),
        _table(
            "Rules never used",
            ("field and rule", ""),
            ((_two(rule["field"], rule["place"]), why_unhit(rule)) for rule in _unhit(mapping)),
        ),
        _table(
            "Fields never filled",
            ("field", ""),
            (
                (_two(field["field"], field["resource"]), why_empty(field))
                for field in mapping["never_filled"]
            ),
        ),
        _table(
            "Covered",
            ("path", "messages", "used in", "read by, and how often used"),
            (
                (*_came(row, messages), arrived(row)[1], rules(row) or row["state"])
                for row in covered
            ),
            closed=True,
        ),
    )


def _unhit(mapping: dict[str, Any]) -> list[dict[str, Any]]:
    """Those first that traffic could have used."""
    return sorted(mapping["rules_never_hit"], key=lambda rule: bool(rule["off"]))


def _codes(codes: list[dict[str, Any]]) -> Markup:
    rows = ((_two(code["code"], code["table"]), code["count"]) for code in codes)
    return _section("Codes that no row knows", ("code", "messages"), rows)


def _types(types: list[dict[str, Any]]) -> Markup:
    rows = ((_two(each["message_type"], each["protocol"]), each["count"]) for each in types)
    return _section("Message types that no mapping takes", ("type", "messages"), rows)


def _idle(names: list[str]) -> Markup:
    return _section("Mappings of which no message came", ("mapping",), ((n,) for n in names))


def _section(title: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Markup:
    made = _table("", columns, rows)
    return tag("section", tag("h2", title), made) if made else Markup()


def _came(row: dict[str, Any], messages: int) -> tuple[Markup, Markup]:
    share = row["present"] / messages
    bar = tag("i", class_="bar", style=f"--share:{share:.3f}", title=percent(share))
    return _two(row["path"], row["name"]), tag("span", row["present"], bar, class_="count")


def _two(first: Any, second: str) -> Markup:
    """A cell of a term and what explains it."""
    below = tag("small", second) if second else ""
    return tag("span", tag("b", first), below)


def _table(
    title: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[Any, ...]],
    *,
    closed: bool = False,
) -> Markup:
    lines = [tag("tr", *(tag("td", cell) for cell in row)) for row in rows]
    if not lines:
        return Markup()
    head = tag("thead", tag("tr", *(tag("th", column, scope="col") for column in columns)))
    made = tag("table", head, tag("tbody", *lines))
    if not title:
        return made
    summary_line = tag("summary", title, tag("span", len(lines), class_="number"))
    return tag("details", summary_line, made, **({} if closed else {"open": ""}))
