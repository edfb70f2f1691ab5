"""Damage: a delivery that cannot be read is parked, and stands in the way of no other.

Its texts may be bytes that are no text, or lead to another lane: what parks it reads none of them.
"""

from __future__ import annotations

from bridge.delivery import Step, Target
from bridge.errors import Damaged
from bridge.message import Status
from bridge.store import rows
from bridge.store.rules.follow import DAMAGED, follow
from bridge.store.statements import Row, Statements


def park_head(statements: Statements, target: str, delivery_id: int, at: float) -> None:
    """Park the head of a lane by its id; the lane moves on, what was blocked on its record
    wakes."""
    statements.change(
        "settle_delivery",
        id=delivery_id,
        status=Status.PARKED,
        at=at,
        **rows.cause_values(DAMAGED),
        waits_for="",
    )
    statements.change("pass_head", target=target, id=delivery_id)
    statements.change("wake_heads_behind", id=delivery_id)
    statements.change("wake_lanes_behind", id=delivery_id)
    for row in statements.all("message_of", id=delivery_id):
        follow(statements, row["message_id"], at)


def park_unreadable(statements: Statements, target: Target, now: float, limit: int) -> int:
    """Park those of the heads that are ready whose rows hold bytes that are no text; how many."""
    found = statements.all("ready_head_ids", target=target, now=now, limit=limit)
    unreadable = [row["head"] for row in found if not _is_text(statements, row["head"])]
    for delivery_id in unreadable:
        park_head(statements, target, delivery_id, now)
    return len(unreadable)


def park_unreadable_leased(statements: Statements, now: float) -> None:
    """Park the heads under way of which nobody can tell what they were doing, or where."""
    for head in statements.all("leased_head_ids"):
        if not _can_go_on(statements, head):
            park_head(statements, head["target"], head["head"], now)


def _is_text(statements: Statements, delivery_id: int) -> bool:
    try:
        statements.one("whole_delivery", id=delivery_id)
    except Damaged:
        return False
    return True


def _can_go_on(statements: Statements, head: Row) -> bool:
    try:
        row = statements.one("whole_delivery", id=head["head"])
    except Damaged:
        return False
    if row is None:
        return True
    same = (row["target"], row["lane"]) == (head["target"], head["lane"])
    return same and row["step"] in list(Step)
