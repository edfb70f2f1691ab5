"""ZautoAI as a far end of deliver: the fold, the referents, the budget and the state table."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
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
from bridge.pipeline.aliases import as_owned
from bridge.pipeline.closings import Closed, Closings
from bridge.pipeline.correct import correct, read_as_ours
from bridge.pipeline.deliver import IDLE_SECONDS, Allowance, Attempted
from bridge.pipeline.earlier import may_come_late, reasons
from bridge.pipeline.endpoints import Endpoints
from bridge.pipeline.pauses import Pauses
from bridge.pipeline.pausing import paused
from bridge.pipeline.referents import Block, Hold, lost, make_again, wait_for
from bridge.pipeline.settle import (
    Next,
    Ours,
    Past,
    Postpone,
    Settle,
    after_zauto,
    not_updated,
)
from bridge.pipeline.unclear import Unclear
from bridge.pipeline.urgency import Urgency
from bridge.store.contract import Transaction
from bridge.zauto.budget import Budget, BudgetState, Priority
from bridge.zauto.catalogue import Catalogue, Operation
from bridge.zauto.folding import Settled, create_body, decide, learn, update_body
from bridge.zauto.watch import ContractWatch

#: sends one request and says how it went; never raises
Send = Callable[[Request], Awaitable[Outcome]]
#: name under which the budget's count is kept in the store
BUDGET_NOTE = "budget"
#: and what was odd in ZautoAI's answers
CONTRACT_NOTE = "contract"
#: how often a delivery may be told that ZautoAI lacks a record it refers to
MOST_RETURNS = 5
#: quiet times after the first verifying read at which a record is read again: an unanswered
#: request that took effect after the first one is found by the second
AGAIN_AFTER = 10

_READS = (Step.VERIFY, Step.IDENTIFY)


class ToZauto:
    """Everything about delivering to ZautoAI that is not HTTP.

    `head` and `settle` run in the store's writer, the rest in the loop; the lock keeps the
    budget whole between them.
    """

    target = Target.ZAUTO

    def __init__(
        self,
        send: Send,
        catalogue: Catalogue,
        budget: Budget,
        *,
        same_authorities: Sequence[Sequence[str]],
        quiet_seconds: float,
        limited: bool,
        jitter: Callable[[], float],
        settled: Callable[[Target, Status], None],
        not_offered: Collection[str] = (),
        watch: ContractWatch | None = None,
        client: str = "",
    ) -> None:
        """`limited`: the budget's count is worth keeping; `jitter` gives a factor around 1 for each
        wait; `settled` is called for each delivery that ends; `not_offered`: operations that
        ZautoAI lacks, `read patient-visits`; `client` stands for address and credentials."""
        self._send = send
        self._catalogue = catalogue
        self._budget = budget
        self.same_authorities = same_authorities  # replaced when mappings change
        self._quiet = quiet_seconds
        self._limited = limited
        self._jitter = jitter
        self._settled = settled
        self._watch = watch or ContractWatch(catalogue)
        self._lock = threading.Lock()
        self.closings = Closings(client)
        #: what a person wants no calls made of
        self.pauses = Pauses()
        self.endpoints = Endpoints(not_offered)
        self._urgency = Urgency(catalogue)
        self._verifying: set[int] = set()
        #: deliveries that hold a call of the budget
        self._calling: set[int] = set()
        self._failures = 0
        self._unclear = Unclear()
        self._log = structlog.get_logger()

    def take(self, now: float) -> float:
        """0.0 and a call of the budget is taken for a person; else seconds to wait for one."""
        with self._lock:
            return self._budget.take(now, Priority.CREATE)

    def give_back(self) -> None:
        """A person's call is over."""
        with self._lock:
            self._budget.give_back()

    def resume(self, tx: Transaction, now: float, resource: str, *, limited: bool) -> Closed | None:
        """Try again now what waits, of one resource or ("") of all; a wait after a 429 ends only
        where `limited`, and is returned where it does not."""
        self.closings.end(resource, limited=limited)
        if limited:
            with self._lock:
                self._budget.release()
        tx.end_waits(self.target, now, resource=resource)
        self.note(tx, now)
        return self.closings.of("", now)

    def spent(self, now: float, headers: Mapping[str, str]) -> None:
        """Count an HTTP request that left; the sender reports each."""
        with self._lock:
            self._budget.spent(headers, now)

    def budget_state(self, now: float) -> BudgetState:
        """For people: calls used, the limit, and how long a registration would wait."""
        with self._lock:
            return self._budget.state(now)

    def drained_in(self, now: float, calls: int) -> float:
        """Seconds until this many calls have gone, as far as can be foreseen."""
        closed = self.closings.of("", now)
        with self._lock:
            seconds = self._budget.drained_in(now, calls)
        return max(seconds, closed.until - now if closed else 0.0)

    def allowance(self, now: float, free: int, under_way: int) -> Allowance:
        """None while all is closed or the budget has nothing left but for verifying."""
        closed = self.closings.of("", now)
        if closed is not None:
            return Allowance(0, min(closed.until - now, IDLE_SECONDS))
        with self._lock:
            wait = self._budget.wait(now, Priority.CREATE)
            spare = self._budget.wait(now, Priority.VERIFY)
        if wait > 0 and (spare > 0 or not self._verifying):
            return Allowance(0, min(wait, IDLE_SECONDS))
        if not self._failures:
            return Allowance(free)
        # An endpoint that just failed is asked by one request at a time until it answers.
        return Allowance(0 if under_way else 1)

    def head(self, tx: Transaction, delivery: Delivery, now: float) -> Request | None:
        """Decide what the head of a lane needs; set it aside or settle it where that is no call."""
        call, resource = delivery.call, self._catalogue[delivery.call.resource]
        self._give_back(delivery)
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
        try:
            outcome = await self._send(attempted.request)
        finally:
            self._give_back(attempted.delivery)
        self._failures = self._failures + 1 if outcome.reason in _BREAKS else 0
        return outcome

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
            past=self._past(tx, attempted, outcome, now),
        )
        if following == not_updated(self._catalogue[call.resource]):
            self.endpoints.lacks(Operation.UPDATE, call.resource, now)
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
        wait = self._take(delivery, request, now)
        if wait > 0:
            self._wait(tx, delivery, wait, now, Reason.LIMITED)
            return None
        self._note_budget(tx, now)
        return request

    def _offers(self, operation: Operation, request: Request, now: float) -> bool:
        return self.endpoints.offers(operation, request.resource, now)

    def _learn_of(
        self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float
    ) -> None:
        """What the outcome says beyond its own delivery."""
        delivery, request = attempted.delivery, attempted.request
        if request.method == "GET":
            self.endpoints.note_read(request, outcome, now)
            if outcome.reason in (Reason.FOUND, Reason.ABSENT) and may_come_late(delivery):
                call = delivery.call
                due_at = now + AGAIN_AFTER * self._quiet
                tx.look_again(call.resource, call.external_id, delivery.message_id, due_at)
        elif outcome.reason is Reason.ACCEPTED:
            self._unclear.written(now)

    def _past(self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float) -> Past:
        earlier: list[Reason] = []
        if outcome.reason in (Reason.NOT_FOUND, Reason.NOT_THE_API):
            earlier = reasons(tx, attempted)
        return Past(
            failures=attempted.failures,
            flips=earlier.count(Reason.NOT_FOUND),
            strangers=earlier.count(Reason.NOT_THE_API),
            unclear=self._unclear.count(attempted.delivery.id, outcome, now),
        )

    def _take(self, delivery: Delivery, request: Request, now: float) -> float:
        """0.0 and a call of the budget is the delivery's; else seconds to wait for one."""
        with self._lock:
            wait = self._budget.take(now, self._urgency.of(delivery, request))
            if wait == 0.0:
                self._calling.add(delivery.id)
        return wait

    def _give_back(self, delivery: Delivery) -> None:
        """Give the delivery's call back, if it holds one: after its request, or when it heads its
        lane again because the store could not commit the claim."""
        with self._lock:
            if delivery.id in self._calling:
                self._calling.discard(delivery.id)
                self._budget.give_back()

    def note(self, tx: Transaction, now: float) -> None:
        """Keep what a restart must not forget: the calls made, what is closed, and what was odd in
        answers."""
        self._note_budget(tx, now)
        self.closings.note_in(tx)
        odd = self._watch.dump(now)
        if odd is not None:
            tx.put_note(CONTRACT_NOTE, odd)

    def _note_budget(self, tx: Transaction, now: float) -> None:
        if self._limited:
            with self._lock:
                noted = self._budget.dump(now)
            tx.put_note(BUDGET_NOTE, noted)

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
        self._unclear.forget(delivery.id)
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
            with self._lock:
                self._budget.hold(closed.until)
        if closed is not None:
            stopped = "all" if self.closings.of("", now) is closed else resource
            self._log.error("calls stopped", resource=stopped, reason=closed.reason)


#: what makes one request at a time enough, until one is answered
_BREAKS = frozenset({Reason.UNREACHABLE, Reason.SERVER_ERROR, Reason.NO_ANSWER, Reason.NOT_THE_API})
