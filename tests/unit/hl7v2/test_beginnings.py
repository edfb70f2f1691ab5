"""Where messages begin in a text that may hold several."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hl7v2.beginnings import begins_message, items, may_be_several, misplaced
from bridge.hl7v2.header import scan

HEAD = rb"MSH|^~\&|LAB|EAST|ZAUTO|CLINIC|2026||ADT^A04"
ONE = HEAD + b"|M1|P|2.5.1\rPID|1||1\rPV1|1|O\r"
TWO = HEAD + b"|M2|P|2.5.1\rPID|1||2\rPV1|1|O\r"
ENDS = [b"\r", b"\n", b"\r\n"]


def messages(text: bytes, **how: Any) -> list[bytes]:
    return [item.body for item in items(text, **how)]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("before", [b"", b" ", b"\t ", b"\xef\xbb\xbf", b"\x0b", b"\r", b"\r\r"])
def test_a_further_msh_of_the_same_sender_begins_a_message(before: bytes, end: bytes) -> None:
    text = (ONE + before + TWO + ONE).replace(b"\r", end)
    found = messages(text)

    assert [scan(message).control_id for message in found] == ["M1", "M2", "M1"]
    assert b"".join(found) == text
    assert not any(map(misplaced, found))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    "line",
    [
        rb"MSH|^~\&|LAB|WEST|ZAUTO|CLINIC|2026||ADT^A04|M2|P|2.5.1",
        rb"MSH|^~\&|ADT|EAST|ZAUTO|CLINIC|2026||ADT^A04|M2|P|2.5.1",
        rb"MSH|^~\&#|LAB|EAST|ZAUTO|CLINIC|2026||ADT^A04|M2|P|2.5.1",
        rb"MSH#^~\&#LAB#EAST#ZAUTO#CLINIC#2026##ADT^A04#M2#P#2.5.1",
        rb"MSH|^~\&|LAB|EAST|ZAUTO|CLINIC|2026|||M2|P|2.5.1",
        rb"MSH|^~\&|LAB|EAST|ZAUTO|CLINIC|2026||^A04|M2|P|2.5.1",
        rb"MSH|^~\&|LAB|EAST|ZAUTO|CLINIC|2026||ADT^A04||P|2.5.1",
        rb"MSH|^~\&|LAB|EAST|ZAUTO|CLINIC|2026||ADT^A04| |P|2.5.1",
        rb"MSH|^~\&|LAB|EAST",
        rb"msh|^~\&|LAB|EAST|ZAUTO|CLINIC|2026||ADT^A04|M2|P|2.5.1",
        rb" msh|^~\&|LAB|EAST|ZAUTO|CLINIC|2026||ADT^A04|M2|P|2.5.1",
        rb"MSH |^~\&|LAB|EAST|ZAUTO|CLINIC|2026||ADT^A04|M2|P|2.5.1",
        b"MSH|2 of it",
        b"MSH",
        b"MSH|",
        b"MSHX|1",
        b"MSH ward, 2nd floor",
    ],
)
def test_any_other_line_that_begins_with_msh_is_misplaced(line: bytes, end: bytes) -> None:
    text = (ONE + line + b"\rPID|1||3\r" + TWO).replace(b"\r", end)
    first, second = messages(text)

    assert (first + second, misplaced(first), misplaced(second)) == (text, 4, 0)


def test_a_header_without_the_line_end_before_it_is_misplaced() -> None:
    (found,) = messages(ONE.removesuffix(b"\r") + TWO)

    assert misplaced(found) == 3


@pytest.mark.parametrize(
    "between", [b"", b" ", b'"', b"\x0c", b"\x85", b"\xc2\xa0", b"\xe2\x80\xa8"]
)
@pytest.mark.parametrize(
    "characters", [rb"^~&", rb"^~\&#", rb"*~\&", rb"^~\@", rb"~^\&", rb"^~&#!"]
)
@pytest.mark.parametrize("separator", [b"|", b"$", b"]"])
def test_so_is_one_with_other_encoding_characters(
    between: bytes, characters: bytes, separator: bytes
) -> None:
    other = TWO.replace(rb"^~\&", characters, 1)
    text = (ONE.removesuffix(b"\r") + between + other).replace(b"|", separator)
    (found,) = messages(text)

    assert misplaced(found) == 3


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        ONE + b"PV1|1|O|MSH|^^^MSH|MSH|^^^|MSH|^^^^|MSH|^&^|MSH||||MSH|^~|MSH|^\r",
        ONE + b"PV1|1|O|MSH|ADT|MSH|^12^|MSH|^~&a|\r",
        ONE + b"NTE|1||MSH (^~&), MSH#^~&#\r",
        ONE + b"NTE|1||see MSH|2 of it, MSHX\r",
        ONE + b"NTE|1||one\nMSH ward\nMSHX|\nMSH: two\n msh 2\r",
        ONE.replace(b"\r", b"\r\n") + b"NTE|1||one\nMSH ward\r\n",
        ONE + rb"OBX|1|ED|||MSH\F\^~\&\F\LAB" + b"\r",
        b"\xef\xbb\xbf" + ONE,
        b"\r\n " + ONE,
    ],
)
def test_text_that_names_msh_is_nothing_special(text: bytes) -> None:
    assert messages(text) == [text.lstrip(b"\r\n")]
    assert misplaced(text) == 0


def test_most_messages_are_not_looked_at_further() -> None:
    assert not may_be_several(ONE)
    assert not may_be_several(b"\xef\xbb\xbf" + ONE.replace(b"\r", b"\n"))
    assert may_be_several(ONE + TWO)
    assert may_be_several(ONE + b"BTS|1\r")


def test_within_a_batch_messages_may_be_of_several_senders_and_incomplete() -> None:
    other = rb"MSH#*~\&#RIS#WEST" + b"\rPID#1\r"

    assert messages(ONE + other + TWO, declared=True) == [ONE, other, TWO]
    text = ONE + b"MSH|2 of it\r" + TWO
    assert [misplaced(message) for message in messages(text, declared=True)] == [4, 0]


def test_what_stands_before_the_first_is_a_part_of_its_own() -> None:
    assert messages(b"PID|1||9\r" + ONE + TWO) == [b"PID|1||9\r", ONE, TWO]
    assert messages(b"\r \r" + ONE) == [ONE]
    assert messages(b" \r") == []


@pytest.mark.parametrize(
    ("names", "codec", "declared"),
    [
        ("मे|नगर", "utf-8", "UNICODE UTF-8"),
        ("Müller|Köln", "latin-1", "8859/1"),
        ("Müller|Köln", "cp1252", ""),
        ("亅亅|亅", "gb18030", "GB 18030-2000"),
        ("ポ|ポ", "cp932", "ISO IR14"),
        ("検査|東", "iso2022_jp", "~ISO IR87"),
    ],
)
def test_senders_are_compared_in_the_charset_of_each(names: str, codec: str, declared: str) -> None:
    def message(facility: str, number: int) -> bytes:
        application, name = names.split("|")
        line = rf"MSH|^~\&|{application}|{name}{facility}|Z|C|2026||ADT^A04|{number}|P|2.5.1||||||"
        return f"{line}{declared}\rPID|1||{number}\r".encode(codec)

    one, two, other = message("", 1), message("", 2), message("2", 3)
    assert messages(one + two) == [one, two]
    assert messages(one + other) == [one + other]
    assert misplaced(one + other) == 3


def test_the_charset_of_the_channel_is_used() -> None:
    one, two = (
        rf"MSH|^~\&|亅|亅|Z|C|2026||ADT^A04|{n}|P|2.5.1".encode("gb18030") + b"\r" for n in (1, 2)
    )
    read_header = partial(scan, forced_charset="GB 18030-2000")

    assert messages(one + two, read_header=read_header) == [one, two]


@given(
    st.lists(st.sampled_from([ONE, TWO, b"MSH|x\r", b"NTE|1\n", b"\n", b" MSH", b"MSH\r", HEAD]))
)
def test_nothing_of_a_text_is_lost(parts: list[bytes]) -> None:
    text = b"".join(parts)
    found = messages(text)

    assert b"".join(found).split() == text.split()
    assert all(map(begins_message, found[1:]))
