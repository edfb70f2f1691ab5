"""Follow: a delivery is settled, and its message has the status of its worst delivery."""

from __future__ import annotations

from bridge.causes import Cause, CauseKind
from bridge.errors import Damaged, DamagedDelivery, StoreError
from bridge.message import Status, worst
from bridge.store import rows
from bridge.store.rules import lanes
from bridge.store.statements import Row, Statements, Values

#: why a delivery is parked that cannot be read, and its message with it
DAMAGED = Cause(CauseKind.BRIDGE_FAULT, name=DamagedDelivery.__name__)


def settle(
    statements: Statements,
    delivery_id: int,
    status: Status,
    *,
    at: float,
    cause: Cause | None = None,
    waits_for: str = "",
) -> None:
    """End a delivery; its lane moves on, what was blocked on its record wakes."""
    row = delivery_row(statements, delivery_id)
    statements.change(
        "settle_delivery",
        id=delivery_id,
        status=status,
        at=at,
        **rows.cause_values(cause),
        waits_for=waits_for,
    )
    lanes.move_on(statements, row["target"], row["lane"], delivery_id)
    lanes.wake(statements, f"{row['resource']}/{row['external_id']}")
    follow(statements, row["message_id"], at)


def follow(statements: Statements, message_id: int, at: float) -> None:
    """Give a message the status of its worst delivery, and that one's cause."""
    try:
        values = _of_worst(statements, message_id)
    except (Damaged, ValueError):
        values = {"status": Status.PARKED, **rows.cause_values(DAMAGED), "waits_for": ""}
    if values is not None:
        statements.change("follow_deliveries", id=message_id, at=at, **values)


def _of_worst(statements: Statements, message_id: int) -> Values | None:
    """What a message has of its deliveries; None where there are none.

    Raises Damaged or ValueError where one of them cannot be read.
    """
    found = statements.all("verdicts_of", message_id=message_id)
    if not found:
        return None
    status = worst([Status(row["status"]) for row in found])
    worst_ones = [row for row in found if row["status"] == status]
    # one that waits for its turn has no cause of its own
    first = next((row for row in worst_ones if row["cause"]), worst_ones[0])
    values: Values = {key: first[key] for key in ("cause", "details", "waits_for")}
    return {"status": status, **values}


def delivery_row(statements: Statements, delivery_id: int) -> Row:
    """A delivery without its call; raises StoreError where there is none."""
    row = statements.one("delivery", id=delivery_id)
    if row is None:
        raise StoreError(f"There is no delivery {delivery_id} in the store.")
    return row
