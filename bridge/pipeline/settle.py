"""Settle: what a delivery does next, given how its request went.

One pure function a far end, each a table of docs/how-it-works.md in code. What concerns more
than one delivery (the token, the limit, an endpoint that is down) is a `Closing` of the whole
target or of one resource.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.delivery import (
    Delivery,
    Interaction,
    Kind,
    Outcome,
    Payload,
    Reason,
    Request,
    Step,
)
from bridge.message import Status, Verdict
from bridge.zauto.catalogue import Operation, Resource
from bridge.zauto.identity import differs, same_record

#: seconds: the first wait after a failure without effect, and the longest
FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0
#: seconds a lane stays quiet when ZautoAI itself answered, if with an error or unreadably
SHORT_QUIET = 5.0
#: seconds a target or resource stays closed when only a person can mend it
CLOSED = 60.0
#: times one delivery may get no clear answer while others are written, before it is poison
POISON = 8
#: times ZautoAI may say of a record that it has it, and then that it has not
MOST_FLIPS = 2
#: answers of a stranger to one update, each between good answers to reads, that show that there
#: is no such endpoint
STRANGE_ANSWERS = 3
#: seconds: the longest wait of an order, which somebody waits for beside a bed
LONGEST_WAIT_OF_ORDER = 60.0


@dataclass(frozen=True, slots=True)
class Settle:
    """The delivery ends."""

    status: Status
    reason: str
    verdict: Verdict | None = None
    #: names what it waits for, when held
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Postpone:
    """The delivery stays at the head of its lane."""

    step: Step
    #: seconds from now
    wait: float
    reason: str
    #: the far end may have seen the request
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Closing:
    """Nothing goes to this target, or this resource of it, for a while."""

    seconds: float
    reason: Reason
    #: "" closes the whole target
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Ours:
    """The record as it should be at ZautoAI."""

    #: all of it, as a POST would send it
    whole: Payload
    #: what a PUT would send, nulls of cleared fields included
    stated: Payload
    #: ZautoAI accepted it from us before, so what is there under its id is ours
    accepted: bool


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a delivery's earlier requests, and of others meanwhile."""

    #: requests in a row, before this one, that had no effect
    failures: int = 0
    #: times ZautoAI said that the record does not exist, before this one
    flips: int = 0
    #: times a stranger answered for ZautoAI, before this one
    strangers: int = 0
    #: times it got no clear answer, this one included, although another record had been written
    #: since the time before: the far end is in order then
    unclear: int = 0


Next = Settle | Postpone

DELIVERED = Settle(Status.DELIVERED, "")

#: failures that concern every call to the far end
_CLOSES_TARGET = frozenset(
    {
        Reason.UNAUTHORIZED,
        Reason.BAD_CREDENTIALS,
        Reason.LIMITED,
        Reason.REDIRECTED,
        Reason.CERTIFICATE,
    }
)
_CLOSES_RESOURCE = frozenset({Reason.FORBIDDEN, Reason.WRONG_RECORD})


#: reasons that say nothing of the request itself; an outage gives them to every request
UNCLEAR = frozenset(
    {
        Reason.NO_ANSWER,
        Reason.SERVER_ERROR,
        Reason.UNREADABLE_ANSWER,
        Reason.NOT_THE_API,
    }
)


def backoff(failures: int) -> float:
    """Seconds to wait after this many failures in a row, without jitter."""
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(max(failures - 1, 0), 16)))


def closing(outcome: Outcome, resource: str) -> Closing | None:
    """What else must stop for a while because of this outcome."""
    if outcome.reason in _CLOSES_TARGET:
        return Closing(outcome.retry_after or CLOSED, outcome.reason)
    if outcome.reason in _CLOSES_RESOURCE:
        return Closing(CLOSED, outcome.reason, resource)
    return None


def after_zauto(
    delivery: Delivery,
    request: Request,
    outcome: Outcome,
    resource: Resource,
    *,
    ours: Ours,
    quiet_seconds: float,
    past: Past,
) -> Next:
    """The state table of docs/how-it-works.md: what each answer makes of a delivery."""
    if request.method == "GET":
        return _after_read(delivery, outcome, resource, ours, quiet_seconds, past)
    match outcome.reason:
        case Reason.ACCEPTED:
            return DELIVERED
        case Reason.DUPLICATE if delivery.call.interaction is Interaction.CREATE:
            return Settle(Status.SUPPRESSED, "it exists there already and is left alone")
        case Reason.DUPLICATE:
            return Postpone(Step.IDENTIFY, 0, "the id exists there: reading whose it is")
        case Reason.NOT_FOUND if request.method == "DELETE":
            return Settle(Status.SUPPRESSED, "it is not there any more")
        case Reason.NOT_FOUND:
            return _absent(past)
        case Reason.NOT_THE_API if _lacks_update(request, resource, past):
            return not_updated(resource)
        case Reason.WRONG_RECORD:
            return _parked(outcome, "ZautoAI answered for another record")
        case Reason.INVALID:
            return _parked(outcome, _fields(outcome))
        case _:
            return _by_kind(delivery, outcome, quiet_seconds, past)


