"""Tables fit the line they are printed on, and no word is split letter by letter."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bridge.cli.grid import Grid, Measure, fitted, shortened, wrap
from bridge.cli.tables import LEAST_WIDTH, USUAL_WIDTH, lines, table, width
from tests.widths import split_words

FILE = "samples/hl7v2/adt-a01/01-admitted-with-next-of-kin-and-insurance.hl7"


def printed(grid: Grid, columns: int) -> str:
    out = io.StringIO()
    Console(file=out, width=columns, color_system=None).print(grid)
    return out.getvalue()


def folded(text: str, columns: int) -> list[str]:
    return [line.plain for line in wrap(Text(text), columns)]


def test_what_fits_stands_beside_each_other() -> None:
    shown = printed(table("", ("id", "status"), [(7, "parked"), (12, "held")]), 80)
    assert shown == "id  status\n7   parked\n12  held\n"


def test_a_title_and_columns_without_names() -> None:
    assert printed(table("message 7", ("", ""), [("type", "ACK")]), 80) == "message 7\ntype  ACK\n"


def test_what_has_no_room_stands_beneath_its_row_with_its_name() -> None:
    rows = [(FILE, "ADT^A01", "AA", "the structure is wrong: PV1 is missing after PID", "x")]
    shown = printed(table("", ("file", "type", "answer", "reason", "code"), rows), 60)
    assert shown.splitlines() == [
        "file                                         type     answer",
        "samples/hl7v2/adt-a01/01-admitted-with-      ADT^A01  AA",
        "next-of-kin-and-insurance.hl7",
        "    reason: the structure is wrong: PV1 is missing after PID",
        "    code: x",
    ]


def test_short_cells_share_a_line_beneath_and_empty_ones_take_none() -> None:
    row = ("2026-01-01 10:00:00 IST", "MEDISYS|SGH", "", "now", "12", "2026-01-02 10:00:00 IST")
    shown = printed(
        table("", ("first", "sender", "an empty column", "until", "count", "last"), [row]), 40
    )
    assert shown.splitlines() == [
        "first                    sender",
        "2026-01-01 10:00:00 IST  MEDISYS|SGH",
        "    until: now  count: 12",
        "    last: 2026-01-02 10:00:00 IST",
    ]


def test_a_text_in_place_of_a_row_stands_across() -> None:
    rows: list[Sequence[Any] | Text] = [Text("hl7v2/adt-a01"), ("1.hl7", "AA")]
    assert printed(table("", ("file", "answer"), rows), 80).splitlines()[1] == "hl7v2/adt-a01"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("nothing is wrong", ["nothing is", "wrong"]),
        ("adt-a01/01-admitted", ["adt-a01/01-", "admitted"]),
        ("PID|1||4711^^^SGH^MR", ["PID|1||", "4711^^^SGH^", "MR"]),
        ("2026-01-01 10:00:00", ["2026-01-01", "10:00:00"]),
        ("山田太郎と山田花子", ["山田太郎と山", "田花子"]),
        ("देशपांडे सुनीता प्रकाश", ["देशपांडे सुनीता", "प्रकाश"]),
        ("Xabcdefghijklmnopqrstuvwxyz", ["Xabcde…vwxyz"]),
        ("", [""]),
        ("a\n\nb", ["a", "", "b"]),
    ],
)
def test_lines_end_between_words_or_behind_a_mark(text: str, parts: list[str]) -> None:
    assert folded(text, 12) == parts


def test_a_short_column_stays_whole_and_a_sentence_takes_what_is_left() -> None:
    assert fitted([Measure(8, 23), Measure(30, 200), Measure(7, 7)], 80) == [23, 46, 7]


def test_the_ends_of_what_is_too_wide_are_kept() -> None:
    assert shortened(Text("ZAUTO-0123456789-END"), 9).plain == "ZAUT…-END"


WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=40)
CELLS = st.lists(WORDS, max_size=8).map(" ".join)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=4)


@given(ROWS, st.integers(LEAST_WIDTH, 160))
def test_no_line_is_wider_than_the_console(rows: list[tuple[str, ...]], columns: int) -> None:
    shown = printed(table("a title", ("one", "two", "three", "four"), rows), columns)
    assert [line for line in shown.split("\n") if cell_len(line) > columns] == []


PLAIN = st.lists(st.text("abcdeXYZ019", min_size=1, max_size=16), max_size=9).map(" ".join)


@given(st.lists(st.tuples(PLAIN, PLAIN, PLAIN), min_size=1), st.sampled_from([80, 100]))
def test_words_stay_whole(rows: list[tuple[str, ...]], columns: int) -> None:
    shown = printed(table("", ("one", "two", "three"), rows), columns)
    body = re.sub("(two|three):", "", shown.partition("\n")[2])
    assert sorted(body.split()) == sorted(" ".join(cell for row in rows for cell in row).split())


def test_a_split_word_is_noticed() -> None:
    assert split_words("a pati\nent came", "a patient came") == ["pati", "ent"]
    assert split_words("adt-\na01", "adt-a01") == []
    assert split_words("ZAUT…-END", "ZAUTO-0123456789-END") == []


@pytest.mark.parametrize(
    ("columns", "expected"),
    [("80", 80), ("100", 100), ("12", LEAST_WIDTH), ("0", USUAL_WIDTH), ("wide", USUAL_WIDTH)],
)
def test_columns_is_the_width(monkeypatch: pytest.MonkeyPatch, columns: str, expected: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert width() == expected


def test_a_pipe_without_columns_gets_the_usual_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert width() == USUAL_WIDTH


def test_text_is_printed_literally_with_its_indent() -> None:
    out = io.StringIO()
    lines(Console(file=out, width=20, color_system=None), "[bold] is not markup here", indent=2)
    assert out.getvalue() == "  [bold] is not\n  markup here\n"
