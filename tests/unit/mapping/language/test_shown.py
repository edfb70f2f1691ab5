"""Mappings as they are in effect, written as YAML again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import Fault
from bridge.mapping.language.overlay import overlay
from bridge.mapping.language.shown import lines, value_of
from bridge.yamlfile import Table, read_table

SHIPPED = Path(__file__).parents[4] / "mappings"
FILES = [
    file
    for file in sorted(SHIPPED.glob("*/*.yaml"))
    if "zauto" not in file.parts and not file.stem.endswith("_test")
]


def tree(text: str, name: str = "f.yaml") -> Table:
    faults: list[Fault] = []
    table = read_table(text, name, faults)
    assert table is not None, faults
    return table


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_is_shown_says_what_the_file_says(file: Path) -> None:
    table = tree(file.read_text(encoding="utf-8"), str(file))
    again = tree("\n".join(line.text for line in lines(table)))
    said, shown = value_of(table), value_of(again)
    for value in (said, shown):
        assert isinstance(value, dict)
        value["about"] = " ".join(str(value.get("about")).split())
    assert shown == said


def test_each_line_names_the_file_that_wrote_it() -> None:
    shipped = tree("source: hl7v2\nfields:\n  a: {from: PID-1}\n  b: {from: PID-2}\n", "shipped")
    site = tree("fields:\n  b: {from: PID-3}\n  c: {constant: 'x: y'}\n", "site")
    told = [(line.text, line.place.file, line.place.line) for line in lines(overlay(shipped, site))]
    assert told == [
        ("source: hl7v2", "shipped", 1),
        ("fields:", "site", 1),
        ("  a: {from: PID-1}", "shipped", 3),
        ("  b: {from: PID-3}", "site", 2),
        ('  c: {constant: "x: y"}', "site", 3),
    ]


def test_rows_of_one_sender_are_told_row_by_row() -> None:
    shipped = tree("senders: {MEDIS: {1: Male, 2: Female}}", "shipped")
    site = tree("senders: {MEDIS: {2: Other}}", "site")
    told = [(line.text, line.place.file) for line in lines(overlay(shipped, site))]
    assert told == [
        ("senders:", "site"),
        ("  MEDIS:", "site"),
        ("    1: Male", "shipped"),
        ("    2: Other", "site"),
    ]
