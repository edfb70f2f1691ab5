from __future__ import annotations

import pytest

from bridge.errors import LimitError, ReadError
from bridge.hl7v2.header import check_limits, scan
from bridge.settings import Limits

MSH = (
    rb"MSH|^~\&|HIS^1.2.3^ISO|WARD|ZAUTO|CLINIC|20260102||ADT^A04^ADT_A01|ID 7|P^T|2.4^IND"
    rb"|||AL|NE||8859/1~UNICODE"
)


def test_every_field_of_the_header_is_where_it_belongs() -> None:
    header = scan(MSH + b"\rPID|1\r")

    assert (header.field_separator, header.encoding_characters) == ("|", "^~\\&")
    assert header.sending_application == "HIS^1.2.3^ISO"
    assert header.sending_facility == "WARD"
    assert header.receiving_application == "ZAUTO"
    assert header.receiving_facility == "CLINIC"
    assert (header.message_type, header.structure) == ("ADT^A04", "ADT_A01")
    assert (header.control_id, header.processing_id, header.version) == ("ID 7", "P", "2.4")
    assert (header.accept_acknowledgment, header.application_acknowledgment) == ("AL", "NE")
    assert header.charset == "8859/1~UNICODE"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b""])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n", b"\x0b"])
def test_line_ends_and_what_stands_before_do_not_matter(before: bytes, end: bytes) -> None:
    assert scan(before + MSH + end + b"PID|1" + end).control_id == "ID 7"


def test_a_header_cut_short_has_empty_fields_and_the_default_version() -> None:
    header = scan(b"MSH|^~\\&|HIS", default_version="2.3")

    assert (header.sending_application, header.message_type, header.control_id) == ("HIS", "", "")
    assert header.version == "2.3"


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_missing_trigger_is_taken_from_evn_1(end: bytes) -> None:
    body = end.join([b"MSH|^~\\&|||||||ADT|1|P|2.3", b"EVN|A08|2026", b"PID|1", b""])

    assert scan(body).message_type == "ADT^A08"


def test_no_trigger_anywhere_leaves_the_message_code() -> None:
    assert scan(b"MSH|^~\\&|||||||ACK|1|P|2.3\rMSA|AA|1\r").message_type == "ACK"


def test_a_sender_may_choose_its_own_delimiters() -> None:
    header = scan(b"MSH#!@%*#HIS#W#Z#C#2026##ADT!A01#9#P!T#2.5")

    assert (header.message_type, header.control_id, header.processing_id) == ("ADT^A01", "9", "P")


@pytest.mark.parametrize("name", ["अस्पताल".encode(), b"\xe9\xff"])
def test_the_text_gives_the_bytes_back(name: bytes) -> None:
    header = scan(b"MSH|^~\\&|" + name + b"|W|||||ADT^A01|" + name + b"|P|2.5\r")

    assert header.sending_application.encode(header.encoding) == name
    assert header.control_id.encode(header.encoding) == name


@pytest.mark.parametrize(
    "body", [b"", b"MSH", b"MSHX|", b"MSH is", b"GET / HTTP/1.1\r\n", b"PID|1", b"\0\0"]
)
def test_what_does_not_begin_with_msh_is_not_hl7(body: bytes) -> None:
    with pytest.raises(ReadError, match="not HL7"):
        scan(body)


def refused(body: bytes, limits: Limits) -> LimitError:
    with pytest.raises(LimitError) as caught:
        check_limits(body, limits)
    return caught.value


def test_a_message_within_the_limits_passes() -> None:
    limits = Limits(segments=3, fields=5, repetitions=2)
    check_limits(b"\xef\xbb\xbfMSH|^~\\&|a\rPID|1|2|3|4|a~b\r\nNTE|1\r\n", limits)


def test_line_feeds_in_a_text_are_not_segments() -> None:
    check_limits(b"MSH|^~\\&|a\rNTE|1||one\ntwo\n\nthree\nfour\r", Limits(segments=2))


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_too_many_segments_are_refused(end: bytes) -> None:
    body = end.join([b"MSH|^~\\&|a", b"NTE|1", b"NTE|2", b"NTE|3"])

    check_limits(body, Limits(segments=4))
    assert "more than 3 segments" in str(refused(body, Limits(segments=3)))


def test_nothing_but_carriage_returns_is_too_many_segments() -> None:
    assert "segments" in str(refused(b"MSH|^~\\&|a" + b"\r" * 10, Limits(segments=5)))


def test_too_many_fields_name_the_segment() -> None:
    body = b"MSH|^~\\&|a\rPID|1|2|3|4|5\r"

    check_limits(body, Limits(fields=5))
    assert refused(body, Limits(fields=4)).location == "PID"


def test_too_many_repetitions_name_the_field() -> None:
    body = b"MSH|^~\\&|a\rPID|1||a~b~c\r"

    check_limits(body, Limits(repetitions=3))
    assert refused(body, Limits(repetitions=2)).location == "PID-3"


def test_too_many_bytes_are_refused() -> None:
    assert "limits.frame" in str(refused(b"MSH|^~\\&|" + b"x" * 2000, Limits(frame=1024)))
