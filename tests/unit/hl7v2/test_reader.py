from __future__ import annotations

import pytest

from bridge.errors import ReadError
from bridge.hl7v2.header import scan
from bridge.hl7v2.paths import parse
from bridge.hl7v2.reader import Hl7Document, Repetition
from bridge.message import DELETE

LINES = [
    r"MSH|^~\&|HIS|WARD|ZAUTO|CLINIC|20260102||ADT^A04^ADT_A01|7|P|2.5.1",
    r"EVN||20260102",
    r"PID|1|\F\2|123^^^HOSP&1.2&ISO^MR~99^^^HOSP^PI~^^^^SS||IYER&van&Iyer^Meera^^^Dr||19900305 |F"
    r"|||4 Lake\T\Hill Rd^^Pune~~9 Hill Rd^^Goa|",
    r"NK1|1|Iyer^Arun|SPO",
    r"NK1|2|Iyer^Usha|MTH||555^PRN",
    'PV1||O|||||D7^Nair^Anil|||   |^^^|""|""^""|x^""|""~a',
]


def read(*lines: str, end: str = "\r", encoding: str = "utf-8") -> Hl7Document:
    body = end.join([*(lines or LINES), ""]).encode(encoding)
    return Hl7Document(body, scan(body), "cp1252")


def texts(path: str, document: Hl7Document | None = None) -> list[object]:
    found = (document or read()).values(parse(path))
    return [value.text if isinstance(value, Repetition) else value for value in found]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("MSH-1", ["|"]),
        ("MSH-2", ["^~\\&"]),
        ("MSH-2.1", ["^~\\&"]),
        ("MSH-3", ["HIS"]),
        ("MSH-9.2", ["A04"]),
        ("MSH-12", ["2.5.1"]),
        ("PID-3.1", ["123", "99"]),
        ("PID-3[1].1", ["123"]),
        ("PID-3[3].1", []),
        ("PID-3[9].1", []),
        ("PID-3[MR].1", ["123"]),
        ("PID-3[PI].1", ["99"]),
        ("PID-3[SS].1", []),
        ("PID-3[XX].1", []),
        ("PID-3.4", ["HOSP", "HOSP"]),
        ("PID-3[1].4.2", ["1.2"]),
        ("PID-5.1", ["IYER"]),
        ("PID-5.1.3", ["Iyer"]),
        ("PID-5.9", []),
        ("PID-5", ["IYER&van&Iyer^Meera^^^Dr"]),
        ("PID-11.1", ["4 Lake&Hill Rd", "9 Hill Rd"]),
        ("PID-11[2].1", []),
        ("PID-11[3].3", ["Goa"]),
        ("NK1-3", ["SPO"]),
        ("NK1[2]-2.2", ["Usha"]),
        ("NK1[3]-2", []),
        ("NK1[*]-2.2", ["Arun", "Usha"]),
        ("NK1[*]-5.2", ["PRN"]),
        ("NK1[*]-9", []),
        ("NTE[*]-3", []),
        ("PV1-7.2", ["Nair"]),
        ("PID-2", ["|2"]),
        ("ZZZ-1", []),
        ("PID-99", []),
    ],
)
def test_values_by_path(path: str, expected: list[object]) -> None:
    assert texts(path) == expected


def test_trailing_blanks_are_padding() -> None:
    assert texts("PID-7") == ["19900305"]


@pytest.mark.parametrize("path", ["PV1-10", "PV1-10.1", "PV1-11", "PV1-11.1", "PV1-40"])
def test_what_is_empty_or_blank_is_not_there(path: str) -> None:
    assert texts(path) == []


@pytest.mark.parametrize("path", ["PV1-12", "PV1-12.1", "PV1-12.5", "PV1-13", "PV1-14.2"])
def test_two_quotes_say_that_the_value_is_to_be_deleted(path: str) -> None:
    assert texts(path) == [DELETE]


def test_a_component_beside_a_deleted_one_keeps_its_value() -> None:
    assert texts("PV1-14.1") == ["x"]
    assert texts("PV1-14") == ['x^""']


def test_one_repetition_may_delete_and_another_say_something() -> None:
    assert texts("PV1-15") == [DELETE, "a"]


def test_a_repetition_gives_its_components() -> None:
    [name] = read().values(parse("PID-5"))

    assert isinstance(name, Repetition)
    assert name.raw == "IYER&van&Iyer^Meera^^^Dr"
    assert [name.component(number) for number in (1, 2, 3, 5, 6)] == ["IYER", "Meera", "", "Dr", ""]
    assert name.component(1, 3) == "Iyer"


