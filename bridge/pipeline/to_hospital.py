"""The hospital as a far end of deliver: orders as HL7 messages, settled by acknowledgment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.delivery import Delivery, Outcome, Request, Target
from bridge.hl7v2.writer import write
from bridge.message import Status
from bridge.pipeline.deliver import Allowance, Attempted
from bridge.pipeline.settle import Settle, after_hospital
from bridge.store.contract import Transaction

#: sends one HL7 message with this control id and says how it went; never raises
Send = Callable[[bytes, str], Awaitable[Outcome]]


class ToHospital:
    """One connection, one message in flight: acknowledgments cannot be mixed up."""

    target = Target.HOSPITAL

    def __init__(
        self,
        send: Send,
        *,
        jitter: Callable[[], float],
        settled: Callable[[Target, Status], None],
    ) -> None:
        """`jitter` gives a factor around 1 for each wait; `settled` is told of each end."""
        self._send = send
        self._jitter = jitter
        self._settled = settled

    def allowance(self, now: float, free: int, under_way: int) -> Allowance:
        """Orders have no limit but the connection."""
        return Allowance(free)

    def head(self, tx: Transaction, delivery: Delivery, now: float) -> Request:
        """Every head is sent; the same payload gives the same bytes, MSH-10 included."""
        call = delivery.call
        return Request("SEND", call.resource, call.external_id, call.payload)

    async def send(self, attempted: Attempted) -> Outcome:
        """Write the message and send it."""
        segments = [(name, fields) for name, fields in attempted.delivery.call.payload["segments"]]
        control_id = str(segments[0][1]["10"])
        return await self._send(write(segments), control_id)

    def settle(self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float) -> None:
        """Write down the acknowledgment and what follows from it."""
        delivery = attempted.delivery
        tx.end(attempted.attempt_id, outcome, now)
        following = after_hospital(delivery, outcome, attempted.failures)
        if isinstance(following, Settle):
            self._settled(self.target, following.status)
            tx.settle(
                delivery.id,
                following.status,
                at=now,
                reason=following.reason,
                verdict=following.verdict,
            )
            return
        tx.postpone(
            delivery.id,
            following.step,
            due_at=now + following.wait * self._jitter(),
            attempts=delivery.attempts + following.counts,
            reason=following.reason,
        )
