"""ZautoAI as a far end of deliver: the fold, the referents, the budget and the state table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

import structlog

from bridge.causes import Cause, CauseKind
from bridge.delivery import (
    Delivery,
    Outcome,
    Reason,
    Request,
    Step,
    Target,
)
from bridge.message import Status
from bridge.pipeline.delivery.breakers import Closings
from bridge.pipeline.delivery.call_limit import CallLimit
from bridge.pipeline.delivery.correct import correct, read_as_ours
from bridge.pipeline.delivery.deliver import IDLE_SECONDS, Allowance, Attempted
from bridge.pipeline.delivery.earlier import may_come_late, reasons
from bridge.pipeline.delivery.endpoints import Endpoints
from bridge.pipeline.delivery.pauses import Pauses
from bridge.pipeline.delivery.pausing import paused
from bridge.pipeline.delivery.referents import Block, Hold, lost, make_again, wait_for
from bridge.pipeline.delivery.settle import (
    Next,
    Ours,
    Past,
    Postpone,
    Settle,
    after_zauto,
    not_updated,
)
from bridge.pipeline.delivery.unclear import count_unclear
from bridge.pipeline.delivery.urgency import Urgency
from bridge.pipeline.records.aliases import as_owned
from bridge.pipeline.records.folding import Settled, create_body, decide, learn, update_body
from bridge.store.contract import Transaction, View
from bridge.store.far_end import Breaker
from bridge.zauto.catalogue import Catalogue, Operation
from bridge.zauto.watch import ContractWatch

#: sends one request and says how it went; never raises
Send = Callable[[Request], Awaitable[Outcome]]
#: name under which the store keeps what was odd in ZautoAI's answers
CONTRACT_NOTE = "contract"
#: how often a delivery may be told that ZautoAI lacks a record it refers to
MOST_RETURNS = 5
#: quiet times after the first verifying read at which a record is read again: an unanswered
#: request that took effect after the first one is found by the second
AGAIN_AFTER = 10

_READS = (Step.VERIFY, Step.IDENTIFY)


class ToZauto:
    """Everything about delivering to ZautoAI that is not HTTP.

    `head` and `settle` run in the store's writer, the rest in the loop.
    """

    target = Target.ZAUTO

    def __init__(
        self,
        send: Send,
        catalogue: Catalogue,
        calls: CallLimit,
        *,
        same_authorities: Sequence[Sequence[str]],
        quiet_seconds: float,
        jitter: Callable[[], float],
        settled: Callable[[Target, Status], None],
        not_offered: Collection[str] = (),
        watch: ContractWatch | None = None,
        client: str = "",
    ) -> None:
        """`jitter` gives a factor around 1 for each wait; `settled` is called for each delivery
        that ends; `not_offered`: operations that ZautoAI lacks, `read patient-visits`; `client`
        stands for address and credentials."""
        self._send = send
        self._catalogue = catalogue
        self.calls = calls
        self.same_authorities = same_authorities  # replaced when mappings change
        self._quiet = quiet_seconds
        self._jitter = jitter
        self._settled = settled
        self._watch = watch or ContractWatch(catalogue)
        self.closings = Closings(self.target, client)
        #: what a person wants no calls made of
        self.pauses = Pauses()
        self.endpoints = Endpoints(not_offered)
        self._urgency = Urgency(catalogue)
        self._verifying: set[int] = set()
        self._log = structlog.get_logger()

    def take_up(self, view: View, now: float) -> None:
        """Take up what the store keeps."""
        self.calls.take_up(view, now)
        self.take_up_stops(view)

    def take_up_stops(self, view: View) -> None:
        """Take up what the store keeps of open breakers and missing endpoints."""
        self.closings.take_up(view.breakers(self.target))
        self.endpoints.take_up(view.missing_endpoints(self.target))

    def resume(
        self, tx: Transaction, now: float, resource: str, *, limited: bool
    ) -> Breaker | None:
        """Try again now what waits, of one resource or ("") of all; a wait after a 429 ends only
        where `limited`, and is returned where it does not."""
        self.closings.end(resource, limited=limited)
        if limited:
            self.calls.release(tx)
        tx.end_waits(self.target, now, resource=resource)
        self.note(tx, now)
        return self.closings.of("", now)

    def drained_in(self, now: float, calls: int) -> float:
        """Seconds until this many calls have gone, as far as can be foreseen."""
        closed = self.closings.of("", now)
        seconds = self.calls.drained_in(now, calls)
        return max(seconds, closed.until - now if closed else 0.0)

    def allowance(self, now: float, free: int, under_way: int) -> Allowance:
        """None while all is closed or the budget has nothing left but for verifying."""
        closed = self.closings.of("", now)
        if closed is not None:
            return Allowance(0, min(closed.until - now, IDLE_SECONDS))
        wait, spare = self.calls.waits(now)
        if wait > 0 and (spare > 0 or not self._verifying):
            return Allowance(0, min(wait, IDLE_SECONDS))
        return Allowance(free)

    def head(self, tx: Transaction, delivery: Delivery, now: float) -> Request | None:
        """Decide what the head of a lane needs; set it aside or settle it where that is no call."""
        call, resource = delivery.call, self._catalogue[delivery.call.resource]
        self.calls.give_back_of(delivery.id)
        if self._rests(tx, delivery, now):
            return None
        entity = tx.entity(call.resource, call.external_id)
        delivery = as_owned(delivery, entity, resource)
        if delivery.step is Step.APPLY and self._set_aside(tx, delivery, now):
            return None
        decision = decide(delivery, entity, resource, self.same_authorities)
        if isinstance(decision, Settled):
            self._settle_uncalled(tx, delivery, decision, now)
            return None
        return self._offered(tx, delivery, decision, now)

    async def send(self, attempted: Attempted) -> Outcome:
        """Make the request."""
        self.calls.begin(attempted.delivery.id)
        try:
            return await self._send(attempted.request)
        finally:
            self.calls.end(attempted.delivery.id)

    def settle(self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float) -> None:
        """Write down the outcome, correct the shadow and move the delivery on."""
        planned = attempted.delivery.call
        entity = tx.entity(planned.resource, planned.external_id)
        delivery = as_owned(attempted.delivery, entity, self._catalogue[planned.resource])
        attempted, call = replace(attempted, delivery=delivery), delivery.call
        tx.end(attempted.attempt_id, outcome, now)
        self._close(outcome, call.resource, now)
        self.note(tx, now)
        self._learn_of(tx, attempted, outcome, now)
        if outcome.reason is Reason.REFERENT_MISSING:
            self._hold_for_lost(tx, attempted, outcome, now)
            return
        learned = learn(entity, call)
        outcome = read_as_ours(tx, attempted, outcome, learned, self._catalogue)
        following = after_zauto(
            delivery,
            attempted.request,
            outcome,
            self._catalogue[call.resource],
            ours=Ours(create_body(learned), update_body(learned, call), learned.sent is not None),
            quiet_seconds=self._quiet,
            past=self._past(tx, attempted, outcome),
        )
        if following == not_updated(self._catalogue[call.resource]):
            self.endpoints.lacks(tx, Operation.UPDATE, call.resource, now)
        corrected = correct(entity, attempted, outcome, following, self._catalogue)
        if corrected is not None and corrected != entity:
            tx.put_entity(corrected)
        self._move(tx, delivery, following, now)

    def _offered(
        self, tx: Transaction, delivery: Delivery, request: Request, now: float
    ) -> Request | None:
        """The request as ZautoAI offers it, with a call of the budget; or None."""
        for operation, done in ((Operation.UPDATE, "updated"), (Operation.DELETE, "deleted")):
            if request.method == operation.method and not self._offers(operation, request, now):
                lacking = not_updated(self._catalogue[request.resource], done)
                self._move(tx, delivery, lacking, now)
                return None
        if request.method == "GET" and not self._offers(Operation.READ, request, now):
            request = replace(request, by_list=True)
        urgency = self._urgency.of(delivery, request)
        wait = self.calls.take_for(tx, delivery.id, urgency, now)
        if wait > 0:
            self._wait(tx, delivery, wait, now, Reason.LIMITED)
            return None
        return request

    def _offers(self, operation: Operation, request: Request, now: float) -> bool:
        return self.endpoints.offers(operation, request.resource, now)

    def _learn_of(
        self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float
    ) -> None:
        """What the outcome says beyond its own delivery."""
        delivery, request = attempted.delivery, attempted.request
        if request.method == "GET":
            self.endpoints.note_read(tx, request, outcome, now)
            if outcome.reason in (Reason.FOUND, Reason.ABSENT) and may_come_late(delivery):
                call = delivery.call
                due_at = now + AGAIN_AFTER * self._quiet
                tx.look_again(call.resource, call.external_id, delivery.message_id, due_at)
        elif outcome.reason is Reason.ACCEPTED:
            tx.record_written()

    def _past(self, tx: Transaction, attempted: Attempted, outcome: Outcome) -> Past:
        earlier: list[Reason] = []
        if outcome.reason in (Reason.NOT_FOUND, Reason.NOT_THE_API):
            earlier = reasons(tx, attempted)
        return Past(
            failures=attempted.failures,
            flips=earlier.count(Reason.NOT_FOUND),
            strangers=earlier.count(Reason.NOT_THE_API),
            unclear=count_unclear(tx, attempted.delivery.id, outcome),
        )

    def note(self, tx: Transaction, now: float) -> None:
        """Keep what a restart must not forget: the calls made, what is closed, and what was odd in
        answers."""
        self.calls.settle(tx)
        self.closings.note_in(tx)
        odd = self._watch.dump(now)
        if odd is not None:
            tx.put_note(CONTRACT_NOTE, odd)

    def _rests(self, tx: Transaction, delivery: Delivery, now: float) -> bool:
        """Let a delivery wait whose resource takes no calls, or that is paused; True when it
        does."""
        closed = self.closings.of(delivery.call.resource, now)
        if closed is not None:
            self._wait(tx, delivery, closed.until - now, now, closed.reason)
            return True
        waiting = paused(tx, delivery, self.pauses)
        if waiting is not None:
            self._postpone(tx, delivery, waiting, now)
        return waiting is not None

    def _set_aside(self, tx: Transaction, delivery: Delivery, now: float) -> bool:
        """Hold or block a delivery behind what must be there first; True when it was."""
        match wait_for(tx, self._catalogue, delivery):
            case Hold(key, cause):
                self._hold(tx, delivery, key, cause, now)
            case Block(key):
                tx.block(delivery.id, key)
            case None:
                return False
        return True

    def _hold_for_lost(
        self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float
    ) -> None:
        """ZautoAI lacks a referent: make it again where we know it, and wait for it."""
        delivery = attempted.delivery
        missing = lost(self._catalogue, attempted.request, outcome)
        returned = reasons(tx, attempted).count(Reason.REFERENT_MISSING) + 1
        if not missing or returned >= MOST_RETURNS:
            cause = Cause(CauseKind.MISSING_REFERENT)
            self._move(tx, delivery, Settle(Status.PARKED, cause), now)
            return
        for key in missing:
            make_again(tx, self._catalogue, delivery.message_id, key, now)
        referent, external_id = missing[0]
        cause = Cause(CauseKind.WAITS_FOR_REFERENT, resource=referent)
        self._hold(tx, delivery, f"{referent}/{external_id}", cause, now)

    def _settle_uncalled(
        self, tx: Transaction, delivery: Delivery, decision: Settled, now: float
    ) -> None:
        if decision.entity is not None:
            tx.put_entity(decision.entity)
        self._move(tx, delivery, Settle(decision.status, decision.cause), now)

    def _move(self, tx: Transaction, delivery: Delivery, following: Next, now: float) -> None:
        if isinstance(following, Postpone):
            self._postpone(tx, delivery, following, now)
            return
        self._verifying.discard(delivery.id)
        tx.end_unclear(delivery.id)
        self._settled(self.target, following.status)
        tx.settle(
            delivery.id,
            following.status,
            at=now,
            cause=following.cause,
            waits_for=following.waits_for,
        )
        if following.status in (Status.DELIVERED, Status.SUPPRESSED):
            call = delivery.call
            tx.supersede(call.resource, call.external_id, before=delivery.id, at=now)
            tx.release(f"{call.resource}/{call.external_id}", now)

    def _postpone(
        self, tx: Transaction, delivery: Delivery, following: Postpone, now: float
    ) -> None:
        if following.step in _READS:
            self._verifying.add(delivery.id)
        tx.postpone(
            delivery.id,
            following.step,
            due_at=now + following.wait * self._jitter(),
            attempts=delivery.attempts + following.counts,
            cause=following.cause,
        )

    def _wait(
        self, tx: Transaction, delivery: Delivery, seconds: float, now: float, reason: Reason
    ) -> None:
        cause = Cause(CauseKind.RETRY, name=reason)
        self._postpone(tx, delivery, Postpone(delivery.step, seconds, cause, counts=False), now)

    def _hold(
        self, tx: Transaction, delivery: Delivery, key: str, cause: Cause, now: float
    ) -> None:
        held = Settle(Status.HELD, cause, waits_for=key)
        self._move(tx, delivery, held, now)

    def _close(self, outcome: Outcome, resource: str, now: float) -> None:
        closed = self.closings.note(outcome, resource, now)
        if outcome.reason is Reason.LIMITED and closed is not None:
            self.calls.hold(closed.until)
        if closed is not None:
            stopped = "all" if self.closings.of("", now) is closed else resource
            self._log.error("calls stopped", resource=stopped, reason=closed.reason)
