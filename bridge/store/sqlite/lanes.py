"""Lanes: queues of deliveries of which one at a time is under way.

A lane's row names its head, the waiting delivery with the smallest id, and says when that one is
ready. What is under way has its lane leased; what waits for another record has it blocked.
"""

from __future__ import annotations

import sqlite3

from bridge.causes import Cause, CauseKind
from bridge.delivery import Kind, Outcome, Reason, Step, Target
from bridge.errors import StoreError
from bridge.store.sqlite import rows
from bridge.store.sqlite.sql import SQL

#: seconds for which nothing is postponed: twice the longest wait a far end may ask for
_NEVER_LATER = 7200.0


def enter(
    connection: sqlite3.Connection, target: str, lane: str, delivery_id: int, at: float
) -> None:
    """Let a waiting delivery take its place, by id, in a lane that may not exist yet."""
    place = {"target": target, "lane": lane, "id": delivery_id, "at": at}
    connection.execute(SQL["enter_lane"], place)


def lease(
    connection: sqlite3.Connection, target: Target, now: float, limit: int
) -> list[sqlite3.Row]:
    """Lease the lanes that are ready, longest first; their heads.

    A lane due later than anything is postponed was given its time before the clock was set back.
    """
    latest = {"target": target, "now": now, "latest": now + _NEVER_LATER}
    connection.execute(SQL["pull_lanes"], latest)
    ready = {"target": target, "now": now, "limit": limit}
    heads = connection.execute(SQL["ready_heads"], ready).fetchall()
    connection.executemany(SQL["lease_lane"], [(row["target"], row["lane"]) for row in heads])
    return heads


def move_on(connection: sqlite3.Connection, target: str, lane: str, delivery_id: int) -> None:
    """Give a lane back to its next waiting delivery, where this one was the head."""
    if not connection.execute(SQL["is_head"], (target, lane, delivery_id)).fetchone():
        return
    following = connection.execute(SQL["next_in_lane"], (target, lane)).fetchone()
    if following is None:
        connection.execute(SQL["leave_lane"], (target, lane))
    else:
        _set_head(connection, target, lane, following["id"], following["due_at"])


def _set_head(
    connection: sqlite3.Connection, target: str, lane: str, delivery_id: int, ready_at: float
) -> None:
    place = {"target": target, "lane": lane, "head": delivery_id, "ready_at": ready_at}
    connection.execute(SQL["move_lane"], place)


def postpone(
    connection: sqlite3.Connection, delivery: sqlite3.Row, step: Step, due_at: float
) -> None:
    """Give a lane back whose head, already written down with this step, is due later.

    What was released meanwhile goes first, unless the head may still take effect. Raises
    StoreError where the delivery is not the head.
    """
    target, lane = delivery["target"], delivery["lane"]
    _must_be_head(connection, delivery)
    if step is Step.VERIFY:
        _set_head(connection, target, lane, delivery["id"], due_at)
    else:
        move_on(connection, target, lane, delivery["id"])


def block(connection: sqlite3.Connection, delivery: sqlite3.Row, key: str) -> None:
    """Give a lane back that is ready once `key` settles, or now if a released one goes first.

    Raises StoreError where the delivery is not the head.
    """
    target, lane = delivery["target"], delivery["lane"]
    _must_be_head(connection, delivery)
    postpone(connection, delivery, Step(delivery["step"]), delivery["due_at"])
    if connection.execute(SQL["block_lane"], (key, target, lane, delivery["id"])).rowcount:
        connection.execute(SQL["let_delivery_wait_for"], {"id": delivery["id"], "waits_for": key})


def orders_behind(connection: sqlite3.Connection, delivery: sqlite3.Row) -> list[int]:
    """Those that wait behind an order and name one of its services, or one of each other's."""

    def services(message_id: int) -> set[tuple[str, str]]:
        return {tuple(row) for row in connection.execute(SQL["services_of"], (message_id,))}

    place = {"target": delivery["target"], "lane": delivery["lane"], "id": delivery["id"]}
    named, found = services(delivery["message_id"]), []
    for later in connection.execute(SQL["orders_behind"], place).fetchall():
        own = services(later["message_id"])
        if named & own:
            named |= own
            found.append(later["id"])
    return found


#: how requests end of which nothing was sent, or that only another may make
_NOTHING_SENT = [
    *(Reason.UNREACHABLE, Reason.CERTIFICATE, Reason.UNAUTHORIZED, Reason.BAD_CREDENTIALS),
    *(Reason.FORBIDDEN, Reason.LIMITED),
]


def end_waits(
    connection: sqlite3.Connection, target: Target, now: float, resource: str, paused_only: bool
) -> int:
    """Make lanes ready whose heads wait; how many."""
    which = {"target": target, "now": now, "resource": resource, "paused_only": paused_only}
    nothing_sent = rows.to_json(_NOTHING_SENT).decode()
    return connection.execute(SQL["end_waits"], which | {"nothing_sent": nothing_sent}).rowcount


def _must_be_head(connection: sqlite3.Connection, delivery: sqlite3.Row) -> None:
    place = (delivery["target"], delivery["lane"], delivery["id"])
    if not connection.execute(SQL["is_head"], place).fetchone():
        raise StoreError(f"Delivery {delivery['id']} is not the head of its lane.")


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
    unanswered = 0
    for head in connection.execute(SQL["leased_heads"]).fetchall():
        attempt = connection.execute(SQL["unanswered"], (head["id"],)).fetchone()
        if attempt is None:
            postpone(connection, head, Step(head["step"]), head["due_at"])
        else:
            connection.execute(SQL["end_attempt"], (now, rows.to_json(_DIED), attempt["id"]))
            method = rows.request(attempt["request"]).method
            _find_out(connection, head, method, now, quiet_seconds)
            unanswered += 1
    return unanswered


_DIED = Outcome(
    Kind.UNKNOWN, Reason.NO_ANSWER, detail="The service stopped before the answer came."
)


def _find_out(
    connection: sqlite3.Connection, head: sqlite3.Row, method: str, now: float, quiet_seconds: float
) -> None:
    """Plan what finds out the effect of a request that was never answered.

    A GET had none, so its step stands; the hospital knows a resent message by its MSH-10.
    """
    step, due_at = Step.VERIFY, now + quiet_seconds
    if head["target"] == Target.HOSPITAL:
        step, due_at = Step.APPLY, now
    elif method == "GET":
        step, due_at = Step(head["step"]), now
    kind, details = rows.cause_row(Cause(CauseKind.RETRY, name=_DIED.reason))
    retry = {"step": step, "due_at": due_at, "attempts": head["attempts"] + 1}
    connection.execute(
        SQL["postpone_delivery"], {"id": head["id"], "cause": kind, "details": details, **retry}
    )
    postpone(connection, head, step, due_at)
