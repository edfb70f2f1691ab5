"""Batches in one frame: what they hold, and how they are answered."""

from __future__ import annotations

import pytest

from bridge.hl7v2.batch import split
from bridge.hl7v2.batches import is_batch, read, write

ONE = b"MSH|^~\\&|A||||||ADT^A04|1\rPID|1|M\xfcller\r"
TWO = b"MSH|^~\\&|A||||||ADT^A08|2\rNTE|1||BTSX of it\r"
FHS = b"FHS|^~\\&|HIS|WARD|ZAUTO|CLINIC|2026||F|note|FILE-1\r"
BHS = b"BHS|^~\\&|HIS|WARD|ZAUTO|CLINIC|2026||B|note|BATCH-1\r"
FILE = FHS + BHS + ONE + TWO + b"BTS|2\r" + BHS + TWO + b"BTS|1\rFTS|2\r"


def answered(body: bytes) -> list[str]:
    file = read(body)
    told = [[b"MSH|a\rMSA|AA|1\r" for _ in each.messages] for each in file.batches]
    written = write(file, told, at="20260102", control_ids=iter("123456789"))
    return written.decode().rstrip("\r").split("\r")


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_messages_come_out_by_batch(end: bytes) -> None:
    file = read(FILE.replace(b"\r", end))
    one, two = ONE.replace(b"\r", end), TWO.replace(b"\r", end)

    assert [each.messages for each in file.batches] == [[one, two], [two]]
    assert file.miscounts() == []


def test_headers_and_trailers_may_be_missing() -> None:
    assert [each.messages for each in read(FHS + ONE + TWO).batches] == [[ONE, TWO]]
    assert [each.messages for each in read(BHS + ONE).batches] == [[ONE]]
    assert read(BHS + b"BTS|0\r").batches[0].messages == []


def test_counts_that_are_wrong_are_told() -> None:
    file = read(FHS + BHS + ONE + b"BTS|2\rFTS|3\r")

    assert file.miscounts() == [
        "BTS[1]-1 says 2 messages, 1 came",
        "FTS-1 says 3 batches, 1 came",
    ]


@pytest.mark.parametrize("count", [b"", b"|", b"|two", b"|" + b"9" * 5000])
def test_a_count_that_is_none_is_not_checked(count: bytes) -> None:
    assert read(BHS + ONE + b"BTS" + count + b"\r").miscounts() == []


def test_the_answer_has_the_form_of_what_it_answers() -> None:
    head = "|^~\\&|ZAUTO|CLINIC|HIS|WARD|20260102||||"
    ack = ["MSH|a", "MSA|AA|1"]

    assert answered(FILE) == [
        f"FHS{head}1|FILE-1",
        f"BHS{head}2|BATCH-1",
        *ack,
        *ack,
        "BTS|2",
        f"BHS{head}3|BATCH-1",
        *ack,
        "BTS|1",
        "FTS|2",
    ]
    assert answered(BHS + ONE + b"BTS|4\r")[-1] == "BTS|1|BTS[1]-1 says 4 messages, 1 came"


def test_it_is_written_with_the_separator_of_the_header() -> None:
    body = b"BHS#^~\\&#HIS#WARD\r" + ONE + b"BTS#1\r"

    assert answered(body)[0] == "BHS#^~\\&###HIS#WARD#20260102####1#"
    assert answered(body)[-1] == "BTS#1"


@pytest.mark.parametrize(
    ("body", "is_one"),
    [(FILE, True), (b"\xef\xbb\xbf\r\n" + BHS, True), (ONE, False), (b"BTS|1\r", False)],
)
def test_a_batch_is_known_by_its_beginning(body: bytes, is_one: bool) -> None:
    assert is_batch(body) is is_one


