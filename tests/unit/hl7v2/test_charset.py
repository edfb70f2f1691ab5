from __future__ import annotations

import pytest

from bridge.errors import ReadError
from bridge.hl7v2 import ack
from bridge.hl7v2.charset import decode, narrowed
from bridge.hl7v2.header import scan
from bridge.hl7v2.paths import parse
from bridge.hl7v2.reader import Hl7Document, Repetition
from bridge.message import Acknowledgment


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
        ("WINDOWS-1251", "cp1251"),
        ("cp1255", "cp1255"),
        ("8859/11", "iso8859-11"),
        ("ISO IR14", "cp932"),
        ("ISO IR87", "iso2022_jp"),
        ("ASCII~ISO IR87", "iso2022_jp"),
        ("~ISO IR87", "iso2022_jp"),
        ("~ISO IR87~ISO IR159", "iso2022_jp_ext"),
    ],
)
def test_a_declared_charset_is_used(declared: str, codec: str) -> None:
    text = {"iso8859-5": "Иванов", "latin-1": "Müller", "iso8859-15": "Œ€", "cp1251": "Иванов"}
    text |= {"cp1255": "דוד", "iso8859-11": "สม"}
    text = text.get(codec, "中")

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
    with pytest.raises(ReadError, match="'klingon', a charset of the channel"):
        decode(b"\xff", "", "klingon")


def test_the_channel_may_say_what_is_taken_where_msh_18_says_nothing() -> None:
    assert decode(b"\xc3\xa9", "", "cp1252", default="8859/1") == ("Ã©", "iso8859-1")
    assert decode(b"\xc3\xa9", "UNICODE UTF-8", "cp1252", default="8859/1") == ("é", "utf-8")


def test_the_channel_may_know_better_than_msh_18() -> None:
    assert decode(b"\xe9", "UNICODE UTF-8", "cp1252", forced="8859/1") == ("é", "iso8859-1")


def test_the_place_of_a_wrong_byte_counts_the_byte_order_mark() -> None:
    with pytest.raises(ReadError, match="offset 5"):
        decode(b"\xef\xbb\xbfab\xff", "UNICODE UTF-8", "cp1252")


#: characters whose second byte is a delimiter: \ ^ | ~ &
OPAQUE = [
    ("ISO IR14", "cp932", "表ソ能"),
    ("BIG-5", "big5", "功許蓋餐"),
    ("GB 18030-2000", "gb18030", "乗俓亅亊"),
    ("~ISO IR87", "iso2022_jp_ext", "山田太郎弟"),
]


@pytest.mark.parametrize(("declared", "codec", "name"), OPAQUE)
def test_bytes_that_look_like_delimiters_are_none_within_a_character(
    declared: str, codec: str, name: str
) -> None:
    line = rf"MSH|^~\&|{name}|{name}|ZAUTO|CLINIC|2026||ADT^A04|ID-7|P|2.5.1||||||{declared}"
    body = f"{line}\rPID|1||77||{name}^{name}\r".encode(codec)
    header = scan(body)
    document = Hl7Document(body, header)

    assert (header.sending_application, header.control_id) == (name, "ID-7")
    assert document.values(parse("PID-5.2")) == (name,)
    facility = document.values(parse("MSH-4"))[0]
    assert isinstance(facility, Repetition)
    assert facility.text == name
    answer = ack.write(Acknowledgment("AA", "ID-7"), header, at=0.0, control_id="B1")
    assert scan(answer).receiving_application == name
    assert scan(answer).charset == declared


@pytest.mark.parametrize(("declared", "codec", "name"), OPAQUE[:3])
@pytest.mark.parametrize("given", ["default_charset", "forced_charset"])
@pytest.mark.parametrize("said", ["", "UNICODE UTF-8"])
def test_so_they_are_not_where_only_the_channel_knows_the_charset(
    declared: str, codec: str, name: str, given: str, said: str
) -> None:
    line = rf"MSH|^~\&|{name}|{name}|ZAUTO|CLINIC|2026||ADT^A04|ID-7|P|2.5.1||||||{said}"
    body = f"{line}\rPID|1||77||{name}\r".encode(codec)
    header = scan(body, **{given: declared})
    believed = given == "default_charset" and said != ""

    assert (header.sending_application == name) is not believed
    assert (header.encoding == codec) is not believed
    if not believed:
        charsets = {"default_charset": "", "forced_charset": "", given: declared}
        document = Hl7Document(body, header, "cp1252", *charsets.values())
        assert document.values(parse("PID-5.1")) == (name,)


def test_a_header_in_ascii_is_of_the_charset_all_the_same() -> None:
    line = rb"MSH|^~\&|HIS|W|ZAUTO|CLINIC|2026||MFN^M02|ID-7|P|2.5.1||||||%b"

    assert scan(line % b"GB 18030-2000").encoding == "gb18030"
    assert scan(line % b"", default_charset="BIG-5").encoding == "big5"
    assert scan(line % b"8859/1").encoding == "utf-8"


def test_what_is_not_of_the_channels_charset_is_read_byte_by_byte() -> None:
    line = b"MSH|^~\\&|\xff\xff|W|ZAUTO|CLINIC|2026||ADT^A04|ID-7|P|2.5.1"
    for given in ({"default_charset": "BIG-5"}, {"forced_charset": "BIG-5"}):
        header = scan(line, **given)
        assert (header.encoding, header.control_id) == ("latin-1", "ID-7")


@pytest.mark.parametrize("wide", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_utf_16_and_32_are_read_from_files_and_refused_in_frames(wide: str) -> None:
    text = "MSH|^~\\&|ΗΙΣ||||||ADT^A04|1||2.5.1||||||UNICODE UTF-16\rPID|1||77||Παπας\r"

    assert narrowed(text.encode(wide)).decode().removeprefix("\ufeff") == text
    with pytest.raises(ReadError, match="UTF-16 or UTF-32"):
        scan(text.encode(wide))


def test_what_is_not_wide_is_left_as_it_is() -> None:
    assert narrowed(b"MSH|\xff") == b"MSH|\xff"
    assert narrowed(b"\xff\xfe\xff") == b"\xff\xfe\xff"
