"""Lanes: queues of deliveries of which one at a time is under way.

A lane's row names its head, the waiting delivery with the smallest id, and says when that one is
ready. What is under way has its lane leased; what waits for another record has it blocked.
"""

from __future__ import annotations

import sqlite3

from bridge.delivery import Kind, Outcome, Reason, Step, Target
from bridge.errors import StoreError
from bridge.store.sqlite import rows
from bridge.store.sqlite.sql import SQL


def enter(
    connection: sqlite3.Connection, target: str, lane: str, delivery_id: int, at: float
) -> None:
    """Let a waiting delivery take its place, by id, in a lane that may not exist yet."""
    place = {"target": target, "lane": lane, "id": delivery_id, "at": at}
    connection.execute(SQL["enter_lane"], place)


def lease(
    connection: sqlite3.Connection, target: Target, now: float, limit: int
) -> list[sqlite3.Row]:
    """Lease the lanes that are ready, longest first; their heads."""
    ready = {"target": target, "now": now, "limit": limit}
    heads = connection.execute(SQL["ready_heads"], ready).fetchall()
    connection.executemany(SQL["lease_lane"], [(row["target"], row["lane"]) for row in heads])
    return heads


def move_on(connection: sqlite3.Connection, target: str, lane: str, delivery_id: int) -> None:
    """Make the next waiting delivery the head, where this one was it."""
    if not connection.execute(SQL["is_head"], (target, lane, delivery_id)).fetchone():
        return
    following = connection.execute(SQL["next_in_lane"], (target, lane)).fetchone()
    if following is None:
        connection.execute(SQL["leave_lane"], (target, lane))
        return
    head = {"head": following["id"], "ready_at": following["due_at"]}
    connection.execute(SQL["move_lane"], {"target": target, "lane": lane, **head})


def postpone(
    connection: sqlite3.Connection, target: str, lane: str, delivery_id: int, due_at: float
) -> None:
    """Give a lane back with its head due later; raises StoreError where it is not the head."""
    place = {"target": target, "lane": lane, "head": delivery_id, "ready_at": due_at}
    _must_be_head(connection.execute(SQL["postpone_lane"], place), delivery_id)


def block(
    connection: sqlite3.Connection, target: str, lane: str, delivery_id: int, key: str
) -> None:
    """Give a lane back that is ready once `key` settles; raises StoreError as `postpone`."""
    place = {"target": target, "lane": lane, "head": delivery_id, "waits_for": key}
    _must_be_head(connection.execute(SQL["block_lane"], place), delivery_id)


def _must_be_head(changed: sqlite3.Cursor, delivery_id: int) -> None:
    if not changed.rowcount:
        raise StoreError(f"Delivery {delivery_id} is not the head of its lane.")


def wake(connection: sqlite3.Connection, key: str) -> None:
    """Make the lanes ready that were blocked on `resource/external id`."""
    heads = connection.execute(SQL["blocked_heads"], (key,)).fetchall()
    if not heads:
        return
    connection.execute(SQL["wake_lanes"], (key,))
    let_go = [{"id": row["head"], "waits_for": ""} for row in heads]
    connection.executemany(SQL["let_delivery_wait_for"], let_go)


def recover(connection: sqlite3.Connection, now: float, quiet_seconds: float) -> int:
    """Give back what was under way when the service died; how many requests were unanswered."""
    leased = connection.execute(SQL["leased_heads"]).fetchall()
    unanswered = sum(_close_attempt(connection, head, now, quiet_seconds) for head in leased)
    connection.execute(SQL["give_back_leases"])
    return unanswered


_DIED = Outcome(
    Kind.UNKNOWN, Reason.NO_ANSWER, detail="The service stopped before the answer came."
)


def _close_attempt(
    connection: sqlite3.Connection, head: sqlite3.Row, now: float, quiet_seconds: float
) -> bool:
    """End the unanswered attempt of a delivery, if any, and plan what finds out its effect.

    An unanswered GET had no effect: its step stands, and is due at once.
    """
    open_attempt = connection.execute(SQL["unanswered"], (head["id"],)).fetchone()
    if open_attempt is None:
        return False
    connection.execute(SQL["end_attempt"], (now, rows.to_json(_DIED), open_attempt["id"]))
    step, due_at = Step.VERIFY, now + quiet_seconds
    if head["target"] == Target.HOSPITAL:
        step, due_at = Step.APPLY, now
    elif rows.request(open_attempt["request"]).method == "GET":
        step, due_at = Step(head["step"]), now
    _retry(connection, head, step, due_at)
    return True


def _retry(connection: sqlite3.Connection, head: sqlite3.Row, step: Step, due_at: float) -> None:
    connection.execute(
        SQL["postpone_delivery"],
        {
            "id": head["id"],
            "step": step,
            "due_at": due_at,
            "attempts": head["attempts"] + 1,
            "reason": _DIED.detail,
        },
    )
    postpone(connection, head["target"], head["lane"], head["id"], due_at)
