"""Lines that are not plainly a segment: which are read, and how each is named."""

from __future__ import annotations

import pytest

from bridge.hl7v2.header import scan
from bridge.hl7v2.lines import LineFault
from bridge.hl7v2.paths import parse
from bridge.hl7v2.reader import Hl7Document

HEAD = [r"MSH|^~\&|HIS|WARD|ZAUTO|CLINIC|20260102||ADT^A04|7|P|2.5.1", "EVN||20260102"]
ENDS = ["\r", "\n", "\r\n"]
PADDED, LOWER, UNKNOWN = LineFault.PADDED, LineFault.LOWER_CASE, LineFault.UNKNOWN


def read(*lines: str, end: str = "\r") -> Hl7Document:
    body = end.join([*HEAD, *lines, ""]).encode()
    return Hl7Document(body, scan(body), "cp1252")


def odd(document: Hl7Document) -> list[tuple[int, LineFault]]:
    return [(line.number, line.fault) for line in document.odd_lines]


def text(document: Hl7Document, path: str) -> object:
    return next(iter(document.values(parse(path))), None)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    "name", [" PID", "\tPID", "    PID", "PID ", "PID  ", " PID\t", "\ufeffPID"]
)
def test_padded_and_indented_segments_are_read_and_named(name: str, end: str) -> None:
    document = read(f"{name}|1||77^^^H^MR||Rao^Asha", "PV1|1|O", end=end)

    assert (text(document, "PID-3.1"), text(document, "PID-5.2")) == ("77", "Asha")
    assert (text(document, "PV1-2.1"), text(document, "EVN-2.1")) == ("O", "20260102")
    assert odd(document) == [(3, PADDED)]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", ["pid", "Pid", " pid", "pid ", "zpd", "pV1"])
def test_names_in_lower_case_are_named_and_not_read(name: str, end: str) -> None:
    document = read(f"{name}|1||77", "PV1|1|O", end=end)

    assert odd(document) == [(3, LOWER)]
    assert (document.count("PID"), document.count("PV1"), text(document, "PV1-2.1")) == (0, 1, "O")
    assert text(document, "EVN-2.1") == "20260102"


@pytest.mark.parametrize("end", ["\r", "\r\n"])
@pytest.mark.parametrize(
    "line", ["Green Park^^Pune||98", "junk", "XYZ|1", "PIDX|1", "|", "12|3", "P I D|1", "\x1c x"]
)
def test_any_other_line_is_named_and_not_read(line: str, end: str) -> None:
    document = read("PID|1||77|||||||Flat 2", line, "PV1|1|O", end=end)

    assert odd(document) == [(4, UNKNOWN)]
    assert (text(document, "PID-10.1"), text(document, "PV1-2.1")) == ("Flat 2", "O")


@pytest.mark.parametrize(
    "line", ["ZPD|x", "Z01", "PID", "NTE|1||two\nlines^of text", "NTE|1||\npid of it", "  ", "\t"]
)
def test_segments_of_the_standard_and_of_a_site_are_plain(line: str) -> None:
    assert odd(read(line, "PV1|1|O")) == []


@pytest.mark.parametrize("end", ENDS)
def test_lines_are_counted_as_an_editor_does(end: str) -> None:
    document = read("NTE|1||of\nthree\nlines", "", "", " PID|1", "nte|2", end=end)

    assert odd(document) == [(8, PADDED), (9, LOWER)]


def test_an_fs_at_the_end_says_nothing() -> None:
    for tail in ("\x1c", "\r\x1c", "\r\x1c\x1c"):
        body = ("\r".join([*HEAD, "PV1|1|O"]) + tail).encode()
        document = Hl7Document(body, scan(body))

        assert (text(document, "PV1-2.1"), odd(document)) == ("O", [])


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", ["EVN", " EVN", "EVN ", "\tEVN "])
def test_the_trigger_of_a_padded_evn_is_found(name: str, end: str) -> None:
    line = r"MSH|^~\&|HIS|WARD|Z|C|2026||ADT|7|P|2.1"

    assert scan(f"{line}{end}{name}|A04|2026{end}".encode()).message_type == "ADT^A04"
