"""Settle: what a delivery does next, given how its request went.

One pure function a far end, each a table of docs/how-it-works.md in code. What an outcome means for
more than one delivery is the business of `breakers`.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.causes import OTHER_FIELD, Cause, CauseKind
from bridge.delivery import Delivery, Interaction, Kind, Outcome, Payload, Reason, Request, Step
from bridge.message import Status, Verdict
from bridge.pipeline.delivery.poison import is_poison
from bridge.pipeline.records.identity import another, differs, same_record
from bridge.zauto.catalogue import Operation, Resource

#: seconds: the first wait after a failure without effect, and the longest
FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0
#: seconds a lane stays quiet when ZautoAI itself answered, if with an error or unreadably
SHORT_QUIET = 5.0
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
    cause: Cause | None = None
    #: names what it waits for, when held
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Postpone:
    """The delivery stays at the head of its lane."""

    step: Step
    #: seconds from now
    wait: float
    cause: Cause
    #: the far end may have seen the request
    counts: bool = True


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

DELIVERED = Settle(Status.DELIVERED)


def backoff(failures: int) -> float:
    """Seconds to wait after this many failures in a row, without jitter."""
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(max(failures - 1, 0), 16)))


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
            return Settle(Status.SUPPRESSED, Cause(CauseKind.EXISTS))
        case Reason.DUPLICATE:
            return Postpone(Step.IDENTIFY, 0, Cause(CauseKind.READING))
        case Reason.NOT_FOUND if request.method == "DELETE":
            return Settle(Status.SUPPRESSED, Cause(CauseKind.GONE))
        case Reason.NOT_FOUND:
            return _absent(past)
        case Reason.NOT_THE_API if _lacks_update(request, resource, past):
            return not_offered(resource)
        case Reason.WRONG_RECORD:
            return _parked(Cause(CauseKind.WRONG_RECORD))
        case Reason.INVALID:
            return _parked(refused_fields(outcome, resource))
        case _:
            return _by_kind(delivery, outcome, quiet_seconds, past)


def not_offered(resource: Resource, operation: Operation = Operation.UPDATE) -> Settle:
    """What becomes of an update, or a deletion, where ZautoAI has none for its resource."""
    done = "deleted" if operation is Operation.DELETE else "updated"
    return _parked(Cause(CauseKind.NOT_OFFERED, resource=resource.title.lower(), name=done))


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
        return Postpone(Step.POST, 0, Cause(CauseKind.SENDING_AGAIN))
    return _parked(Cause(CauseKind.ID_TAKEN))


def _there(delivery: Delivery, record: Payload, resource: Resource, ours: Ours) -> Next:
    """A record of our id is there: ours as it should be, ours but different, or another's."""
    if delivery.call.interaction is Interaction.CREATE:
        return DELIVERED
    if delivery.call.interaction is Interaction.DELETE:
        return Postpone(Step.APPLY, 0, Cause(CauseKind.DELETING_AGAIN))
    if not ours.accepted and not same_record(resource, ours.whole, record):
        return _parked(another(resource, resource.same + resource.not_different))
    if delivery.step is Step.VERIFY and not differs(resource, ours.stated, record):
        return DELIVERED
    return Postpone(Step.PUT, 0, Cause(CauseKind.UPDATING))


def _absent(past: Past) -> Next:
    if past.flips >= MOST_FLIPS:
        return _parked(Cause(CauseKind.APPEARS_AND_VANISHES))
    return Postpone(Step.POST, 0, Cause(CauseKind.MAKING_AGAIN))


def _by_kind(delivery: Delivery, outcome: Outcome, quiet_seconds: float, past: Past) -> Next:
    match outcome.kind:
        case Kind.PERMANENT:
            return _parked(refused(outcome))
        case _ if is_poison(outcome, past.unclear):
            return _parked(
                Cause(CauseKind.NO_CLEAR_ANSWER, number=past.unclear, by=outcome.verdict)
            )
        case Kind.UNKNOWN:
            quiet = max(_quiet(outcome, quiet_seconds), backoff(delivery.attempts))
            wait = max(quiet, outcome.retry_after or 0)
            return Postpone(Step.VERIFY, wait, retry(outcome))
        case _:
            wait = outcome.retry_after or backoff(past.failures + 1)
            return Postpone(delivery.step, wait, retry(outcome), counts=False)


def _quiet(outcome: Outcome, quiet_seconds: float) -> float:
    """A 502 or 504 is no answer either: behind the gateway the request may yet take effect."""
    if outcome.reason is Reason.NO_ANSWER:
        return quiet_seconds
    return min(quiet_seconds, SHORT_QUIET)


def _parked(cause: Cause) -> Settle:
    return Settle(Status.PARKED, cause)


def retry(outcome: Outcome) -> Cause:
    """Why a request is made again."""
    return Cause(CauseKind.RETRY, name=outcome.reason, by=outcome.verdict)


def refused(outcome: Outcome) -> Cause:
    """What a destination refused, in its words."""
    if outcome.verdict is Verdict.BRIDGE:
        return Cause(CauseKind.BRIDGE_FAULT, name=outcome.detail)
    return Cause(
        CauseKind.REFUSED,
        name=outcome.reason,
        code=outcome.code or str(outcome.status or ""),
        said=outcome.detail,
        by=outcome.verdict,
    )


def refused_fields(outcome: Outcome, resource: Resource) -> Cause:
    """The fields that ZautoAI refused: by name where the catalogue has them, for it can say
    anything there, and in its words."""
    errors = outcome.field_errors
    names = [each.field if each.field in resource.fields else OTHER_FIELD for each in errors]
    words = "; ".join(f"{each.field}: {each.message}" for each in errors)
    return Cause(
        CauseKind.REFUSED_FIELDS,
        fields=tuple(dict.fromkeys(names)),
        said=words or outcome.detail,
        by=outcome.verdict,
    )


def after_hospital(delivery: Delivery, outcome: Outcome, failures: int = 0) -> Next:
    """What the hospital's acknowledgment means (design `delivery.md`, "Orders out").

    The same MSH-10 is sent again in every case but a refusal, so a resend does no harm.
    """
    if outcome.kind is Kind.DELIVERED:
        return DELIVERED
    if outcome.kind is Kind.PERMANENT:
        return _parked(refused(outcome))
    counts = outcome.kind is Kind.UNKNOWN
    tries = delivery.attempts + failures + 1
    wait = outcome.retry_after or min(backoff(tries), LONGEST_WAIT_OF_ORDER)
    return Postpone(Step.APPLY, wait, retry(outcome), counts=counts)
