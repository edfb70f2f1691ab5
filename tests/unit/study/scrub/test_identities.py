"""Who is meant stays told when nobody is: the same number is the same one in every segment."""

from __future__ import annotations

import re

import pytest

from bridge.hl7v2.header import scan
from bridge.hl7v2.paths import parse
from bridge.hl7v2.reader import Hl7Document, Repetition
from bridge.message import Message
from tests.unit.pipeline.hl7 import message
from tests.unit.study.scrub.test_messages import check, without_people

MERGE = rb"""MSH|^~\&|MEDISYS|SGH|ZAUTO|ZAUTOAI|20260305110500+0530||ADT^A40^ADT_A39|C01|P|2.5.1
EVN||20260305110500+0530
PID|1|100299|100302^^^SGH^MR~XPRN1111A^^^UIDAI^AN||Iyer^Lakshmi^N||19880214|F||||||||||A8001^^^SGH^AN
PV1|1|O|||||||||||||||||V0077^^^SGH^VN
MRG|100301^^^SGH^MR~100302^^^SGH^PI|100299^^^SGH^PI|A8001^^^SGH^AN|100299|V0077^^^SGH^VN|ALT-5^^^SGH^VN|Iyer^Laxmi^N
"""
#: what is one number or name in both places
SAME = [
    ("PID-3[1].1", "MRG-1[2].1"),
    ("PID-2", "MRG-2.1"),
    ("PID-18.1", "MRG-3.1"),
    ("PID-2", "MRG-4.1"),
    ("PV1-19.1", "MRG-5.1"),
    ("PID-5.1", "MRG-7.1"),
    ("PID-5.3", "MRG-7.3"),
    ("PID-3[1].4", "MRG-1[1].4"),
]
#: and what are two
DIFFERENT = [("PID-3[1].1", "MRG-1[1].1"), ("PID-5.2", "MRG-7.2"), ("MRG-5.1", "MRG-6.1")]

#: all that names the prior patient and his visits
PRIOR = [f"MRG-{n}.1" for n in range(2, 8)] + ["MRG-1[1].1", "MRG-1[2].1", "MRG-7.2", "MRG-1[1].4"]

BOOKED = rb"""MSH|^~\&|MEDISYS|SGH|ZAUTO|ZAUTOAI|20260305110500+0530||SIU^S12^SIU_S12|C01|P|2.5.1
SCH|AP9001|||||||^Knee of Iyer||30|min|^^^20260310|D77^Rao||||C11^Mina||||R44^Patel|||||Booked
TQ1|1|1|BID^^0915&2145|||5^D|20260310093000|20260315|R|Iyer eats late|ask Lakshmi|S
PID|1||100302^^^SGH^MR||Iyer^Lakshmi^N
RGS|1|A
AIS|1|A|XRKNEE^Knee of Lakshmi^L|20260310093000|||30|min|N|Booked
AIG|1|A|EQ771^Lathe of Patel|ROOM^Mina hall||||20260310093000
AIL|1|A|OPDX^1244^^SGH|^Clinic of Rao
AIP|1|A|D77^Rao^Anand^^^Dr.|AT^Attending Rao^HL70443||20260310093000|||30|min|N|Booked
"""
STAFF = rb"""MSH|^~\&|MEDISYS|SGH|ZAUTO|ZAUTOAI|20260305110500+0530||MFN^M02^MFN_M02|C01|P|2.5.1
MFI|PRA^Practitioner^HL70175|MEDI_PRA|UPD|20260305|20260305|AL
MFE|MAD|K2299|20260305110500|D7788^Rao^Anand|CE
STF|D7788|D7788~55512^^^MCI|Rao^Anand|P|F||A|CARD^Ward of Rao||+91441234|7 Lotus Rd||||||rao@sgh.in
PRA|D7788^^^SGH|GRP^Rao and sons|DO|I|CARD^Board of Chennai^C^20010101|LIC9977^^TNX|20010101
LOC|OPDX^1244^^SGH|Anand hall|C|SGH of Rao|127 Main St^^Chennai|+914412345678
CDM|CH4411|20260305|Knee of Rao|Kn. Anand||99213
OM1|1|8827-1^Blood of Rao^L||||Anand panel|||||||||||||||||SGH
IIM|IT4477^Paracip of Rao|INV8811^Anand|20260305|2^20|20260305|||4455||||20260305|||||
"""


def without_them(body: bytes) -> Hl7Document:
    """The message without its people."""
    return document(without_people(given(body), 0).message.body)


def document(body: bytes) -> Hl7Document:
    return Hl7Document(body, scan(body), "cp1252")


def given(body: bytes) -> Message:
    return message(body.replace(b"\n", b"\r"))


def text(path: str, where: Hl7Document) -> str:
    (value,) = where.values(parse(path))
    return str(value.text) if isinstance(value, Repetition) else str(value)


@pytest.mark.parametrize("body", [MERGE, BOOKED, STAFF], ids=["merge", "appointment", "staff"])
def test_no_segment_keeps_a_person_and_the_message_keeps_its_shape(body: bytes) -> None:
    check(given(body))


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_number_or_name_is_the_same_in_the_prior_patient(one: str, other: str) -> None:
    made, before = without_them(MERGE), document(given(MERGE).body)
    assert text(one, before) == text(other, before) != text(one, made)
    assert text(one, made) == text(other, made)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_numbers_or_names_stay_two(one: str, other: str) -> None:
    made, before = without_them(MERGE), document(given(MERGE).body)
    assert text(one, before) != text(other, before)
    assert text(one, made) != text(other, made)


@pytest.mark.parametrize("path", PRIOR)
def test_every_number_of_the_prior_patient_keeps_its_form(path: str) -> None:
    made, before = text(path, without_them(MERGE)), text(path, document(given(MERGE).body))
    assert made != before
    assert _form(made) == _form(before)


def _form(text: str) -> str:
    return re.sub("[A-Z]", "A", re.sub("[a-z]", "a", re.sub(r"\d", "9", text)))


@pytest.mark.parametrize("name", [b" PID", b"PID ", b"\tPV1 "])
def test_segments_with_padded_names_lose_their_people_too(name: bytes) -> None:
    check(given(MERGE.replace(b"\n" + name.strip(), b"\n" + name, 1)))
