"""What a hospital's answer to a message of ours means for the delivery."""

from __future__ import annotations

from bridge.delivery import Kind, NetworkFault, Outcome, Reason
from bridge.errors import ReadError
from bridge.hl7v2 import ack
from bridge.message import AckError, Acknowledgment, Verdict

#: the hospital has the message safe (CA), and its application acknowledgment is still to come:
#: wait for the next frame and judge that; where none comes in time, this is how it went
COMMITTED = Outcome(
    Kind.UNKNOWN,
    Reason.NO_ANSWER,
    detail="CA came, the application acknowledgment did not",
    verdict=Verdict.HOSPITAL,
)

#: table 0357: what is wrong with the message itself; 206 and 207 are the receiver's own trouble
_REJECTIONS = range(200, 206)
#: table 0516
_SEVERITIES = ("E", "F", "I", "W")


def judge(answer: bytes | None, control_id: str, *, application_expected: bool = False) -> Outcome:
    """How the sending of the message `control_id` went, by the frame that came back, if one did.

    Where the outcome's kind is unknown, and it is not `COMMITTED`, the connection must be closed:
    a late answer would be taken for the next message's.
    """
    if answer is None:
        return Outcome(
            Kind.UNKNOWN, Reason.NO_ANSWER, verdict=Verdict.NETWORK, fault=NetworkFault.TIMEOUT
        )
    try:
        told = ack.read(answer)
    except ReadError as error:
        return _unreadable(str(error))
    if told.control_id != control_id:
        return Outcome(
            Kind.UNKNOWN,
            Reason.WRONG_RECORD,
            detail="MSA-2 names another message",
            verdict=Verdict.HOSPITAL,
        )
    if told.code == "CA" and application_expected:
        return COMMITTED
    return _by_code(told)


def _by_code(told: Acknowledgment) -> Outcome:
    match told.code:
        case "AA" | "CA":
            return Outcome(Kind.DELIVERED, Reason.ACCEPTED, detail=told.text)
        case "AE" | "CR":
            return _refused(told)
        case "AR" if any(error.code in _REJECTIONS for error in told.errors):
            return _refused(told)
        case "AR" | "CE":
            return _answered(Kind.TRANSIENT, Reason.BUSY, told)
    return _unreadable(f"MSA-1 is {told.code}, which is not in table 0008.")


def _refused(told: Acknowledgment) -> Outcome:
    return _answered(Kind.PERMANENT, Reason.REFUSED, told)


def _answered(kind: Kind, reason: Reason, told: Acknowledgment) -> Outcome:
    return Outcome(kind, reason, code=_codes(told), detail=_why(told), verdict=Verdict.HOSPITAL)


def _unreadable(why: str) -> Outcome:
    return Outcome(Kind.UNKNOWN, Reason.UNREADABLE_ANSWER, detail=why, verdict=Verdict.HOSPITAL)


def _codes(told: Acknowledgment) -> str:
    """MSA-1, and of each error the number and how bad it is, which say nothing of a person."""
    return ", ".join(dict.fromkeys((told.code, *filter(None, map(_code, told.errors)))))


def _code(error: AckError) -> str:
    severity = error.severity if error.severity in _SEVERITIES else ""
    return " ".join(filter(None, (str(error.code or ""), severity)))


def _why(told: Acknowledgment) -> str:
    """The code, and what the hospital said about it, once."""
    said = [told.text, *(_told(one.location, one.code, one.text) for one in told.errors)]
    return "; ".join(dict.fromkeys((told.code, *filter(None, said))))


def _told(location: str, code: int, text: str) -> str:
    return " ".join(filter(None, (location, str(code or ""), text)))
