"""ZautoAI as a far end of deliver: the fold, the referents, the budget and the state table."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bridge.delivery import (
    Call,
    Delivery,
    Entity,
    Interaction,
    Kind,
    Outcome,
    Reason,
    Request,
    Step,
    Target,
)
from bridge.message import Status, Verdict
from bridge.pipeline.deliver import IDLE_SECONDS, Allowance, Attempted
from bridge.pipeline.plan import lane_of
from bridge.pipeline.settle import Next, Ours, Postpone, Settle, after_zauto, closing
from bridge.store.contract import Transaction
from bridge.zauto.budget import Budget, BudgetState, Priority
from bridge.zauto.catalogue import Catalogue
from bridge.zauto.folding import Settled, after, create_body, decide, learn, update_body
from bridge.zauto.headers import LONGEST

#: sends one request and says how it went; never raises
Send = Callable[[Request], Awaitable[Outcome]]
#: name under which the budget's count is kept in the store
BUDGET_NOTE = "budget"
#: how often a delivery may be told that ZautoAI lacks a record it refers to
MOST_RETURNS = 5
#: position of a delivery that makes a lost referent again: behind the message's own calls
REBUILT = 1000

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
    ) -> None:
        """`limited` says whether the budget's count is worth keeping; `jitter` gives a factor
        around 1 for each wait; `settled` is told of each delivery that ends."""
        self._send = send
        self._catalogue = catalogue
        self._budget = budget
        self._same_authorities = same_authorities
        self._quiet = quiet_seconds
        self._limited = limited
        self._jitter = jitter
        self._settled = settled
        self._lock = threading.Lock()
        #: until when each resource is closed, and why; "" stands for all of them
        self._closed: dict[str, tuple[float, Reason]] = {}
        self._verifying: set[int] = set()
        #: deliveries that hold a call of the budget
        self._calling: set[int] = set()
        self._failures = 0
        self._log = structlog.get_logger()

    def spent(self, now: float, headers: Mapping[str, str]) -> None:
        """Count an HTTP request that left; the sender reports each."""
        with self._lock:
            self._budget.spent(headers, now)

    def budget_state(self, now: float) -> BudgetState:
        """For people: calls used, the limit, and how long a registration would wait."""
        with self._lock:
            return self._budget.state(now)

    def closed(self, now: float) -> Mapping[str, tuple[float, Reason]]:
        """What is closed now: resource ("" for all) to until when and why."""
        # Copied at once, because `settle` writes to it in another thread.
        entries = self._closed.copy().items()
        return {name: entry for name, entry in entries if _lasts(entry[0], now)}

    def allowance(self, now: float, free: int, under_way: int) -> Allowance:
        """None while all is closed or the budget has nothing left but for verifying."""
        closed = self._closed.get("")
        if closed is not None and _lasts(closed[0], now):
            return Allowance(0, min(closed[0] - now, IDLE_SECONDS))
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
        call = delivery.call
        self._give_back(delivery)
        closed = self._closed.get(call.resource)
        if closed is not None and _lasts(closed[0], now):
            self._wait(tx, delivery, closed[0] - now, now, closed[1])
            return None
        if delivery.step is Step.APPLY and self._set_aside(tx, delivery, now):
            return None
        entity = tx.entity(call.resource, call.external_id)
        decision = decide(delivery, entity, self._catalogue[call.resource], self._same_authorities)
        if isinstance(decision, Settled):
            self._settle_uncalled(tx, delivery, decision, now)
            return None
        wait = self._take(delivery, decision, now)
        if wait > 0:
            self._wait(tx, delivery, wait, now, Reason.LIMITED)
            return None
        return decision

    async def send(self, attempted: Attempted) -> Outcome:
        """Make the request."""
        try:
            outcome = await self._send(attempted.request)
        finally:
            self._give_back(attempted.delivery)
        if outcome.reason in (Reason.UNREACHABLE, Reason.SERVER_ERROR, Reason.NO_ANSWER):
            self._failures += 1
        else:
            self._failures = 0
        return outcome

    def settle(self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float) -> None:
        """Write down the outcome, correct the shadow and move the delivery on."""
        delivery = attempted.delivery
        call = delivery.call
        resource = self._catalogue[call.resource]
        tx.end(attempted.attempt_id, outcome, now)
        self._note_budget(tx, now)
        self._close(outcome, call.resource, now)
        if outcome.reason is Reason.REFERENT_MISSING:
            self._hold_for_lost(tx, attempted, outcome, now)
            return
        entity = tx.entity(call.resource, call.external_id)
        following = after_zauto(
            delivery,
            attempted.request,
            outcome,
            resource,
            ours=_ours(entity, call),
            quiet_seconds=self._quiet,
            failures=attempted.failures,
        )
        corrected = _corrected(entity, attempted, outcome, following, self._catalogue)
        if corrected is not None and corrected != entity:
            tx.put_entity(corrected)
        self._move(tx, delivery, following, now)

    def _take(self, delivery: Delivery, request: Request, now: float) -> float:
        """0.0 and a call of the budget is the delivery's; else seconds to wait for one."""
        with self._lock:
            wait = self._budget.take(now, _priority(request))
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

    def _note_budget(self, tx: Transaction, now: float) -> None:
        if self._limited:
            with self._lock:
                noted = self._budget.dump(now)
            tx.put_note(BUDGET_NOTE, noted)

    def _set_aside(self, tx: Transaction, delivery: Delivery, now: float) -> bool:
        """Hold or block a delivery behind what must be there first; True when it was."""
        call = delivery.call
        held_for = tx.held_before(call.resource, call.external_id, delivery.id)
        if held_for:
            self._hold(
                tx, delivery, held_for, "waits behind an earlier event of the same record", now
            )
            return True
        for name, referent in self._catalogue[call.resource].referents().items():
            external_id = call.payload.get(name)
            if external_id and self._waits_for(tx, delivery, referent, str(external_id), now):
                return True
        return False

    def _waits_for(
        self, tx: Transaction, delivery: Delivery, referent: str, external_id: str, now: float
    ) -> bool:
        known = tx.entity(referent, external_id)
        if known is not None and known.sent is not None:
            return False
        pending = tx.unsettled(referent, external_id, besides=delivery.id)
        if pending is None:
            return False
        key = f"{referent}/{external_id}"
        own_lane = delivery.lane == key
        if pending is Status.WAITING and not own_lane:
            tx.block(delivery.id, key)
        else:
            self._hold(tx, delivery, key, f"waits for its {referent} record", now)
        return True

    def _hold_for_lost(
        self, tx: Transaction, attempted: Attempted, outcome: Outcome, now: float
    ) -> None:
        """ZautoAI lacks a referent: make it again where we know it, and wait for it."""
        delivery = attempted.delivery
        referents = self._lost(attempted.request, outcome)
        if not referents or _returns(tx, delivery) >= MOST_RETURNS:
            reason = "ZautoAI misses a record it does not name, or one it was given"
            self._move(tx, delivery, Settle(Status.PARKED, reason, Verdict.ZAUTO), now)
            return
        for referent, external_id in referents:
            entity = tx.entity(referent, external_id)
            if entity is not None and (entity.desired or entity.sent is not None):
                self._make_again(tx, delivery.message_id, entity, now)
        referent, external_id = referents[0]
        reason = f"ZautoAI does not know its {referent} record yet"
        self._hold(tx, delivery, f"{referent}/{external_id}", reason, now)

    def _lost(self, request: Request, outcome: Outcome) -> list[tuple[str, str]]:
        """The referents that the answer names, or all that were sent where it names none."""
        body = request.body or {}
        sent = {
            name: (referent, str(body[name]))
            for name, referent in self._catalogue[request.resource].referents().items()
            if body.get(name)
        }
        named = [sent[error.field] for error in outcome.field_errors if error.field in sent]
        return named or list(sent.values())

    def _make_again(self, tx: Transaction, message_id: int, entity: Entity, now: float) -> None:
        tx.put_entity(replace(entity, sent=None))
        pending = tx.unsettled(entity.resource, entity.external_id, besides=0)
        if pending is Status.WAITING:
            return
        call = Call(
            Target.ZAUTO,
            Interaction.UPSERT,
            entity.resource,
            entity.external_id,
            {**entity.initial, **entity.desired},
            create_only=frozenset(entity.initial.keys() - entity.desired.keys()),
        )
        tx.add(message_id, REBUILT, lane_of(call, self._catalogue), call, now)

    def _settle_uncalled(
        self, tx: Transaction, delivery: Delivery, decision: Settled, now: float
    ) -> None:
        if decision.entity is not None:
            tx.put_entity(decision.entity)
        settled = Settle(decision.status, decision.reason, decision.verdict)
        self._move(tx, delivery, settled, now)

    def _move(self, tx: Transaction, delivery: Delivery, following: Next, now: float) -> None:
        if isinstance(following, Postpone):
            self._postpone(tx, delivery, following, now)
            return
        self._verifying.discard(delivery.id)
        self._settled(self.target, following.status)
        tx.settle(
            delivery.id,
            following.status,
            at=now,
            reason=following.reason,
            verdict=following.verdict,
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
            reason=following.reason,
        )

    def _wait(
        self, tx: Transaction, delivery: Delivery, seconds: float, now: float, reason: Reason
    ) -> None:
        self._postpone(tx, delivery, Postpone(delivery.step, seconds, reason, counts=False), now)

    def _hold(self, tx: Transaction, delivery: Delivery, key: str, reason: str, now: float) -> None:
        held = Settle(Status.HELD, reason, Verdict.SENDER, waits_for=key)
        self._move(tx, delivery, held, now)

    def _close(self, outcome: Outcome, resource: str, now: float) -> None:
        closed = closing(outcome, resource)
        if closed is None:
            return
        self._closed[closed.resource] = (now + closed.seconds, closed.reason)
        if closed.reason is Reason.LIMITED:
            with self._lock:
                self._budget.hold(now + closed.seconds)
        self._log.error("calls stopped", resource=closed.resource or "all", reason=closed.reason)


