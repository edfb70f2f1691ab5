from __future__ import annotations

import pytest

from bridge.errors import ReadError
from bridge.hl7v2.charset import decode


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("8859/1", "latin-1"),
        ("8859/5", "iso8859-5"),
        ("8859/15", "iso8859-15"),
        ("UNICODE UTF-8", "utf-8"),
        ("utf-8", "utf-8"),
        ("GB 18030-2000", "gb18030"),
        ("BIG-5", "big5"),
        ("KS X 1001", "euc_kr"),
    ],
)
def test_a_declared_charset_is_used(declared: str, codec: str) -> None:
    text = {"iso8859-5": "Иванов", "latin-1": "Müller", "iso8859-15": "Œ€"}.get(codec, "中")

    assert decode(text.encode(codec), declared, "cp1252")[0] == text


@pytest.mark.parametrize("declared", ["", "ASCII", "wrong", "8859", "ISO IR 999"])
def test_what_is_blank_or_unknown_is_utf_8_where_it_can_be(declared: str) -> None:
    assert decode("रवि".encode(), declared, "cp1252") == ("रवि", "utf-8")


@pytest.mark.parametrize("declared", ["", "ASCII", "wrong"])
def test_and_else_what_the_channel_says(declared: str) -> None:
    assert decode(b"M\xfcller \x80", declared, "cp1252") == ("Müller €", "cp1252")


def test_a_fallback_may_be_named_as_in_table_0211() -> None:
    assert decode(b"\xb8\xd2", "", "8859/5")[0] == "Ив"


def test_a_byte_order_mark_is_no_text() -> None:
    assert decode(b"\xef\xbb\xbfMSH", "", "cp1252")[0] == "MSH"


def test_undecodable_bytes_are_refused_with_their_place() -> None:
    with pytest.raises(ReadError, match="offset 2") as caught:
        decode(b"ab\xff", "UNICODE UTF-8", "cp1252")

    assert (caught.value.code, caught.value.location) == (102, "MSH-18")


def test_an_unknown_fallback_is_named() -> None:
    with pytest.raises(ReadError, match="fallback_charset 'klingon'"):
        decode(b"\xff", "", "klingon")
