"""Modes that MSH-15 and MSH-16 say together, and numbers that are none."""

from __future__ import annotations

import pytest

from bridge.delivery import Kind
from bridge.hl7v2 import ack
from bridge.hl7v2.answers import judge
from bridge.hl7v2.header import Header, scan
from bridge.message import Acknowledgment


def header_of(*, version: str = "2.5.1", accept: str = "", application: str = "") -> Header:
    tail = f"P|{version}|||{accept}|{application}"
    return scan(f"MSH|^~\\&|HIS|LOTUS|BRIDGE|ZAUTO|20260301||ADT^A04|C1|{tail}\r".encode())


@pytest.mark.parametrize(
    ("application", "on_success", "on_error"),
    [("AL", True, True), ("al", True, True), ("ER", False, True), ("SU", True, False)],
)
def test_no_accept_but_an_application_acknowledgment_is_original_mode(
    application: str, on_success: bool, on_error: bool
) -> None:
    header = header_of(accept="NE", application=application)

    assert ack.positive(header) == "AA"
    assert ack.negative(header, reject=False) == "AE"
    assert ack.wanted(header, "AA") is on_success
    assert ack.wanted(header, "AE") is on_error


def test_who_wants_neither_is_told_nothing() -> None:
    header = header_of(accept="NE", application="NE")

    assert not ack.wanted(header, ack.positive(header))


def test_a_version_of_thousands_of_digits_is_answered() -> None:
    header = header_of(version="2" + "9" * 5000)

    assert b"MSA|AA|C1" in ack.write(Acknowledgment("AA", "C1"), header, at=0.0, control_id="1")


def test_an_error_code_of_thousands_of_digits_is_none() -> None:
    answer = b"MSH|^~\\&|||||||ACK|1|P|2.5.1\rMSA|AE|C1\rERR|||" + b"9" * 5000 + b"|E\r"

    assert judge(answer, "C1").kind is Kind.PERMANENT


@pytest.mark.parametrize(
    ("accept", "application", "owed", "owed_apart"),
    [
        ("AL", "AL", "AL", "AL"),
        ("AL", "al", "AL", "AL"),
        ("AL", "SU", "SU", "SU"),
        ("ER", "ER", "ER", "ER"),
        ("", "AL", "AL", "AL"),
        ("AL", "NE", "", ""),
        ("AL", "", "", ""),
        ("AL", "ACKNOWLEDGE", "", ""),
        ("", "", "", ""),
        # the original mode, unless the channel answers at a time or a place of its own
        ("NE", "AL", "", "AL"),
        ("NE", "NE", "", ""),
    ],
)
def test_what_is_owed_after_the_accept_acknowledgment(
    accept: str, application: str, owed: str, owed_apart: str
) -> None:
    header = header_of(accept=accept, application=application)

    assert ack.later(header) == owed
    assert ack.later(header, apart=True) == owed_apart
    assert (ack.positive(header, apart=True) == "CA") == bool(accept == "AL" or application)


def test_an_acknowledgment_is_owed_none() -> None:
    body = b"MSH|^~\\&|HIS|LOTUS|BRIDGE|ZAUTO|20260301||ACK^A04|C1|P|2.5.1|||AL|AL\rMSA|AA|1\r"

    assert ack.later(scan(body)) == ""


def test_the_later_answer_is_an_exchange_of_its_own() -> None:
    body = b"MSH|^~\\&|HIS|LOTUS|BRIDGE|ZAUTO|20260301||ADT^A04|C1|P|2.5.1|||AL|AL||8859/1\r"
    told = ack.write(
        Acknowledgment("AA", "C1"), scan(body), at=0.0, control_id="1", accept="AL"
    ).decode()

    msh = told.split("\r")[0].split("|")
    assert (msh[8], msh[9]) == ("ACK^A04^ACK", "1")
    assert msh[12:] == ["", "", "AL", "NE", "", "8859/1"]
    assert "MSA|AA|C1\r" in told
