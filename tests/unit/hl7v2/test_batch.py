from __future__ import annotations

import logging

import pytest

from bridge.hl7v2.batch import miscounts, split

ONE = b"MSH|^~\\&|A||||||ADT^A04|1\rPID|1|M\xfcller\r"
TWO = b"MSH|^~\\&|A||||||ADT^A08|2\rNTE|1||see MSH|2 of it\r"


@pytest.mark.parametrize("data", [ONE, ONE.replace(b"\r", b"\n"), ONE.rstrip(), b"\r\n" + ONE])
def test_a_file_of_one_message_is_that_message(data: bytes) -> None:
    assert split(data) == [data.lstrip()]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_messages_one_after_the_other(end: bytes) -> None:
    one, two = ONE.replace(b"\r", end), TWO.replace(b"\r", end)

    assert split(one + two + one) == [one, two, one]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_batch_file_gives_its_messages_without_headers_and_trailers(end: bytes) -> None:
    data = b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + ONE + TWO + b"BTS|2\rFTS|1\r"
    one, two = ONE.replace(b"\r", end), TWO.replace(b"\r", end)

    assert split(data.replace(b"\r", end)) == [one, two]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_batch_needs_no_header(end: bytes) -> None:
    data, one, two = (
        text.replace(b"\r", end) for text in (ONE + TWO + b"BTS|3\r" + TWO + b"FTS|2\r", ONE, TWO)
    )

    assert split(data) == [one, two, two]
    assert miscounts(data) == ["BTS[1]-1 says 3 messages, 2 came"]


def test_a_message_of_another_sender_is_not_cut_off() -> None:
    other = ONE.replace(b"|A|", b"|B|")

    assert split(ONE + other + TWO) == [ONE + other, TWO]


def test_what_stands_outside_of_messages_is_a_part() -> None:
    data = b"FHS|^~\\&|A\rPID|1|of nobody\r" + ONE + b"BTS|1\rnotes\r"

    assert split(data) == [b"PID|1|of nobody\r", ONE, b"notes\r"]
    assert miscounts(data) == []


@pytest.mark.parametrize("data", [ONE, ONE + TWO, b"", b"notes", b"\x0b" + ONE + b"\x1c\r"])
def test_what_is_not_counted_is_not_wrong(data: bytes) -> None:
    assert miscounts(data) == []


def test_a_batch_of_nothing_comes_back_whole() -> None:
    assert split(b"FHS|^~\\&|A\rFTS|0\r") == [b"FHS|^~\\&|A\rFTS|0\r"]


def test_nothing_of_a_file_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    split(b"FHS|^~\\&|A\rPID|1|secret\r" + ONE)

    assert not caplog.records


def test_a_captured_connection_gives_the_bodies_of_its_frames() -> None:
    assert split(b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r\x0bMSH|half") == [
        ONE,
        TWO,
        b"MSH|half",
    ]


def test_frames_of_a_capture_end_as_those_of_a_connection_do() -> None:
    text = ONE + b"NTE|1||a\x1cb\x0bc\r"

    for end in (b"\x1c\r", b"\x1c\n", b"\x1c"):
        assert split(b"\x0b" + text + end + b"\x0b" + TWO + end) == [text, TWO]


@pytest.mark.parametrize("data", [b"", b"hello", b"\x0b\x1c\r", b"PID|1\r", b"{}"])
def test_what_holds_no_message_comes_back_whole(data: bytes) -> None:
    assert split(data) == [data]


def test_a_byte_order_mark_is_dropped() -> None:
    assert split(b"\xef\xbb\xbf" + ONE) == [ONE]
