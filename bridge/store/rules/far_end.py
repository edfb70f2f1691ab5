"""What the store keeps of destinations over a restart: breakers, trouble, counts of calls, time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

from bridge.delivery import NetworkFault, Reason, Target
from bridge.errors import StoreError
from bridge.store.far_end import Breaker, CallCounts, MissingEndpoint, Remaining, Trouble
from bridge.store.rules.asking import Asking, must_take
from bridge.store.statements import Row, Statements


class FarEndReads(Asking):
    """What can be read of it."""

    def breakers(self, target: Target) -> Sequence[Breaker]:
        return [_breaker(row) for row in self._statements.all("breakers", target=target)]

    def trouble(self, target: Target) -> Trouble | None:
        row = self._statements.one("trouble", target=target)
        if row is None:
            return None
        fault = NetworkFault(row["fault"]) if row["fault"] else None
        return Trouble(row["since"], Reason(row["reason"]), fault, row["failures"])

    def missing_endpoints(self, target: Target) -> Sequence[MissingEndpoint]:
        found = self._statements.all("missing_endpoints", target=target)
        return [MissingEndpoint(row["operation"], row["resource"], row["until"]) for row in found]

    def failures(self, delivery_id: int) -> int:
        row = self._statements.one("failures", delivery_id=delivery_id)
        return 0 if row is None else int(row["failures"])

    def call_counts(self, target: Target) -> CallCounts:
        row = self._statements.one("call_budget", target=target)
        if row is None:
            raise StoreError(f"The store counts no calls of {target}.")
        stated = row["hour_limit"], row["remaining"], row["remaining_until"]
        found = self._statements.all("call_steps", target=target)
        steps = [(each["step"], each["calls"]) for each in found]
        return CallCounts(row["revision"], steps, None if None in stated else Remaining(*stated))

    def seen_at(self) -> float:
        row = self._statements.one("seen_at")
        return 0.0 if row is None else float(row["seen_at"])


class FarEndChanges(FarEndReads):
    """What can be changed of it."""

    def put_breaker(self, target: Target, breaker: Breaker) -> None:
        put = self._statements.change("put_breaker", target=target, **asdict(breaker))
        must_take(put, "what is closed")

    def end_breaker(self, target: Target, resource: str) -> None:
        self._statements.change("end_breaker", target=target, resource=resource)

    def put_trouble(self, target: Target, trouble: Trouble | None) -> None:
        if trouble is None:
            self._statements.change("end_trouble", target=target)
            return
        put = self._statements.change(
            "put_trouble",
            target=target,
            since=trouble.since,
            reason=trouble.reason,
            fault=trouble.fault or "",
            failures=trouble.failures,
        )
        must_take(put, "the trouble of a destination")

    def put_missing_endpoint(self, target: Target, missing: MissingEndpoint) -> None:
        put = self._statements.change("put_missing_endpoint", target=target, **missing._asdict())
        must_take(put, "a missing endpoint")

    def end_missing_endpoint(self, target: Target, operation: str, resource: str) -> None:
        of = {"operation": operation, "resource": resource}
        self._statements.change("end_missing_endpoint", target=target, **of)

    def count_failure(self, delivery_id: int) -> None:
        counted = self._statements.change("count_failure", delivery_id=delivery_id)
        must_take(counted, "the count of a delivery's failures")

    def end_failures(self, delivery_id: int) -> None:
        self._statements.change("end_failures", delivery_id=delivery_id)

    def forget_failures(self) -> None:
        self._statements.change("forget_failures")
        self._statements.change("forget_unclear")

    def count_unclear(self, delivery_id: int) -> int:
        self._statements.change("count_unclear", delivery_id=delivery_id)
        row = self._statements.one("unclear", delivery_id=delivery_id)
        if row is None:
            raise StoreError("The store did not take the count of unclear answers.")
        return int(row["times"])

    def end_unclear(self, delivery_id: int) -> None:
        self._statements.change("end_unclear", delivery_id=delivery_id)

    def record_written(self) -> None:
        self._statements.change("record_written")

    def count_calls(self, target: Target, step: int, *, revision: int | None = None) -> int | None:
        known = -1 if revision is None else revision
        if not self._statements.change("next_revision", target=target, revision=known):
            return None
        counted = self._statements.change("count_call", target=target, step=step)
        must_take(counted, "the count of a call")
        if revision is not None:
            return revision + 1
        row = self._statements.one("call_budget", target=target)
        return None if row is None else int(row["revision"])

    def uncount_call(self, target: Target, step: int) -> None:
        self._statements.change("uncount_call", target=target, step=step)

    def forget_calls(self, target: Target, before: int) -> None:
        self._statements.change("forget_calls", target=target, before=before)

    def put_remaining(self, target: Target, remaining: Remaining | None) -> None:
        limit, left, until = remaining or (None, None, None)
        put = self._statements.change(
            "put_remaining",
            target=target,
            hour_limit=limit,
            remaining=left,
            remaining_until=until,
        )
        must_take(put, "what is left of a limit")

    def note_time(self, now: float) -> None:
        must_take(self._statements.change("note_time", now=now), "the time")

    def redate(
        self, now: float, *, shift: float, step_seconds: int, quiet: float, again: float
    ) -> None:
        if shift:
            _shift_waits(self._statements, now, shift)
            _shift_calls(self._statements, math.ceil(shift / step_seconds))
        self._statements.change("lanes_quiet_again", until=now + quiet)
        self._statements.change("deliveries_quiet_again", until=now + quiet)
        self._statements.change("read_again_later", due_at=now + again)
        self.note_time(now)


def _shift_waits(statements: Statements, now: float, shift: float) -> None:
    """Move all times that were ahead by the former clock, or are by the present one, and those
    since which something is held or due."""
    after = min(now, now - shift)
    statements.change("shift_lanes", shift=shift, after=after)
    statements.change("shift_deliveries", shift=shift, after=after)
    statements.change("shift_held_messages", shift=shift, now=now)
    statements.change("shift_held_deliveries", shift=shift, now=now)
    statements.change("shift_due_acknowledgments", shift=shift, now=now)
    statements.change("shift_breakers", shift=shift)
    statements.change("shift_trouble", shift=shift)
    statements.change("shift_missing_endpoints", shift=shift)
    statements.change("shift_remaining", shift=shift)


def _shift_calls(statements: Statements, steps: int) -> None:
    """Move the steps in which calls are counted; one statement would meet its own rows."""
    counted = statements.all("all_calls")
    statements.change("forget_all_calls")
    for row in counted:
        step = row["step"] + steps
        statements.change("put_calls", target=row["target"], step=step, calls=row["calls"])


def _breaker(row: Row) -> Breaker:
    return Breaker(
        resource=row["resource"],
        since=row["since"],
        until=row["until"],
        seconds=row["seconds"],
        reason=Reason(row["reason"]),
        times=row["times"],
        client=row["client"],
    )
