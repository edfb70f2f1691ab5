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
        # formatted text as plain text
        (r"\H\F\N" + "\\", "F"),
        (r"\H\\F\\N" + "\\", "|"),
        (r"a\.BR\b\.sp\c\.sp2\d", "a\nb\nc\n\nd"),
        (r"\.ce\Title\.sp+1\x", "\nTitle\nx"),
        (r"a\.sk3\b\.sk\c", "a   b c"),
        (r"\.in+4\\.ti-2\a\.fi\b\.nf\c", "abc"),
        (r"a\.sp99999999\b", "a" + "\n" * 100 + "b"),
        (r"\XC3A9\t\XC3\\XA9" + "\\", "été"),
        # stays as it is
        (r"C:\temp and more", r"C:\temp and more"),
        (r"C:\temp\new", r"C:\temp\new"),
        (r"\Zlocal\x", r"\Zlocal\x"),
        (r"\.xy\x", r"\.xy\x"),
        (r"\.br3\x", r"\.br3\x"),
        (r"\.sp2", r"\.sp2"),
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


class TestSwitches:
    """Changes of charset within a value, told in hexadecimal (chapter 2.6.3)."""

    @pytest.mark.parametrize(
        ("name", "codec", "text"),
        [
            ("C2D41", "iso8859-1", "Müller"),
            ("C2D42", "iso8859-2", "Łukasz"),
            ("C2D46", "iso8859-7", "Αλέξης"),
            ("C2D4C", "iso8859-5", "Анна"),
            ("C2d4d", "iso8859-9", "Şahin"),
            ("C2949", "cp932", "ﾔﾏﾀﾞ"),
            ("M242943", "euc_kr", "김민수"),
            ("M242941", "gb2312", "王小东"),
        ],
    )
    def test_what_follows_is_of_the_charset_that_is_named(
        self, name: str, codec: str, text: str
    ) -> None:
        for message in ("cp1252", "latin-1"):
            sent = text.encode(codec).decode(message)
            written = f"Dr \\{name}\\{sent}\\C2842\\ MD"
            assert unescape(written, STANDARD, message) == f"Dr {text} MD"

    @pytest.mark.parametrize(
        ("name", "text"), [("M2442", "山田"), ("M242844", "丂丄"), ("C2849", "ﾔﾏﾀﾞ")]
    )
    def test_seven_bits_are_read_in_every_message(self, name: str, text: str) -> None:
        before = b"\x1b" + bytes.fromhex(name[1:])
        sent = text.encode("iso2022_jp_ext").removeprefix(before).removesuffix(b"\x1b(B")
        written = f"\\{name}\\{escape(sent.decode('ascii'), STANDARD)}\\C2842\\ A"
        for codec in ("utf-8", "latin-1", "cp932"):
            assert unescape(written, STANDARD, codec) == f"{text} A"

    def test_a_delimiter_brings_the_messages_own_back(self) -> None:
        greek = "Α".encode("iso8859-7").decode("latin-1")
        whole = f"\\C2D46\\{greek}^{greek}&\\C2D41\\{greek}~{greek}"
        assert unescape(whole, STANDARD, "latin-1") == "Α^Á&Á~Á"

    @pytest.mark.parametrize(
        ("written", "codec"),
        [
            # a charset that is not known
            (r"\C2D7E" + "\\" + "é", "latin-1"),
            (r"\M2550" + "\\" + "x", "latin-1"),
            # bytes that are not of it
            (r"\M2442" + "\\" + "x", "latin-1"),
            # Unicode needs no other charset, and has no bytes of one
            (r"\C2D46" + "\\" + "é", "utf-8"),
        ],
    )
    def test_what_cannot_be_read_stays_as_it_came(self, written: str, codec: str) -> None:
        assert unescape(f"A{written}", STANDARD, codec) == f"A{written}"

    def test_an_escaped_escape_character_begins_no_change(self) -> None:
        assert unescape(r"\E\C2D46\x", STANDARD, "latin-1") == r"\C2D46\x"

    def test_other_sequences_are_read_within_it(self) -> None:
        written = r"\C2D46\a\T\b\XC1" + "\\"
        assert unescape(written, STANDARD, "latin-1") == "a&bΑ"