def not_updated(resource: Resource, done: str = "updated") -> Settle:
    """What becomes of an update, or a deletion, where ZautoAI has none for its resource."""
    reason = f"{Reason.NOT_OFFERED}: a {resource.title.lower()} cannot be {done}, only by hand"
    return Settle(Status.PARKED, reason, Verdict.ZAUTO)


def _lacks_update(request: Request, resource: Resource, past: Past) -> bool:
    """Whether an update that is only assumed is not there; reads were answered between."""
    assumed = request.method == "PUT" and Operation.UPDATE in resource.assumed()
    return assumed and past.strangers + 1 >= STRANGE_ANSWERS


def _after_read(
    delivery: Delivery,
    outcome: Outcome,
    resource: Resource,
    ours: Ours,
    quiet_seconds: float,
    past: Past,
) -> Next:
    if outcome.reason in (Reason.ABSENT, Reason.NOT_FOUND):
        return _not_there(delivery)
    if outcome.reason is Reason.FOUND and outcome.record is not None:
        return _there(delivery, outcome.record, resource, ours)
    return _by_kind(delivery, outcome, quiet_seconds, past)


def _not_there(delivery: Delivery) -> Next:
    if delivery.call.interaction is Interaction.DELETE:
        return DELIVERED
    if delivery.step is Step.VERIFY:
        return Postpone(Step.POST, 0, "it had no effect: sending it again")
    reason = "conflict: the id is taken there, yet no such record can be read"
    return Settle(Status.PARKED, reason, Verdict.ZAUTO)


def _there(delivery: Delivery, record: Payload, resource: Resource, ours: Ours) -> Next:
    """A record of our id is there: ours as it should be, ours but different, or another's."""
    if delivery.call.interaction is Interaction.CREATE:
        return DELIVERED
    if delivery.call.interaction is Interaction.DELETE:
        return Postpone(Step.APPLY, 0, "it is still there: deleting it again")
    if not ours.accepted and not same_record(resource, ours.whole, record):
        names = ", ".join(resource.same + resource.not_different)
        reason = f"conflict: another {resource.title.lower()} has this id there (by {names})"
        return Settle(Status.PARKED, reason, Verdict.SENDER)
    if delivery.step is Step.VERIFY and not differs(resource, ours.stated, record):
        return DELIVERED
    return Postpone(Step.PUT, 0, "it is there but different: updating it")


def _absent(past: Past) -> Next:
    if past.flips >= MOST_FLIPS:
        return Settle(Status.PARKED, "ZautoAI says exists and does not exist", Verdict.ZAUTO)
    return Postpone(Step.POST, 0, "ZautoAI does not know it any more: making it again")


def _by_kind(delivery: Delivery, outcome: Outcome, quiet_seconds: float, past: Past) -> Next:
    match outcome.kind:
        case Kind.PERMANENT:
            return _parked(outcome, _why(outcome))
        case _ if past.unclear >= POISON and outcome.reason in UNCLEAR:
            return _parked(outcome, f"no clear answer {past.unclear} times, while others get one")
        case Kind.UNKNOWN:
            quiet = max(_quiet(outcome, quiet_seconds), backoff(delivery.attempts))
            wait = max(quiet, outcome.retry_after or 0)
            return Postpone(Step.VERIFY, wait, outcome.reason)
        case _:
            wait = outcome.retry_after or backoff(past.failures + 1)
            return Postpone(delivery.step, wait, outcome.reason, counts=False)


def _quiet(outcome: Outcome, quiet_seconds: float) -> float:
    """A 502 or 504 is no answer either: behind the gateway the request may yet take effect."""
    if outcome.reason is Reason.NO_ANSWER:
        return quiet_seconds
    return min(quiet_seconds, SHORT_QUIET)


def _parked(outcome: Outcome, reason: str) -> Settle:
    return Settle(Status.PARKED, reason, outcome.verdict or Verdict.ZAUTO)


def _why(outcome: Outcome) -> str:
    if not outcome.detail or outcome.verdict is Verdict.BRIDGE:
        return outcome.detail or str(outcome.reason)
    return f"{outcome.reason}: {quoted(outcome.detail)}"


def _fields(outcome: Outcome) -> str:
    if not outcome.field_errors:
        return _why(outcome)
    named = (f"{error.field} {quoted(error.message)}" for error in outcome.field_errors)
    return f"{outcome.reason}: {'; '.join(named)}"


def quoted(text: str) -> str:
    """A far end's words within a reason: only there may a reason hold patient data."""
    return f"“{text.replace('“', '').replace('”', '')}”"


def after_hospital(delivery: Delivery, outcome: Outcome, failures: int = 0) -> Next:
    """What the hospital's acknowledgment means (design `delivery.md`, "Orders out").

    The same MSH-10 is sent again in every case but a refusal, so a resend does no harm.
    """
    if outcome.kind is Kind.DELIVERED:
        return DELIVERED
    if outcome.kind is Kind.PERMANENT:
        return _parked(outcome, _why(outcome))
    counts = outcome.kind is Kind.UNKNOWN
    tries = delivery.attempts + failures + 1
    wait = outcome.retry_after or min(backoff(tries), LONGEST_WAIT_OF_ORDER)
    return Postpone(Step.APPLY, wait, outcome.reason, counts=counts)
