from __future__ import annotations

import pytest

from bridge.errors import ReadError
from bridge.hl7v2 import ack
from bridge.hl7v2.header import Header, scan
from bridge.message import AckError, Acknowledgment

AT = 1_767_323_045.25  # 2026-01-02 03:04:05.250 UTC
MESSAGE = rb"MSH|^~\&|HIS|WARD|ZAUTO|CLINIC|2026||ADT^A04^ADT_A01|ID-7|P^T|2.5.1|||"
HEADER = scan(MESSAGE)
ERRORS = (AckError("PID-3[2].1", 101, "identifier | missing"), AckError("OBX", 207, "too many"))


def answer(header: Header, code: str = "AA", errors: tuple[AckError, ...] = ()) -> list[str]:
    text = errors[0].text if errors else ""
    told = Acknowledgment(code, header.control_id, text, errors)
    body = ack.write(told, header, at=AT, control_id="B1")
    return body.decode(header.encoding).split("\r")


def modes(accept: str, application: str) -> Header:
    return HEADER._replace(accept_acknowledgment=accept, application_acknowledgment=application)


@pytest.mark.parametrize(
    ("accept", "application", "codes"),
    [
        ("", "", ("AA", "AE", "AR", "AR")),
        ("AL", "NE", ("CA", "CE", "CR", "CE")),
        ("AL", "", ("CA", "CE", "CR", "CE")),
        ("", "AL", ("CA", "CE", "CR", "CE")),
    ],
)
def test_the_mode_chooses_the_code(
    accept: str, application: str, codes: tuple[str, str, str, str]
) -> None:
    header = modes(accept, application)

    assert codes == (
        ack.positive(header),
        ack.negative(header, reject=False),
        ack.negative(header, reject=True),
        ack.unable(header),
    )


@pytest.mark.parametrize(
    ("accept", "on_success", "on_error"),
    [
        ("", True, True),
        ("AL", True, True),
        ("al", True, True),
        ("NE", False, False),
        ("ER", False, True),
        ("SU", True, False),
        ("ACCEPT", True, True),
    ],
)
def test_msh_15_says_whether_an_answer_is_wanted(
    accept: str, on_success: bool, on_error: bool
) -> None:
    header = modes(accept, "NE")

    assert ack.wanted(header, "CA") is on_success
    assert ack.wanted(header, "CE") is on_error
    assert ack.wanted(header, "CR") is on_error


def test_an_acknowledgment_is_never_acknowledged() -> None:
    assert not ack.wanted(HEADER._replace(message_type="ACK^A04"), "AA")


def test_a_positive_answer_is_a_header_and_msa() -> None:
    assert answer(HEADER) == [
        "MSH|^~\\&|ZAUTO|CLINIC|HIS|WARD|20260102030405.250+0000||ACK^A04^ACK|B1|P|2.5.1",
        "MSA|AA|ID-7",
        "",
    ]


@pytest.mark.parametrize(
    ("version", "message_type"),
    [("2.1", "ACK"), ("2.3.1", "ACK"), ("2.4", "ACK^A04^ACK"), ("2.8", "ACK^A04^ACK")],
)
def test_the_version_decides_how_the_type_is_written(version: str, message_type: str) -> None:
    fields = answer(HEADER._replace(version=version))[0].split("|")

    assert (fields[8], fields[11]) == (message_type, version)


@pytest.mark.parametrize("version", ["2.3.1", "2.4"])
def test_up_to_2_4_one_err_repeats_and_msa_6_has_the_code(version: str) -> None:
    assert answer(HEADER._replace(version=version), "AE", ERRORS)[1:] == [
        "MSA|AE|ID-7|identifier \\F\\ missing|||101^Required field missing^HL70357",
        "ERR|PID^1^3^101&Required field missing&HL70357~OBX^1^^207&Application internal error"
        "&HL70357",
        "",
    ]


def test_from_2_5_every_error_is_an_err_of_its_own() -> None:
    assert answer(HEADER, "AE", ERRORS)[1:] == [
        "MSA|AE|ID-7|identifier \\F\\ missing",
        "ERR||PID^1^3^2^1|101^Required field missing^HL70357|E||||identifier \\F\\ missing",
        "ERR||OBX^1|207^Application internal error^HL70357|E||||too many",
        "",
    ]


def test_from_2_7_msa_3_is_withdrawn() -> None:
    assert answer(HEADER._replace(version="2.7"), "AE", ERRORS)[1] == "MSA|AE|ID-7"


def test_an_error_of_no_place_has_none() -> None:
    error = AckError("", 207, "later")

    assert answer(HEADER, "AR", (error,))[2].startswith("ERR|||207^")


def test_the_answer_wears_the_senders_delimiters() -> None:
    header = scan(b"MSH#!@%*#HIS#W#Z#C#2026##ADT!A01#9#P#2.5")

    assert answer(header, "AE", (AckError("PID-3", 101, "no # here"),)) == [
        "MSH#!@%*#Z#C#HIS#W#20260102030405.250+0000##ACK!A01!ACK#B1#P#2.5",
        "MSA#AE#9#no %F% here",
        "ERR##PID!1!3#101!Required field missing!HL70357#E####no %F% here",
        "",
    ]


@pytest.mark.parametrize("control_id", [b"a\\F\\b", "आईडी".encode(), b"\xe9\xff", b"a&b^c"])
def test_the_control_id_comes_back_byte_for_byte(control_id: bytes) -> None:
    header = scan(MESSAGE.replace(b"ID-7", control_id))
    told = Acknowledgment("AA", header.control_id)

    assert b"MSA|AA|" + control_id + b"\r" in ack.write(told, header, at=AT, control_id="B1")


def test_a_declared_charset_is_declared_again_and_text_is_ascii() -> None:
    header = scan(MESSAGE + b"|||8859/5")
    lines = answer(header, "AE", (AckError("PID-5", 102, "имя"),))

    assert lines[0].endswith("|2.5.1||||||8859/5")
    assert "???" in lines[1]


@pytest.mark.parametrize("version", ["2.3.1", "2.4", "2.5.1", "2.8"])
def test_what_is_written_is_read_again(version: str) -> None:
    header = HEADER._replace(version=version)
    told = ack.read("\r".join(answer(header, "AE", ERRORS)).encode())

    assert (told.code, told.control_id) == ("AE", "ID-7")
    assert [(error.location, error.code) for error in told.errors] == [("PID-3", 101), ("OBX", 207)]


def test_msa_6_is_read_where_there_is_no_err() -> None:
    body = b"MSH|^~\\&|A||||||ACK|1|P|2.3.1\nMSA|AR|7|no|||204^Unknown key^HL70357\n"

    assert ack.read(body) == Acknowledgment("AR", "7", "no", (AckError("", 204, "Unknown key"),))


def test_an_error_without_a_number_is_read_as_0() -> None:
    body = b"MSH|^~\\&|A||||||ORR^O02|1|P|2.5\rMSA|AE|7\rERR|||busy^Try later|W\r"

    assert ack.read(body).errors == (AckError("", 0, "Try later", "W"),)


@pytest.mark.parametrize("body", [b"", b"garbage", MESSAGE, MESSAGE + b"\rMSA||7\r"])
def test_what_has_no_msa_1_is_no_acknowledgment(body: bytes) -> None:
    with pytest.raises(ReadError):
        ack.read(body)
