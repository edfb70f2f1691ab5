"""Deliveries: planned, claimed, attempted, postponed, settled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from bridge.causes import Cause
from bridge.delivery import Call, Delivery, Outcome, Request, Step, Target
from bridge.errors import Damaged, DamagedDelivery
from bridge.message import Status, worst
from bridge.store import rows
from bridge.store.records import Ahead, Attempt
from bridge.store.rules import damage, lanes
from bridge.store.rules.asking import Asking, must_change, must_insert
from bridge.store.rules.follow import delivery_row, follow, settle
from bridge.store.rules.recover import recover
from bridge.store.statements import Row


class DeliveryReads(Asking):
    """What can be read of deliveries."""

    def deliveries_of(self, message_id: int) -> Sequence[Delivery]:
        found = self._statements.all("deliveries_of", message_id=message_id)
        return [each for row in found for each in self._shown_delivery(row["id"])]

    def _shown_delivery(self, delivery_id: int) -> list[Delivery]:
        """A delivery for people, however damaged; none where it is gone."""
        try:
            found = self._statements.all("whole_delivery", id=delivery_id)
            return [rows.delivery_or_husk(row) for row in found]
        except Damaged:
            found = self._statements.all("delivery_numbers", id=delivery_id)
            return [rows.unreadable_delivery(row) for row in found]

    def attempts_of(self, delivery_id: int) -> Sequence[Attempt]:
        found = self._statements.each("attempts_of", delivery_id=delivery_id)
        return [rows.attempt(row) for row in found]

    def unsettled(self, resource: str, external_id: str, *, besides: int) -> Status | None:
        record = {"resource": resource, "external_id": external_id}
        found = self._statements.all("unsettled", **record, besides=besides)
        return worst([Status(row["status"]) for row in found]) if found else None

    def pending(self, resource: str, external_id: str) -> Sequence[Delivery]:
        found = self._statements.all("pending", resource=resource, external_id=external_id)
        return [rows.delivery(row, lineage=False) for row in found]

    def ahead(self, resource: str, external_id: str, lane: str, before: int) -> Ahead | None:
        record = {"resource": resource, "external_id": external_id}
        row = self._statements.one("ahead", **record, lane=lane, before=before)
        return None if row is None else Ahead(Status(row["status"]), row["waits_for"])

    def next_due(self, target: Target) -> float | None:
        row = self._statements.one("next_due", target=target)
        return None if row is None else row["ready_at"]

    def waits(self, target: Target, now: float) -> Iterator[Delivery]:
        for waiting in lanes.waits(self._statements, target, now):
            yield from self._sound_delivery(waiting["head"])

    def _sound_delivery(self, delivery_id: int) -> list[Delivery]:
        """A delivery; none where it is damaged, or gone since."""
        try:
            found = self._statements.all("whole_delivery", id=delivery_id)
            return [rows.delivery(row, lineage=False) for row in found]
        except Damaged:
            return []

    def waiting(self, target: Target) -> int:
        kind = f"delivery/{target}"
        row = self._statements.one("count_of", kind=kind, status=Status.WAITING)
        return 0 if row is None else int(row["count"])


class DeliveryChanges(DeliveryReads):
    """What can be changed of deliveries."""

    def add(
        self,
        message_id: int,
        position: int,
        lane: str,
        call: Call,
        at: float,
        step: Step = Step.APPLY,
    ) -> int:
        inserted = self._statements.insert(
            "insert_delivery",
            message_id=message_id,
            position=position,
            lane=lane,
            **rows.delivery_row(call, step, at),
        )
        delivery_id = must_insert(inserted, "a delivery")
        lanes.append(self._statements, call.target, lane, delivery_id, at)
        if step is not Step.APPLY:
            follow(self._statements, message_id, at)
        return delivery_id

    def claim(self, target: Target, now: float, limit: int) -> Sequence[Delivery]:
        return list(self._whole(target, self._leased(target, now, limit), now))

    def _leased(self, target: Target, now: float, limit: int) -> Sequence[Row]:
        """The heads that are ready, leased, but for those whose rows hold bytes that are no
        text, which a person must see."""
        while True:
            try:
                return lanes.lease(self._statements, target, now, limit)
            except Damaged:
                # each of them gives its place to the next of its lane, which may be another one
                if not damage.park_unreadable(self._statements, target, now, limit):
                    raise

    def _whole(self, target: Target, heads: Sequence[Row], now: float) -> Iterator[Delivery]:
        """The heads, but for those that are damaged, which a person must see."""
        for row in heads:
            if lanes.is_of_another(self._statements, row):
                lanes.move_on(self._statements, target, row["headed"], row["id"])
                continue
            try:
                yield self._in_its_lane(row)
            except DamagedDelivery:
                damage.park_head(self._statements, target, row["id"], now)

    def _in_its_lane(self, row: Row) -> Delivery:
        """The head of a lane; raises DamagedDelivery, too, where it says to be of another lane,
        which would never move on."""
        if not row["is_its_head"]:
            raise DamagedDelivery(row["id"])
        return rows.delivery(row, lineage=False)

    def begin(self, delivery: Delivery, request: Request, at: float) -> int:
        begun = self._statements.insert("insert_attempt", **rows.attempt_row(delivery, request, at))
        return must_insert(begun, "an attempt")

    def end(self, attempt_id: int, outcome: Outcome, at: float) -> None:
        how = rows.to_json(outcome)
        ended = self._statements.change("end_attempt", id=attempt_id, at=at, outcome=how)
        must_change(ended, "attempt", attempt_id)

    def settle(
        self,
        delivery_id: int,
        status: Status,
        *,
        at: float,
        cause: Cause | None = None,
        waits_for: str = "",
    ) -> None:
        settle(self._statements, delivery_id, status, at=at, cause=cause, waits_for=waits_for)

    def postpone(
        self,
        delivery_id: int,
        step: Step,
        *,
        due_at: float,
        attempts: int,
        cause: Cause | None = None,
    ) -> None:
        row, why = delivery_row(self._statements, delivery_id), rows.cause_values(cause)
        self._statements.change(
            "postpone_delivery",
            id=delivery_id,
            step=step,
            due_at=due_at,
            attempts=attempts,
            **why,
        )
        lanes.postpone(self._statements, row, step, due_at)
        self._statements.change("say_why_it_waits", id=row["message_id"], **why)

    def block(self, delivery_id: int, key: str) -> None:
        lanes.block(self._statements, delivery_row(self._statements, delivery_id), key)

    def end_waits(
        self, target: Target, now: float, *, resource: str = "", paused_only: bool = False
    ) -> int:
        return lanes.end_waits(self._statements, target, now, resource, paused_only=paused_only)

    def end_waits_of(self, heads: Collection[int], target: Target, now: float) -> int:
        return lanes.end_waits_of(self._statements, target, now, heads)

    def supersede(self, resource: str, external_id: str, *, before: int, at: float) -> int:
        record = {"resource": resource, "external_id": external_id}
        found = self._statements.all("incomplete", **record, before=before)
        for row in found:
            self._statements.change(
                "settle_delivery",
                id=row["id"],
                status=Status.SUPERSEDED,
                at=at,
                **rows.cause_values(None),
                waits_for="",
            )
            follow(self._statements, row["message_id"], at)
        return len(found)

    def recover(self, now: float, quiet_seconds: float) -> int:
        return recover(self._statements, now, quiet_seconds)

    def orders_behind(self, delivery_id: int) -> Sequence[int]:
        row = delivery_row(self._statements, delivery_id)
        return lanes.orders_behind(self._statements, row)
