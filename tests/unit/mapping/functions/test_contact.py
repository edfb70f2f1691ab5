"""Phone numbers and e-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery import Call
from bridge.mapping.functions import contact
from bridge.mapping.functions.compounds import Telecom

Patient = Callable[..., Call]
PID = "PID|1||7^^^H^MR||Rao^A||||||||"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("9818512600", "+919818512600"),
        ("098185 12600", "+919818512600"),
        ("+44 20 7946 0958", "+442079460958"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("0044 20 7946 0958", "+442079460958"),
        ("^PRN^PH^^91^80^55512345", "+918055512345"),
        ("^PRN^PH^^91^080^55512345", "+918055512345"),
        ("^PRN^PH^^+91^^9818512600", "+919818512600"),
        ("^PRN^PH^^^080^23456789", "+918023456789"),
        ("^PRN^PH^^^^^^^^^9818512600", "+919818512600"),
        ("^WPN^PH^^39^06^5551234", "+39065551234"),
        ("9818512600X12", "+919818512600"),
        ("^ORN^CP^^91^98^18512600", "+919818512600"),
        ("^PRN^FX^^91^80^55512345", None),
        ("^NET^Internet^a@b.example", None),
        ("not known", None),
        ("12", None),
        ("^PRN^PH", None),
        ("0000000000", None),
    ],
)
def test_a_phone_is_written_as_e164(patient: Patient, field: str, expected: str | None) -> None:
    assert patient(PID + field).payload.get("phoneNumber") == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("9818512600~9818512601^PRN", "+919818512601"),
        ("9818512600~9818512601^^CP", "+919818512601"),
        ("^^^a@b.example~9818512600", "+919818512600"),
        ("12~9818512600", "+919818512600"),
    ],
)
def test_the_home_number_then_the_mobile_then_the_first_is_taken(
    patient: Patient, field: str, expected: str
) -> None:
    assert patient(PID + field).payload["phoneNumber"] == expected


@pytest.mark.parametrize("fields", ["|9818512600", "|" * 27 + "9818512600"])
def test_the_business_number_and_pid_40_stand_in(patient: Patient, fields: str) -> None:
    assert patient(PID + fields).payload["phoneNumber"] == "+919818512600"


def test_another_country_reads_bare_numbers_its_own_way(patient: Patient) -> None:
    payload = patient(PID + "(206) 555-0142", country="US").payload
    assert payload["phoneNumber"] == "+12065550142"


def test_whatsapp_is_sent_only_where_it_is_stated(patient: Patient) -> None:
    plain = patient(PID + "9818512600").payload
    assert "whatsappNumber" not in plain
    payload = patient(PID + "9818512600~9818512601^^WhatsApp").payload
    assert payload["phoneNumber"] == "+919818512600"
    assert payload["whatsappNumber"] == "+919818512601"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("^NET^Internet^uma@example.org", "uma@example.org"),
        ("uma@example.org", "uma@example.org"),
        ("^^^uma@example.org", "uma@example.org"),
        ("^NET^Internet^uma at example", None),
        ("9818512600", None),
    ],
)
def test_an_email_is_taken_from_any_telecom(
    patient: Patient, field: str, expected: str | None
) -> None:
    assert patient(PID + field).payload.get("email") == expected


@given(st.from_regex(r"\+?[0-9() .-]{5,20}", fullmatch=True))
def test_whatever_is_sent_is_e164_and_reads_back_as_the_same_number(text: str) -> None:
    found = contact.e164(Telecom(text, "", "", "", "phone", 1), "IN")
    if found is not None:
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", found)
        assert contact.e164(Telecom(found, "", "", "", "phone", 1), "IN") == found


@given(st.integers(6_000_000_000, 9_999_999_999))
def test_an_indian_number_is_the_same_with_and_without_its_country_code(number: int) -> None:
    texts = (str(number), f"0{number}", f"+91{number}", f"+91 {number}", f"0091{number}")
    found = {contact.e164(Telecom(text, "", "", "", "phone", 1), "IN") for text in texts}
    expected = phonenumbers.parse(str(number), "IN")
    assert found == {phonenumbers.format_number(expected, phonenumbers.PhoneNumberFormat.E164)}