def _lasts(until: float, now: float) -> bool:
    """Whether a closing lasts; one that ends later than any may was made before the clock was
    set back."""
    return 0.0 < until - now <= LONGEST


def _priority(request: Request) -> Priority:
    """A provider that a visit waits for is as urgent as the visit: both are POSTs."""
    if request.method == "GET":
        return Priority.VERIFY
    return Priority.CREATE if request.method == "POST" else Priority.UPDATE


def _ours(entity: Entity | None, call: Call) -> Ours:
    learned = learn(entity, call)
    return Ours(create_body(learned), update_body(learned, call), learned.sent is not None)


def _corrected(
    entity: Entity | None,
    attempted: Attempted,
    outcome: Outcome,
    following: Next,
    catalogue: Catalogue,
) -> Entity | None:
    """The shadow after the outcome; what belongs to somebody else teaches nothing of ours."""
    delivery, resource = attempted.delivery, catalogue[attempted.delivery.call.resource]
    if isinstance(following, Settle) and following.status is Status.PARKED:
        return _doubted(entity, attempted.request) if _may_be_there(outcome) else entity
    if outcome.reason is Reason.DUPLICATE:
        if delivery.call.interaction is not Interaction.CREATE:
            return entity
        learned = learn(entity, delivery.call)
        return replace(learned, sent=learned.sent or {})
    return after(entity, delivery, attempted.request, outcome, resource)


def _may_be_there(outcome: Outcome) -> bool:
    """Whether a request that is given up may have been carried out."""
    return outcome.kind is Kind.UNKNOWN or outcome.reason in (
        Reason.WRONG_RECORD,
        Reason.UNEXPECTED,
    )


def _doubted(entity: Entity | None, request: Request) -> Entity | None:
    """The shadow without what ZautoAI may hold now or not: the next update sends it anew."""
    if entity is None or entity.sent is None:
        return entity
    written = request.body or {}
    sure = {name: value for name, value in entity.sent.items() if name not in written}
    return replace(entity, sent=sure)


def _returns(tx: Transaction, delivery: Delivery) -> int:
    """How often ZautoAI said that it lacks a record this delivery refers to."""
    outcomes = [attempt.outcome for attempt in tx.attempts_of(delivery.id)]
    return sum(each is not None and each.reason is Reason.REFERENT_MISSING for each in outcomes)
