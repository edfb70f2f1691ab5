"""Numbers are read as a whole or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mapping.functions.numbers import from_json, plain, read_decimal, read_nm

#: what a text is with a comma between thousands, and with a decimal comma
READ = {
    "0": ("0", "0"),
    "62.5": ("62.5", "62.5"),
    "0.125": ("0.125", "0.125"),
    "05": ("5", "5"),
    "1234.567": ("1234.567", "1234.567"),
    "1.2500": ("1.2500", "1.2500"),
    "1,000.5": ("1000.5", "1000.5"),
    "5,00,000": ("500000", "500000"),
    "1,000,000": ("1000000", "1000000"),
    "1,000": ("1000", None),
    "999,999": ("999999", None),
    "0,5": (None, "0.5"),
    "0,125": (None, "0.125"),
    "12,34": (None, "12.34"),
    "1234,567": (None, "1234.567"),
    "1.000": (None, None),
    "2.125": (None, None),
    "1.000,5": (None, None),
    "1.000.000": (None, None),
    "1.5.2": (None, None),
    "1,00,00": (None, None),
    "1,0000,000": (None, None),
    "0,500,000": (None, None),
    "01,000": (None, None),
    "01.5": (None, None),
    ".5": (None, None),
    "5.": (None, None),
    ",5": (None, None),
    "+5": (None, None),
    "-5": (None, None),
    "1e3": (None, None),
    "1_000": (None, None),
    "1 000": (None, None),
    " 5": (None, None),
    "5\n": (None, None),
    "٥": (None, None),
    "５": (None, None),
    "NaN": (None, None),
    "": (None, None),
    "9" * 20: ("9" * 20, "9" * 20),
    "9" * 21: (None, None),
}


@pytest.mark.parametrize(("text", "expected"), READ.items(), ids=READ)
def test_a_number_as_people_write_it(text: str, expected: tuple[str | None, str | None]) -> None:
    numbers = [read_decimal(text, decimal_comma=comma) for comma in (False, True)]
    assert [None if number is None else plain(number) for number in numbers] == list(expected)


@given(st.integers(0, 10**12), st.booleans())
def test_both_ways_to_group_thousands_are_read(number: int, decimal_comma: bool) -> None:
    head, tail = divmod(number, 1000)
    pairs = f"{head:,}" if head < 1000 else _by_two(head)
    indian = f"{pairs},{tail:03}" if head else str(tail)
    for text in (f"{number:,}", indian):
        doubtful = decimal_comma and text.count(",") == 1
        read = read_decimal(text, decimal_comma=decimal_comma)
        assert read == (None if doubtful else number)


def _by_two(number: int) -> str:
    head, pair = divmod(number, 100)
    return f"{_by_two(head)},{pair:02}" if head else str(pair)


@given(st.text(alphabet="0123456789.,-+e ٥½", max_size=12), st.booleans())
def test_no_text_is_read_in_part(text: str, decimal_comma: bool) -> None:
    read = read_decimal(text, decimal_comma=decimal_comma)
    digits = "".join(filter(str.isdigit, text))
    assert read is None or plain(read).replace(".", "").lstrip("0") == digits.lstrip("0")


@pytest.mark.parametrize(
    ("text", "number"), [("-123.792", "-123.792"), ("01.20", "1.20"), ("5.", "5"), ("+.5", "0.5")]
)
def test_a_number_as_hl7_writes_it(text: str, number: str) -> None:
    assert read_nm(text) == Decimal(number)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (500, "500"),
        (300.0, "300"),
        (1e3, "1000"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (-2.5, "-2.5"),
        (10**15, None),
        (1e300, None),
        (float("nan"), None),
        (float("-inf"), None),
        (True, None),
        (None, None),
        ("5", None),
        ([5], None),
    ],
)
def test_a_number_of_json(value: object, written: str | None) -> None:
    number = from_json(value)
    assert (None if number is None else plain(number)) == written
