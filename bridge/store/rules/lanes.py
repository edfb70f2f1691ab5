"""Lanes: queues of deliveries of which one at a time is under way.

A lane's row names its head, the waiting delivery with the smallest sequence, and says when that one
is ready; without a head it only remembers the last sequence. What is under way has its lane
leased; what waits for another record has it blocked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bridge.delivery import Reason, Step, Target
from bridge.errors import StoreError
from bridge.message import Status
from bridge.store import rows
from bridge.store.rules.asking import must_take
from bridge.store.statements import Row, Statements

#: seconds for which nothing is postponed: twice the longest wait a far end may ask for
_NEVER_LATER = 7200.0


def append(statements: Statements, target: str, lane: str, delivery_id: int, at: float) -> None:
    """Let a new delivery take its place, which is behind all that ever was in its lane."""
    taken = statements.change("append_to_lane", target=target, lane=lane, id=delivery_id, at=at)
    must_take(taken, "a place in a lane")


def enter(statements: Statements, target: str, lane: str, delivery_id: int, at: float) -> None:
    """Let a delivery that waits again take its old place, as the head where it is the first."""
    statements.change("enter_lane", target=target, lane=lane, id=delivery_id, at=at)


def lease(statements: Statements, target: Target, now: float, limit: int) -> Sequence[Row]:
    """Lease the lanes that are ready, longest first; their heads.

    A lane due later than anything is postponed was given its time before the clock was set back.
    """
    statements.change("pull_lanes", target=target, now=now, latest=now + _NEVER_LATER)
    heads = statements.all("ready_heads", target=target, now=now, limit=limit)
    for row in heads:
        statements.change("lease_lane", target=target, lane=row["headed"])
    return heads


def is_of_another(statements: Statements, head: Row) -> bool:
    """Whether a lane's row names a delivery as its head that is done with, or another lane's."""
    if head["is_its_head"] or head["status"] not in list(Status):
        return False
    if head["status"] != Status.WAITING:
        return True
    own = statements.one("lane", target=head["target"], lane=head["lane"])
    return own is not None and head["lane"] != head["headed"]


def move_on(statements: Statements, target: str, lane: str, delivery_id: int) -> None:
    """Give a lane back to its next waiting delivery, where this one was the head."""
    if statements.one("is_head", target=target, lane=lane, id=delivery_id) is None:
        return
    following = statements.one("next_in_lane", target=target, lane=lane)
    if following is None:
        statements.change("empty_lane", target=target, lane=lane)
    else:
        _set_head(statements, target, lane, following["id"], following["due_at"])


def _set_head(
    statements: Statements, target: str, lane: str, delivery_id: int, ready_at: float
) -> None:
    statements.change("move_lane", target=target, lane=lane, head=delivery_id, ready_at=ready_at)


def postpone(statements: Statements, delivery: Row, step: Step, due_at: float) -> None:
    """Give a lane back whose head, already written down with this step, is due later.

    What was released meanwhile goes first, unless the head may still take effect. Raises
    StoreError where the delivery is not the head.
    """
    target, lane = delivery["target"], delivery["lane"]
    _must_be_head(statements, delivery)
    if step is Step.VERIFY:
        _set_head(statements, target, lane, delivery["id"], due_at)
    else:
        move_on(statements, target, lane, delivery["id"])


def block(statements: Statements, delivery: Row, key: str) -> None:
    """Give a lane back that is ready once `key` settles, or now if a released one goes first.

    Raises StoreError where the delivery is not the head.
    """
    postpone(statements, delivery, Step(delivery["step"]), delivery["due_at"])
    place = {"target": delivery["target"], "lane": delivery["lane"], "id": delivery["id"]}
    if statements.change("block_lane", **place, key=key):
        statements.change("let_delivery_wait_for", id=delivery["id"], waits_for=key)


def wake(statements: Statements, key: str) -> None:
    """Make the lanes ready that were blocked on `resource/external id`."""
    heads = statements.all("blocked_heads", key=key)
    if not heads:
        return
    statements.change("wake_lanes", key=key)
    for row in heads:
        statements.change("let_delivery_wait_for", id=row["head"], waits_for="")


#: how requests end of which nothing was sent, or that only another may make
_NOTHING_SENT = [
    *(Reason.UNREACHABLE, Reason.CERTIFICATE, Reason.UNAUTHORIZED, Reason.BAD_CREDENTIALS),
    *(Reason.FORBIDDEN, Reason.LIMITED),
]


def waits(
    statements: Statements,
    target: Target,
    now: float,
    resource: str = "",
    *,
    paused_only: bool = False,
) -> Sequence[Row]:
    """The lanes whose heads wait for their next attempt and need not, with these heads."""
    return statements.all(
        "waits",
        target=target,
        now=now,
        resource=resource,
        paused_only=int(paused_only),
        nothing_sent=rows.to_json(_NOTHING_SENT).decode(),
    )


def end_waits(
    statements: Statements, target: Target, now: float, resource: str, *, paused_only: bool
) -> int:
    """Make lanes ready whose heads wait; how many."""
    waiting = waits(statements, target, now, resource, paused_only=paused_only)
    return _make_ready(statements, target, now, waiting)


def end_waits_of(statements: Statements, target: Target, now: float, heads: Collection[int]) -> int:
    """Make lanes ready that wait with one of these heads; how many."""
    waiting = [row for row in waits(statements, target, now) if row["head"] in heads]
    return _make_ready(statements, target, now, waiting)


def _make_ready(statements: Statements, target: Target, now: float, waiting: Sequence[Row]) -> int:
    for row in waiting:
        statements.change("end_wait", target=target, lane=row["lane"], now=now)
    return len(waiting)


def orders_behind(statements: Statements, delivery: Row) -> list[int]:
    """Those that wait behind an order and name one of its services, or one of each other's."""

    def services(message_id: int) -> set[tuple[str, str]]:
        found = statements.all("services_of", message_id=message_id)
        return {(row["visit_id"], row["service"]) for row in found}

    place = {key: delivery[key] for key in ("target", "lane", "sequence")}
    named, behind = services(delivery["message_id"]), []
    for later in statements.all("orders_behind", **place):
        own = services(later["message_id"])
        if named & own:
            named |= own
            behind.append(later["id"])
    return behind


def _must_be_head(statements: Statements, delivery: Row) -> None:
    place = {"target": delivery["target"], "lane": delivery["lane"], "id": delivery["id"]}
    if statements.one("is_head", **place) is None:
        raise StoreError(f"Delivery {delivery['id']} is not the head of its lane.")
