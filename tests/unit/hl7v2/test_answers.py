from __future__ import annotations

import pytest

from bridge.delivery import Kind, Reason
from bridge.hl7v2.answers import COMMITTED, judge

MSH = b"MSH|^~\\&|LAB||||||ACK^O01^ACK|9|P|2.5.1\r"


def answer(code: str, error: str = "", control_id: str = "OUR1") -> bytes:
    err = f"ERR|||{error}^reason|E\r" if error else ""
    return MSH + f"MSA|{code}|{control_id}|said so\r{err}".encode()


@pytest.mark.parametrize(
    ("code", "error", "kind", "reason"),
    [
        ("AA", "", Kind.DELIVERED, Reason.ACCEPTED),
        ("CA", "", Kind.DELIVERED, Reason.ACCEPTED),
        ("AE", "", Kind.PERMANENT, Reason.REFUSED),
        ("AE", "207", Kind.PERMANENT, Reason.REFUSED),
        ("CR", "", Kind.PERMANENT, Reason.REFUSED),
        ("AR", "200", Kind.PERMANENT, Reason.REFUSED),
        ("AR", "205", Kind.PERMANENT, Reason.REFUSED),
        ("AR", "206", Kind.TRANSIENT, Reason.BUSY),
        ("AR", "207", Kind.TRANSIENT, Reason.BUSY),
        ("AR", "", Kind.TRANSIENT, Reason.BUSY),
        ("CE", "", Kind.TRANSIENT, Reason.BUSY),
        ("OK", "", Kind.UNKNOWN, Reason.UNREADABLE_ANSWER),
    ],
)
def test_codes(code: str, error: str, kind: Kind, reason: Reason) -> None:
    outcome = judge(answer(code, error), "OUR1")

    assert (outcome.kind, outcome.reason) == (kind, reason)


@pytest.mark.parametrize(
    "told",
    [
        b"MSH|^~\\&|LAB||||||ACK|9|P|2.3\rMSA|AR|OUR1\rERR|ORC^1^2^204&Unknown&HL70357\r",
        b"MSH|^~\\&|LAB||||||ACK|9|P|2.3\rMSA|AR|OUR1||||204^Unknown\r",
    ],
)
def test_errors_of_older_versions_count_as_well(told: bytes) -> None:
    assert judge(told, "OUR1").reason is Reason.REFUSED


def test_no_answer_is_unknown() -> None:
    assert judge(None, "OUR1").reason is Reason.NO_ANSWER


@pytest.mark.parametrize("told", [b"", b"HTTP/1.1 400", MSH, MSH + b"MSA|AA"])
def test_what_is_no_answer_to_ours_is_unknown(told: bytes) -> None:
    assert judge(told, "OUR1").kind is Kind.UNKNOWN


def test_an_answer_to_another_message_is_unknown() -> None:
    outcome = judge(answer("AA", control_id="OUR0"), "OUR1")

    assert (outcome.kind, outcome.reason) == (Kind.UNKNOWN, Reason.WRONG_RECORD)


def test_a_commit_is_not_the_end_where_an_application_acknowledgment_is_expected() -> None:
    assert judge(answer("CA"), "OUR1", application_expected=True) is COMMITTED
    assert judge(answer("AA"), "OUR1", application_expected=True).kind is Kind.DELIVERED
    assert judge(answer("CE"), "OUR1", application_expected=True).kind is Kind.TRANSIENT


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (b"MSA|AE|OUR1|Meera\rERR||RXE^1^3|101^Missing|E||||Meera\r", "AE, 101 E"),
        (b"MSA|AE|OUR1\rERR||PID^1|204^x|W\rERR||PV1^1|205|F\r", "AE, 204 W, 205 F"),
        (b"MSA|AE|OUR1\rERR||PID^1|Meera^x|Nair\r", "AE"),
        (b"MSA|CR|OUR1\r", "CR"),
        (b"MSA|CE|OUR1\rERR||PID^1|207|E\r", "CE, 207 E"),
    ],
)
def test_codes_are_kept_apart_from_what_can_tell_of_a_person(told: bytes, code: str) -> None:
    assert judge(MSH + told, "OUR1").code == code


def test_people_are_told_the_code_and_every_reason_once() -> None:
    body = MSH + b"MSA|AE|OUR1|no dose\rERR||RXE^1^3|101^Missing|E||||no dose\r"

    assert judge(body, "OUR1").detail == "AE; no dose; RXE-3 101 no dose"