@pytest.mark.parametrize("body", [b"BHS_1", b"BHS|^~\\&\rBTS|0\r"])
def test_a_batch_of_nothing_leaves_a_trace(body: bytes) -> None:
    assert read(body).miscounts() == ["holds no message"]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_trailer_needs_no_header_and_is_answered_by_one(end: bytes) -> None:
    body = (ONE + TWO + b"BTS|3\r" + TWO + b"BTS|1\rFTS|2\r").replace(b"\r", end)
    one, two = ONE.replace(b"\r", end), TWO.replace(b"\r", end)

    assert [each.messages for each in read(body).batches] == [[one, two], [two]]
    assert answered(body)[2 * 2 :] == [
        "BTS|2|BTS[1]-1 says 3 messages, 2 came",
        "MSH|a",
        "MSA|AA|1",
        "BTS|1",
        "FTS|2",
    ]


def test_a_header_may_follow_messages() -> None:
    file = read(ONE + BHS + TWO + b"BTS|1\r")

    assert [each.messages for each in file.batches] == [[ONE], [TWO]]
    assert file.miscounts() == []


@pytest.mark.parametrize(
    "line", [b"BTSX|1\r", b"BTS: yes\r", b"BHS 1\r", b"FTS of it|\r", b"bts|1\r"]
)
def test_a_line_that_only_begins_like_a_trailer_is_text(line: bytes) -> None:
    assert [each.messages for each in read(ONE + line).batches] == [[ONE + line]]
    assert read(ONE + line).is_one_message


def test_text_outside_of_messages_is_not_counted() -> None:
    file = read(FHS + BHS + b"PID|1\r" + ONE + b"BTS|1\rnotes\rFTS|1\rnotes\r")

    assert [each.messages for each in file.batches] == [
        [b"PID|1\r", ONE],
        [b"notes\r", b"notes\r"],
    ]
    assert file.miscounts() == []


@pytest.mark.parametrize("header", [FHS, BHS, FHS + BHS])
def test_a_header_behind_a_message_that_nothing_follows_makes_no_batch(header: bytes) -> None:
    assert read(ONE + header).is_one_message
    assert not read(ONE + header + TWO).is_one_message
    assert split(ONE + header) == [ONE + header]


@pytest.mark.parametrize("line", [b"BTS|1\r", b"FTS|x\r", BHS, FHS])
def test_a_line_within_a_message_makes_no_batch(line: bytes) -> None:
    body = ONE + line + b"PV1|1|O\r"

    assert [each.messages for each in read(body).batches] == [[body]]


@pytest.mark.parametrize("name", [b"FHS", b"BHS", b"BTS", b"FTS"])
@pytest.mark.parametrize("rest", [b"", b"|", b"|2 tests left", b"|allergy: penicillin|x"])
@pytest.mark.parametrize("behind", [b"\r", b"\nmore\r", b"\rPV1|1|O\r", b"\r\r"])
@pytest.mark.parametrize("head", [b"", BHS, FHS + BHS])
@pytest.mark.parametrize("end", [b"\r", b"\r\n"])
def test_behind_a_line_feed_it_is_text_where_carriage_returns_end_the_lines(
    name: bytes, rest: bytes, behind: bytes, head: bytes, end: bytes
) -> None:
    text = b"NTE|1||counts\n" + name + rest + behind
    one, two, head = ((each.replace(b"\r", end)) for each in (ONE + text, TWO, head))

    found = read(head + one + two)

    assert [each.messages for each in found.batches] == [[one, two]]


@pytest.mark.parametrize("blank", [b"", b" ", b"\t", b"\n", b"\r\n"])
@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_trailer_may_stand_behind_blanks_and_blank_lines(end: bytes, blank: bytes) -> None:
    body = BHS + ONE + blank.replace(b"\n", b"\r").replace(b"\r\r", b"\r") + b"BTS|1\r"
    (batch,) = read(body.replace(b"\r", end)).batches

    assert batch.trailer is not None
    assert [each.rstrip() for each in batch.messages] == [ONE.replace(b"\r", end).rstrip()]


@pytest.mark.parametrize("between", [b"\n", b"\r", b"\r\n", b"\n\n"])
def test_headers_at_the_beginning_may_have_other_line_ends(between: bytes) -> None:
    file = read(FHS.rstrip() + between + BHS.rstrip() + between + ONE + b"BTS|1\r")

    assert file.header is not None
    assert [each.messages for each in file.batches] == [[ONE]]
    assert file.miscounts() == []
