"""What can be changed in the store, inside a job of the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from bridge.causes import Cause, CauseKind
from bridge.delivery import Alias, Call, Delivery, Entity, Outcome, Request, Step, Target
from bridge.errors import StoreBusy, StoreError
from bridge.message import Message, Status, worst
from bridge.order import OrderLine
from bridge.remarks import Remark
from bridge.store.acknowledgments import Answering, Owing
from bridge.store.contract import Again, T
from bridge.store.records import Keeping, Kept
from bridge.store.sqlite import lanes, rows
from bridge.store.sqlite.notes import SqliteNotes
from bridge.store.sqlite.sql import rows_of


class SqliteTransaction(SqliteNotes):
    """The contract's `Transaction` on the writer's connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        #: set by the writer before each group: whether new messages may be kept
        self.has_room = True

    def attempt(self, job: Callable[[], T]) -> T:
        self._connection.execute("SAVEPOINT attempt")
        try:
            result = job()
        except Exception:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK TO attempt")
                self._connection.execute("RELEASE attempt")
            raise
        self._connection.execute("RELEASE attempt")
        return result

    def keep(
        self,
        message: Message,
        *,
        status: Status,
        answer_code: str,
        acknowledgment: bytes,
        identity: bytes | None,
        identity_since: float | None = None,
        cause: Cause | None = None,
        owing: Owing | None = None,
    ) -> Kept:
        self._need_room()
        row = rows.message_row(message, status, answer_code, acknowledgment, identity, cause)
        inserted = self._write("insert_message", *row)
        if not inserted.rowcount:
            if first := self._first_copy(identity, identity_since):
                self._write_named("owe_again", id=first.id, at=message.received_at)
                return first
            inserted = self._write("insert_message", *row)
        message_id = int(inserted.lastrowid or 0)
        self._write("insert_body", message_id, rows.checksum(message.body), message.body)
        if owing is not None:
            self._owe(message_id, owing, status, message.received_at)
        return Kept(message_id, acknowledgment, duplicate=False)

    def _owe(self, message_id: int, owing: Owing, status: Status, at: float) -> None:
        waits = status in (Status.WAITING, Status.HELD)
        state = Answering.OWED if waits else Answering.DUE
        self._write("owe", message_id, *owing, state, at)

    def keep_one(self, keeping: Keeping) -> Kept:
        """Keep a message alone."""
        return self.keep(
            keeping.message,
            status=keeping.status,
            answer_code=keeping.answer_code,
            acknowledgment=keeping.acknowledgment,
            identity=keeping.identity,
            cause=keeping.cause,
            owing=keeping.owing,
        )

    def keep_all(self, keepings: Sequence[Keeping]) -> list[Kept]:
        """Keep messages with one statement for all their rows and one for all their bodies.

        Raises StoreError where one of them is a duplicate: then undo it, and keep them singly.
        """
        self._need_room()
        values = [value for each in keepings for value in rows.message_row(*each[:-1])]
        inserted = self._connection.execute(rows_of("insert_message", len(keepings)), values)
        if inserted.rowcount != len(keepings):
            raise StoreError("One of several messages is a duplicate.")
        # There is one writer, so the ids that one statement gives follow each other.
        first = int(inserted.lastrowid or 0) - len(keepings) + 1
        bodies = [
            value
            for message_id, (message, *_) in enumerate(keepings, first)
            for value in (message_id, rows.checksum(message.body), message.body)
        ]
        self._connection.execute(rows_of("insert_body", len(keepings)), bodies)
        for message_id, each in enumerate(keepings, first):
            if each.owing is not None:
                self._owe(message_id, each.owing, each.status, each.message.received_at)
        return [
            Kept(message_id, each.acknowledgment, duplicate=False)
            for message_id, each in enumerate(keepings, first)
        ]

    def _need_room(self) -> None:
        if not self.has_room:
            raise StoreBusy(
                "The disk of the store has less free space than `store.free_bytes`: "
                "nothing more is kept until there is room."
            )

    def _first_copy(self, identity: bytes | None, since: float | None) -> Kept | None:
        """Count a duplicate; a first copy that is damaged, or of a window and parked or older
        than `since`, is forgotten instead."""
        first = self._one("first_copy", identity)
        if first is None:
            return None
        over = since is not None and (
            first["received_at"] < since or first["status"] == Status.PARKED
        )
        if over or rows.is_damaged(first):
            self._write("forget_identity", first["id"])
            return None
        self._write("count_duplicate", first["id"])
        return Kept(first["id"], first["acknowledgment"], duplicate=True)

    def quarantine(self, channel: str, peer: str, reason: str, head: bytes, at: float) -> None:
        self._need_room()
        self._write("insert_quarantined", channel, peer, reason, head, at)

    def mark(
        self,
        message_id: int,
        status: Status,
        *,
        at: float,
        cause: Cause | None = None,
        waits_for: str = "",
        about: Sequence[str] = (),
        remarks: Sequence[Remark] = (),
        mapping: str = "",
        mappings_hash: str = "",
    ) -> None:
        marked = self._write_named(
            "mark_message",
            id=message_id,
            status=status,
            at=at,
            **_named(cause),
            waits_for=waits_for,
            remarks=rows.remarks_json(remarks),
            translated=status is Status.WAITING,
            mapping=mapping,
            mappings_hash=mappings_hash,
        )
        _must_exist(marked, "message", message_id)
        for lane in about:
            self._write("hold_lane", message_id, lane)
        if status is Status.WAITING:
            self._follow(message_id, at)

    def _follow(self, message_id: int, at: float) -> None:
        """Give a message the status of its worst delivery, and that one's cause."""
        found = self._all("verdicts_of", message_id)
        if not found:
            return
        status = worst([Status(row["status"]) for row in found])
        worst_ones = [row for row in found if row["status"] == status]
        # one that waits for its turn has no cause of its own
        first = next((row for row in worst_ones if row["cause"]), worst_ones[0])
        self._write_named(
            "follow_deliveries",
            id=message_id,
            status=status,
            at=at,
            cause=first["cause"],
            details=first["details"],
            waits_for=first["waits_for"],
        )

    def add(
        self,
        message_id: int,
        position: int,
        lane: str,
        call: Call,
        at: float,
        step: Step = Step.APPLY,
    ) -> int:
        added = self._write(
            "insert_delivery",
            *(message_id, position, call.target, lane, call.resource, call.external_id),
            *(step, at, at, rows.call_json(call), rows.lineage_json(call)),
        )
        delivery_id = int(added.lastrowid or 0)
        lanes.enter(self._connection, call.target, lane, delivery_id, at)
        if step is not Step.APPLY:
            self._follow(message_id, at)
        return delivery_id

    def claim(self, target: Target, now: float, limit: int) -> Sequence[Delivery]:
        heads = lanes.lease(self._connection, target, now, limit)
        return [rows.delivery(row, lineage=False) for row in heads]

    def begin(self, delivery: Delivery, request: Request, at: float) -> int:
        begun = self._write("insert_attempt", delivery.id, rows.to_json(request), at)
        return int(begun.lastrowid or 0)

    def end(self, attempt_id: int, outcome: Outcome, at: float) -> None:
        ended = self._write("end_attempt", at, rows.to_json(outcome), attempt_id)
        _must_exist(ended, "attempt", attempt_id)

    def settle(
        self,
        delivery_id: int,
        status: Status,
        *,
        at: float,
        cause: Cause | None = None,
        waits_for: str = "",
    ) -> None:
        row = self._delivery(delivery_id)
        self._write_named(
            "settle_delivery",
            id=delivery_id,
            status=status,
            at=at,
            **_named(cause),
            waits_for=waits_for,
        )
        lanes.move_on(self._connection, row["target"], row["lane"], delivery_id)
        lanes.wake(self._connection, f"{row['resource']}/{row['external_id']}")
        self._follow(row["message_id"], at)

    def _delivery(self, delivery_id: int) -> sqlite3.Row:
        row = self._one("delivery", delivery_id)
        if row is None:
            raise StoreError(f"There is no delivery {delivery_id} in the store.")
        return row

    def postpone(
        self,
        delivery_id: int,
        step: Step,
        *,
        due_at: float,
        attempts: int,
        cause: Cause | None = None,
    ) -> None:
        row = self._delivery(delivery_id)
        self._write_named(
            "postpone_delivery",
            id=delivery_id,
            step=step,
            due_at=due_at,
            attempts=attempts,
            **_named(cause),
        )
        lanes.postpone(self._connection, row, step, due_at)
        self._write("say_why_it_waits", *rows.cause_row(cause), row["message_id"])

    def block(self, delivery_id: int, key: str) -> None:
        lanes.block(self._connection, self._delivery(delivery_id), key)

    def end_waits(
        self, target: Target, now: float, *, resource: str = "", paused_only: bool = False
    ) -> int:
        return lanes.end_waits(self._connection, target, now, resource, paused_only)

    def supersede(self, resource: str, external_id: str, *, before: int, at: float) -> int:
        found = self._all("incomplete", resource, external_id, before)
        for row in found:
            self._write_named(
                "settle_delivery",
                id=row["id"],
                status=Status.SUPERSEDED,
                at=at,
                **_named(None),
                waits_for="",
            )
            self._follow(row["message_id"], at)
        return len(found)

    def release(self, key: str, at: float) -> int:
        messages = self._write_named("release_messages", key=key, at=at).rowcount
        found = self._all("held_deliveries", key)
        for row in found:
            self._write_named("release_delivery", id=row["id"], at=at)
            lanes.enter(self._connection, row["target"], row["lane"], row["id"], at)
            self._follow(row["message_id"], at)
        return messages + len(found)

    def park_long_held(self, since: float, hours: str, at: float, limit: int) -> int:
        kind = CauseKind.DID_NOT_COME
        parked = self._write_named(
            "park_long_held_messages",
            since=since,
            cause=str(kind),
            hours=hours,
            at=at,
            limit=limit,
        ).rowcount
        found = self._all("long_held_deliveries", since, limit)
        for row in found:
            self.settle(
                row["id"],
                Status.PARKED,
                at=at,
                cause=Cause(kind, key=row["waits_for"], name=hours),
                waits_for=row["waits_for"],
            )
        return parked + len(found)

    def look_again(self, resource: str, external_id: str, message_id: int, due_at: float) -> None:
        self._write("look_again", resource, external_id, message_id, due_at)

    def take_again(self, now: float, latest: float, limit: int) -> Sequence[Again]:
        found = [Again(*row) for row in self._all("due_again", now, latest, limit)]
        for again in found:
            self._write("not_again", again.resource, again.external_id)
        return found

    def recover(self, now: float, quiet_seconds: float) -> int:
        return lanes.recover(self._connection, now, quiet_seconds)

    def put_entity(self, entity: Entity) -> None:
        self._write_named("put_entity", **rows.entity_row(entity))

    def put_alias(self, alias: Alias) -> None:
        self._write_named("put_alias", **rows.alias_row(alias))

    def orders_behind(self, delivery_id: int) -> Sequence[int]:
        return lanes.orders_behind(self._connection, self._delivery(delivery_id))

    def add_order_line(self, line: OrderLine, message_id: int) -> None:
        self._write_named("add_order_line", **rows.order_line_row(line), message_id=message_id)

    def redirect(self, before: str, after: str) -> None:
        self._write_named("redirect", before=before, after=after)

    def put_link(self, reference: str, resource: str, external_id: str) -> None:
        self._write("put_link", reference, resource, external_id)

    def number(self, sequence: str, key: str, first: int) -> int:
        if taken := self._one("number", sequence, key):
            return int(taken["value"])
        last = self._one("last_number", sequence)
        value = first if last is None else max(first, last["value"] + 1)
        self._write("take_number", sequence, key, value)
        return value

    def change_acknowledgment(
        self,
        message_id: int,
        state: Answering,
        *,
        at: float,
        code: str | None = None,
        body: bytes | None = None,
        cause: Cause | None = None,
    ) -> None:
        changed = self._write_named(
            "change_acknowledgment",
            id=message_id,
            state=state,
            at=at,
            code=code,
            body=body,
            **_named(cause),
        )
        _must_exist(changed, "application acknowledgment of message", message_id)

    def abandon_acknowledgments(self, since: float, cause: Cause, at: float) -> int:
        return self._write_named(
            "abandon_acknowledgments", since=since, **_named(cause), at=at
        ).rowcount


def _named(cause: Cause | None) -> dict[str, str]:
    """The parameters `cause` and `details` of a statement."""
    kind, details = rows.cause_row(cause)
    return {"cause": kind, "details": details}


def _must_exist(changed: sqlite3.Cursor, what: str, number: int) -> None:
    if not changed.rowcount:
        raise StoreError(f"There is no {what} {number} in the store.")