def test_a_repetition_has_nothing_where_a_component_is_deleted() -> None:
    [value] = read().values(parse("PV1-14"))

    assert isinstance(value, Repetition)
    assert value.component(2) == ""


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_line_ends_do_not_matter(end: str) -> None:
    document = read(end=end)

    assert texts("PV1-7.2", document) == ["Nair"]
    assert document.count("NK1") == 2


def test_every_segment_of_a_name_reads_as_one_whose_fields_repeat() -> None:
    lines = ["MSH|^~\\&|A|B|C|D|1||SIU^S12|1|P|2.5", "AIS|1|A|X~Y|", "AIS|2|D||9", 'AIS|3|""|Z']
    found = read(*lines)
    assert texts("AIS[*]-3", found) == ["X", "Y", "Z"]
    assert texts("AIS[*]-4", found) == ["9"]
    assert texts("AIS[*]-2", found) == ["A", "D", DELETE]


def test_every_segment_is_read_where_the_sender_declares_no_repetitions() -> None:
    found = read("MSH|^|A|B|C|D|1||SIU^S12|1|P|2.5", "AIS|1||X^a~b", "AIS|2||Y")
    assert texts("AIS[*]-3.1", found) == ["X", "Y"]


def test_a_group_goes_from_one_segment_to_the_next_of_its_name() -> None:
    document = read(LINES[0], "MRG|0", "PID|1", "PID|2", "PV1||I", "MRG|2", "MRG|3")

    assert document.groups(["PID", "PV1", "MRG"]) == [
        {"PID": range(1, 2), "PV1": range(1, 1), "MRG": range(2, 2)},
        {"PID": range(2, 3), "PV1": range(1, 2), "MRG": range(2, 4)},
    ]
    assert document.groups(["AL1"]) == []


def test_a_line_feed_inside_a_field_stays_text() -> None:
    document = read(LINES[0], "NTE|1||first\nsecond|RE", "PV1||O")

    assert texts("NTE-3", document) == ["first\nsecond"]
    assert texts("NTE-4", document) == ["RE"]
    assert texts("PV1-2", document) == ["O"]


def test_a_segment_with_a_longer_name_is_another_segment() -> None:
    document = read(LINES[0], "PIDX|1|wrong", "PID|1|right")

    assert texts("PID-2", document) == ["right"]


def test_three_encoding_characters_leave_the_escape_character_out() -> None:
    document = read("MSH|^~&|HIS||||||ADT^A04", r"PID|1|C:\F\x|a&b^c~d")

    assert texts("PID-2", document) == [r"C:\F\x"]
    assert texts("PID-3.1", document) == ["a", "d"]
    assert texts("PID-3[1].1.2", document) == ["b"]


def test_five_encoding_characters_are_read() -> None:
    document = read(r"MSH|^~\&#|HIS||||||ADT^A04", r"PID|1|a\P" + "\\b")

    assert texts("MSH-2", document) == ["^~\\&#"]
    assert texts("PID-2", document) == ["a#b"]


def test_the_senders_own_delimiters_cut_and_escape() -> None:
    document = read("MSH#!@%*#HIS######ADT!A04", "PID#1##12!!!H*1!MR@9#x%F%y#Rao!Uma")

    assert texts("PID-3[MR].1", document) == ["12"]
    assert texts("PID-4", document) == ["x#y"]
    assert texts("PID-5.2", document) == ["Uma"]
    assert texts("MSH-1", document) == ["#"]


def test_the_declared_charset_reads_text_and_escapes() -> None:
    document = read(LINES[0] + "||||||8859/5", r"PID|1|Иванов|\XB8\x", encoding="iso8859-5")

    assert texts("PID-2", document) == ["Иванов"]
    assert texts("PID-3", document) == ["Иx"]


def test_an_undeclared_charset_is_utf_8_or_the_channels() -> None:
    assert texts("PID-2", read(LINES[0], "PID|1|मीरा")) == ["मीरा"]
    assert texts("PID-2", read(LINES[0], "PID|1|Müller", encoding="cp1252")) == ["Müller"]


def test_bytes_that_are_not_of_the_charset_are_refused() -> None:
    with pytest.raises(ReadError, match="offset"):
        read(LINES[0] + "||||||UNICODE UTF-8", "PID|1|Müller", encoding="cp1252")


def test_a_senders_own_segment_is_read_like_any_other() -> None:
    body = b"MSH|^~\\&|HIS||||||ADT^A04|1|P|2.5.1\rZPI|1|A^B&C~D\\T\\E\rZPI|2|F\r"
    document = Hl7Document(body, scan(body))

    paths = ("ZPI-2[1].2.2", "ZPI[1]-2[2].1", "ZPI[2]-2.1")
    assert [list(document.values(parse(path))) for path in paths] == [["C"], ["D&E"], ["F"]]
