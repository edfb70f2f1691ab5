from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hl7v2.delimiters import STANDARD, Delimiters, declared
from bridge.hl7v2.escapes import escape, unescape

CUTS = [STANDARD, declared("|", "^~\\&#"), declared("#", "!@%*")]
#: characters of a text, delimiters of every kind well among them
TEXTS = st.text(st.one_of(st.sampled_from("|^~\\&#!@%*X.brEF\n"), st.characters(codec="utf-8")))


@given(TEXTS, st.sampled_from(CUTS))
def test_reading_undoes_writing(text: str, cut: Delimiters) -> None:
    one_kind_of_line_end = text.replace("\r\n", "\n").replace("\r", "\n")

    assert unescape(escape(text, cut), cut, "utf-8") == one_kind_of_line_end


@given(TEXTS, st.sampled_from(CUTS))
def test_nothing_written_can_cut_a_message_or_its_frame(text: str, cut: Delimiters) -> None:
    written = escape(text, cut)

    assert not set(written) & {cut.field, cut.component, cut.repetition, cut.subcomponent}
    assert not any(ord(character) < 0x20 for character in written)


@given(TEXTS)
def test_reading_never_fails(text: str) -> None:
    unescape(text, STANDARD, "ascii")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\F\\S\\T\\R\\E" + "\\", "|^&~\\"),
        (r"Smith \T\ Sons", "Smith & Sons"),
        (r"a\.br\b", "a\nb"),
        (r"\X41\\X0D\b", "A\rb"),
        (r"\XC3A9\t\XC3\\XA9" + "\\", "été"),
        # stays as it is
        (r"C:\temp and more", r"C:\temp and more"),
        (r"C:\temp\new", r"C:\temp\new"),
        (r"\H\F\N" + "\\", r"\H\F\N" + "\\"),
        (r"\Zlocal\x", r"\Zlocal\x"),
        (r"\.sp2\x", r"\.sp2\x"),
        (r"\XZZ\x", r"\XZZ\x"),
        (r"\XFF\x", r"\XFF\x"),
        (r"\P\x", r"\P\x"),
        (r"one \ two", r"one \ two"),
        ("\\", "\\"),
    ],
)
def test_sequences(written: str, meant: str) -> None:
    assert unescape(written, STANDARD, "utf-8") == meant


def test_hex_is_of_the_messages_charset() -> None:
    assert unescape(r"\XE9\t\XE9" + "\\", STANDARD, "latin-1") == "été"


def test_sequences_name_the_declared_delimiters() -> None:
    assert unescape("%F%%S%%R%%T%%E%", declared("#", "!@%*"), "utf-8") == "#!@*%"


def test_the_fifth_encoding_character_has_a_sequence() -> None:
    assert unescape(r"\P" + "\\", declared("|", "^~\\&#"), "utf-8") == "#"


def test_without_an_escape_character_nothing_is_a_sequence() -> None:
    cut = declared("|", "^~&")

    assert unescape(r"\F" + "\\", cut, "utf-8") == r"\F" + "\\"
    assert escape("a|b&c", cut) == "a b c"
