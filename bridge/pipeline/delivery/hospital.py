"""The hospital as a far end of deliver: orders as HL7 messages, settled by acknowledgment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bridge.delivery import Delivery, Outcome, Request, Target
from bridge.hl7v2.writer import write
from bridge.message import Status
from bridge.pipeline.delivery.behind import park_behind
from bridge.pipeline.delivery.deliver import Allowance, Attempted
from bridge.pipeline.delivery.pauses import Pauses
from bridge.pipeline.delivery.pausing import paused
from bridge.pipeline.delivery.settle import Settle, after_hospital
from bridge.pipeline.delivery.transitions import Transitions
from bridge.store.contract import Transaction

#: sends one HL7 message with this control id and says how it went; never raises
Send = Callable[[bytes, str], Awaitable[Outcome]]
#: what is wrong with a message by the standard's grammar, one sentence each, no values in them
CheckStructure = Callable[[bytes], Sequence[str]]
#: seconds the check may take; it only warns, and an order does not wait for it any longer
CHECK_SECONDS = 2.0


class ToHospital:
    """One connection, one message in flight: acknowledgments cannot be mixed up."""

    target = Target.HOSPITAL

    def __init__(
        self,
        send: Send,
        *,
        jitter: Callable[[], float],
        settled: Callable[[Target, Status], None],
        check_structure: CheckStructure,
    ) -> None:
        """`jitter` gives a factor around 1 for each wait; `settled` is told of each end;
        `check_structure` is run on another thread."""
        self._send = send
        self._check_structure = check_structure
        self._log = structlog.get_logger()
        self._transitions = Transitions(self.target, jitter, settled)
        #: what a person wants no orders sent of
        self.pauses = Pauses()

    def allowance(self, now: float, free: int, under_way: int) -> Allowance:
        """Orders have no limit but the connection."""
        return Allowance(free)

    def head(self, tx: Transaction, delivery: Delivery, now: float) -> Request | None:
        """Every head is sent that is not paused; the same payload gives the same bytes, MSH-10
        included."""
        waiting = paused(tx, delivery, self.pauses)
        if waiting is not None:
            self._transitions.make(tx, delivery, waiting, now)
            return None
        call = delivery.call
        return Request("SEND", call.resource, call.external_id, call.payload)

    async def send(self, attempted: Attempted) -> Outcome:
        """Write the message and send it."""
        segments = [(name, fields) for name, fields in attempted.delivery.call.payload["segments"]]
        control_id = str(segments[0][1]["10"])
        body = write(segments)
        await self._warn_of_structure(attempted.delivery, body)
        return await self._send(body, control_id)

    async def _warn_of_structure(self, delivery: Delivery, body: bytes) -> None:
        """A site's mapping may make what a strict receiver refuses: say so before it does."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                faults = await asyncio.to_thread(self._check_structure, body)
        except TimeoutError:
            return
        if faults:
            self._log.warning(
                "order is not of the standard's structure; bridge translate shows where",
                message=delivery.message_id,
                message_type=delivery.call.resource,
                count=len(faults),
            )

    def settle(self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float) -> None:
        """Write down the acknowledgment and what follows from it."""
        delivery = attempted.delivery
        tx.end(attempted.attempt_id, outcome, now)
        following = after_hospital(delivery, outcome, attempted.failures)
        self._transitions.make(tx, delivery, following, now)
        if isinstance(following, Settle) and following.status is Status.PARKED:
            for _ in range(park_behind(tx, delivery, now)):
                self._transitions.settled(self.target, Status.PARKED)
