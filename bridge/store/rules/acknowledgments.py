"""Application acknowledgments: owed, due, written, sent."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.causes import Cause
from bridge.store import rows
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment
from bridge.store.rules.asking import Asking, must_change


class AcknowledgmentReads(Asking):
    """What can be read of application acknowledgments."""

    def acknowledgment(self, message_id: int) -> ApplicationAcknowledgment | None:
        row = self._statements.one("acknowledgment", message_id=message_id)
        return None if row is None else rows.acknowledgment(row)

    def due_routes(self) -> Sequence[str]:
        return [row["route"] for row in self._statements.each("due_routes")]

    def due_acknowledgments(self, route: str, limit: int) -> Sequence[ApplicationAcknowledgment]:
        found = self._statements.each("due_acknowledgments", route=route, limit=limit)
        return [rows.acknowledgment(row) for row in found]


class AcknowledgmentChanges(AcknowledgmentReads):
    """What can be changed of application acknowledgments."""

    def change_acknowledgment(
        self, message_id: int, state: Answering, *, at: float, cause: Cause | None = None
    ) -> None:
        why = rows.cause_values(cause)
        changed = self._statements.change(
            "change_acknowledgment", id=message_id, state=state, at=at, **why
        )
        must_change(changed, "application acknowledgment of message", message_id)

    def write_acknowledgment(self, message_id: int, code: str, body: bytes) -> None:
        checksum = rows.checksum(code, body)
        changed = self._statements.change(
            "write_acknowledgment", id=message_id, code=code, body=body, checksum=checksum
        )
        must_change(changed, "application acknowledgment of message", message_id)

    def abandon_acknowledgments(self, since: float, cause: Cause, at: float) -> int:
        why = rows.cause_values(cause)
        return self._statements.change("abandon_acknowledgments", since=since, at=at, **why)
