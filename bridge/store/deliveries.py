"""Deliveries in the store, and their lanes: their part of its contract.

A lane is a queue of deliveries of which one at a time is under way. `claim` leases the lanes
that are ready and returns their heads; `settle`, `postpone` or `block` gives a lane back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from bridge.causes import Cause
from bridge.delivery import Call, Delivery, Outcome, Request, Step, Target
from bridge.message import Status
from bridge.store.records import Ahead, Attempt


class DeliveryView(Protocol):
    """What can be read of deliveries."""

    def deliveries_of(self, message_id: int) -> Sequence[Delivery]: ...

    def attempts_of(self, delivery_id: int) -> Sequence[Attempt]: ...

    def unsettled(self, resource: str, external_id: str, *, besides: int) -> Status | None:
        """Worst status among WAITING, HELD and PARKED of the record's other deliveries."""
        ...

    def pending(self, resource: str, external_id: str) -> Sequence[Delivery]:
        """The record's deliveries that are WAITING, HELD or PARKED, in the order they came."""
        ...

    def ahead(self, resource: str, external_id: str, lane: str, before: int) -> Ahead | None:
        """The last earlier delivery (smaller id) of the same record that is held, or waits in
        another lane than this."""
        ...

    def next_due(self, target: Target) -> float | None:
        """When the next unleased lane of the target is ready, or None when none waits."""
        ...

    def waits(self, target: Target, now: float) -> Iterator[Delivery]:
        """The heads whose waits `end_waits` would end."""
        ...

    def waiting(self, target: Target) -> int:
        """How many deliveries to a far end wait."""
        ...


class DeliveryTransaction(DeliveryView, Protocol):
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
        """Append a delivery to a lane, due at once; returns its id. With another step than APPLY
        the message, which was done with, waits again."""
        ...

    def claim(self, target: Target, now: float, limit: int) -> Sequence[Delivery]:
        """Lease up to `limit` ready lanes of a target, longest ready first; their heads,
        without the lineage of their calls (`deliveries_of` has it)."""
        ...

    def begin(self, delivery: Delivery, request: Request, at: float) -> int:
        """Write down an attempt before its first byte leaves; returns its id."""
        ...

    def end(self, attempt_id: int, outcome: Outcome, at: float) -> None:
        """Write down how an attempt went."""
        ...

    def settle(
        self,
        delivery_id: int,
        status: Status,
        *,
        at: float,
        cause: Cause | None = None,
        waits_for: str = "",
    ) -> None:
        """End a delivery (HELD included); where it is the head, its lane goes to the next one.

        The message's status follows, and lanes blocked on the record of this delivery wake.
        """
        ...

    def postpone(
        self,
        delivery_id: int,
        step: Step,
        *,
        due_at: float,
        attempts: int,
        cause: Cause | None = None,
    ) -> None:
        """Give a delivery's lane back with this step, due later. It stays the head, but for
        earlier ones released meanwhile, which go first unless it may still take effect (VERIFY).
        """
        ...

    def block(self, delivery_id: int, key: str) -> None:
        """Set a delivery's lane aside until a delivery for `resource/external id` settles;
        earlier ones released meanwhile go first."""
        ...

    def end_waits(
        self, target: Target, now: float, *, resource: str = "", paused_only: bool = False
    ) -> int:
        """Make lanes of a target ready now whose heads wait for their next attempt, or only those
        whose heads are PAUSED; of one resource, where it is named. Returns how many.

        A head that waits out a quiet time (VERIFY) goes on waiting.
        """
        ...

    def end_waits_of(self, heads: Collection[int], target: Target, now: float) -> int:
        """The same for the lanes that these deliveries head."""
        ...

    def supersede(self, resource: str, external_id: str, *, before: int, at: float) -> int:
        """Mark the record's parked deliveries with smaller ids SUPERSEDED, where they were
        parked as `INCOMPLETE`; returns how many."""
        ...

    def recover(self, now: float, quiet_seconds: float) -> int:
        """After a crash: give back all leases; a delivery with an unanswered attempt goes to
        VERIFY (hospital: APPLY, at once), due after the quiet time; one that was only reading
        (GET) reads again. The attempt ends as UNKNOWN and counts. Returns how many there were.
        """
        ...

    def orders_behind(self, delivery_id: int) -> Sequence[int]:
        """Ids of deliveries that wait behind this one in its lane and were compared with it: their
        messages say something of a service that its message names, or that one of theirs does."""
        ...
