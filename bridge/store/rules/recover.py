"""Recover: what was under way when the service died."""

from __future__ import annotations

from bridge.causes import Cause, CauseKind
from bridge.delivery import Kind, Outcome, Reason, Step, Target
from bridge.store import rows
from bridge.store.rules import damage, lanes
from bridge.store.statements import Row, Statements

_DIED = Outcome(
    Kind.UNKNOWN, Reason.NO_ANSWER, detail="The service stopped before the answer came."
)


def recover(statements: Statements, now: float, quiet_seconds: float) -> int:
    """Give back what was under way; how many requests were unanswered.

    What cannot be read is parked, its request unanswered.
    """
    damage.park_unreadable_leased(statements, now)
    unanswered = 0
    for head in statements.all("leased_heads"):
        attempt = statements.one("unanswered", delivery_id=head["id"])
        if attempt is None:
            lanes.postpone(statements, head, Step(head["step"]), head["due_at"])
        else:
            died = rows.to_json(_DIED)
            statements.change("end_attempt", id=attempt["id"], at=now, outcome=died)
            _find_out(statements, head, attempt, now, quiet_seconds)
            unanswered += 1
    return unanswered


def _find_out(
    statements: Statements, head: Row, attempt: Row, now: float, quiet_seconds: float
) -> None:
    """Plan what finds out the effect of a request that was never answered.

    A GET had none, so its step stands; the hospital knows a resent message by its MSH-10. One whose
    stored request is damaged may have been any.
    """
    request = rows.request(attempt)
    step, due_at = Step.VERIFY, now + quiet_seconds
    if head["target"] == Target.HOSPITAL:
        step, due_at = Step.APPLY, now
    elif request is not None and request.method == "GET":
        step, due_at = Step(head["step"]), now
    statements.change(
        "postpone_delivery",
        id=head["id"],
        step=step,
        due_at=due_at,
        attempts=head["attempts"] + 1,
        **rows.cause_values(Cause(CauseKind.RETRY, name=_DIED.reason)),
    )
    lanes.postpone(statements, head, step, due_at)
