r"""Each known fault of python-hl7, proven to be its: what it reads, what is right and we read.

They are why the comparison over public messages leaves such values out.
"""

from __future__ import annotations

import logging

import hl7
import pytest

from bridge.hl7v2.header import scan
from bridge.hl7v2.paths import parse
from bridge.hl7v2.reader import Hl7Document


def read(value: str, characters: str = "^~\\&") -> tuple[str, tuple[object, ...]]:
    """PID-5.1 as python-hl7 reads it, and as we do."""
    text = f"MSH|{characters}|HIS||||||ADT^A04|1|P|2.5.1\rPID|1||||{value}\r"
    theirs = hl7.parse(text)
    body = text.encode()
    ours = Hl7Document(body, scan(body)).values(parse("PID-5.1"))
    return theirs.unescape(theirs.extract_field("PID", 1, 5, 1, 1, 1)), tuple(ours)


@pytest.mark.parametrize(
    ("value", "wrong", "right"),
    [
        # an escape character that begins no sequence is text (chapter 2.6)
        ("C:\\temp and more", "C:", "C:\\temp and more"),
        # \X..\ are bytes of the message's charset (chapter 2.6.5), here UTF-8
        ("\\XC3A9\\", "Ã©", "é"),
        # highlighting begins and ends and is no character (chapter 2.6.2)
        ("a\\H\\b\\N\\c", "a_b_c", "abc"),
        # a new line of text; a carriage return would end the segment (chapter 2.6.6)
        ("a\\.br\\b", "a\rb", "a\nb"),
        # what a local sequence means is agreed between two sides (chapter 2.6.7)
        ("a\\Zlocal\\b", "ab", "a\\Zlocal\\b"),
    ],
)
def test_escapes(value: str, wrong: str, right: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="hl7")
    assert read(value) == (wrong, (right,))


def test_encoding_characters_are_taken_by_their_position_alone() -> None:
    three = hl7.parse("MSH|^~&|HIS\rPID|1\r")
    # so a subcomponent separator is an escape character, and there is no subcomponent
    assert three.esc == "&"
    body = b"MSH|^~&|HIS||||||ADT^A04|1|P|2.5.1\rPID|1||||Nair&van\r"
    assert tuple(Hl7Document(body, scan(body)).values(parse("PID-5.1.2"))) == ("van",)


def test_line_feeds_do_not_end_segments() -> None:
    text = "MSH|^~\\&|HIS||||||ADT^A04|1|P|2.5.1\nPID|1||77\n"
    assert len(hl7.parse(text)) == 1
    body = text.encode()
    assert Hl7Document(body, scan(body)).count("PID") == 1


def test_a_bare_batch_header_has_its_own_name_for_a_field() -> None:
    text = "MSH|^~\\&|HIS||||||ADT^A04|1|P|2.5.1\rBHS|^~\\&\r"
    assert str(hl7.parse(text).segment("BHS")[3]) == "BHS"
    body = text.encode()
    assert tuple(Hl7Document(body, scan(body)).values(parse("BHS-3.1"))) == ()
