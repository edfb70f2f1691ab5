"""ZautoAI as a far end of deliver: the fold, the referents, the budget and the state table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from bridge.causes import Cause, CauseKind
from bridge.delivery import Delivery, Entity, Outcome, Reason, Request, Step, Target
from bridge.message import Status
from bridge.pipeline.delivery.breakers import CircuitBreakers
from bridge.pipeline.delivery.call_limit import CallLimit
from bridge.pipeline.delivery.correct import correct, read_as_ours
from bridge.pipeline.delivery.deliver import IDLE_SECONDS, Allowance, Attempted
from bridge.pipeline.delivery.endpoints import Endpoints
from bridge.pipeline.delivery.history import past_of
from bridge.pipeline.delivery.pauses import Pauses
from bridge.pipeline.delivery.pausing import paused
from bridge.pipeline.delivery.priority import Priorities
from bridge.pipeline.delivery.referents import Block, after_lost, wait_for
from bridge.pipeline.delivery.second_read import schedule
from bridge.pipeline.delivery.settle import Next, Ours, Postpone, Settle, after_zauto, not_offered
from bridge.pipeline.delivery.transitions import Transitions
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
        self._transitions = Transitions(self.target, jitter, settled)
        self._watch = watch or ContractWatch(catalogue)
        self.breakers = CircuitBreakers(self.target, client)
        #: what a person wants no calls made of
        self.pauses = Pauses()
        self.endpoints = Endpoints(not_offered)
        self._priorities = Priorities(catalogue)
        self._verifying: set[int] = set()

    def take_up(self, view: View, now: float) -> None:
        """Take up what the store keeps."""
        self.calls.take_up(view, now)
        self.take_up_stops(view)

    def take_up_stops(self, view: View) -> None:
        """Take up what the store keeps of open breakers and missing endpoints."""
        self.breakers.take_up(view.breakers(self.target))
        self.endpoints.take_up(view.missing_endpoints(self.target))

    def resume(
        self, tx: Transaction, now: float, resource: str, *, limited: bool
    ) -> Breaker | None:
        """Try again now what waits, of one resource or ("") of all; a wait after a 429 ends only
        where `limited`, and is returned where it does not."""
        self.breakers.close(resource, limited=limited)
        if limited:
            self.calls.release(tx)
        tx.end_waits(self.target, now, resource=resource)
        self.note(tx, now)
        return self.breakers.of("", now)

    def drained_in(self, now: float, calls: int) -> float:
        """Seconds until this many calls have gone, as far as can be foreseen."""
        breaker = self.breakers.of("", now)
        seconds = self.calls.drained_in(now, calls)
        return max(seconds, breaker.until - now if breaker else 0.0)

    def allowance(self, now: float, free: int, under_way: int) -> Allowance:
        """None while the breaker of all is open or the budget has nothing left but for
        verifying."""
        breaker = self.breakers.of("", now)
        if breaker is not None:
            return Allowance(0, min(breaker.until - now, IDLE_SECONDS))
        wait, spare = self.calls.waits(now)
        if wait > 0 and (spare > 0 or not self._verifying):
            return Allowance(0, min(wait, IDLE_SECONDS))
        return Allowance(free)

    def head(self, tx: Transaction, delivery: Delivery, now: float) -> Request | None:
        """Decide what the head of a lane needs; set it aside or settle it where that is no call."""
        call, resource = delivery.call, self._catalogue[delivery.call.resource]
        self.calls.give_back_of(delivery.id)
        if self._stopped(tx, delivery, now):
            return None
        entity = tx.entity(call.resource, call.external_id)
        delivery = as_owned(delivery, entity, resource)
        if delivery.step is Step.APPLY and self._set_aside(tx, delivery, now):
            return None
        decision = decide(delivery, entity, resource, self.same_authorities)
        if isinstance(decision, Settled):
            if decision.entity is not None:
                tx.put_entity(decision.entity)
            self._move(tx, delivery, Settle(decision.status, decision.cause), now)
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
        """Write down the outcome and what it says of others, and move the delivery on."""
        planned = attempted.delivery.call
        entity = tx.entity(planned.resource, planned.external_id)
        delivery = as_owned(attempted.delivery, entity, self._catalogue[planned.resource])
        attempted = replace(attempted, delivery=delivery)
        tx.end(attempted.attempt_id, outcome, now)
        self._break(outcome, planned.resource, now)
        self.note(tx, now)
        self.endpoints.note(tx, attempted.request, outcome, now)
        schedule(tx, delivery, outcome, now, self._quiet)
        if outcome.reason is Reason.REFERENT_MISSING:
            following: Next = after_lost(tx, self._catalogue, attempted, outcome, now)
        else:
            following = self._answered(tx, attempted, entity, outcome, now)
        self._move(tx, delivery, following, now)

    def _answered(
        self,
        tx: Transaction,
        attempted: Attempted,
        entity: Entity | None,
        outcome: Outcome,
        now: float,
    ) -> Next:
        """What the outcome makes of the delivery, by the state table; corrects the shadow."""
        call, resource = attempted.delivery.call, self._catalogue[attempted.delivery.call.resource]
        learned = learn(entity, call)
        outcome = read_as_ours(tx, attempted, outcome, learned, self._catalogue)
        following = after_zauto(
            attempted.delivery,
            attempted.request,
            outcome,
            resource,
            ours=Ours(create_body(learned), update_body(learned, call), learned.sent is not None),
            quiet_seconds=self._quiet,
            past=past_of(tx, attempted, outcome),
        )
        if following == not_offered(resource):
            self.endpoints.lacks(tx, Operation.UPDATE, call.resource, now)
        corrected = correct(entity, attempted, outcome, following, self._catalogue)
        if corrected is not None and corrected != entity:
            tx.put_entity(corrected)
        return following

    def _offered(
        self, tx: Transaction, delivery: Delivery, request: Request, now: float
    ) -> Request | None:
        """The request as ZautoAI offers it, with a call of the budget; or None."""
        lacking = self.endpoints.lacking(request, now)
        if lacking is not None:
            refused = not_offered(self._catalogue[request.resource], lacking)
            self._move(tx, delivery, refused, now)
            return None
        request = self.endpoints.adapted(request, now)
        priority = self._priorities.of(delivery, request)
        wait = self.calls.take_for(tx, delivery.id, priority, now)
        if wait > 0:
            self._move(tx, delivery, _wait(delivery, wait, Reason.LIMITED), now)
            return None
        return request

    def note(self, tx: Transaction, now: float) -> None:
        """Keep what a restart must not forget: the calls made, the open breakers, and what was odd
        in answers."""
        self.calls.reconcile(tx)
        self.breakers.keep(tx)
        odd = self._watch.dump(now)
        if odd is not None:
            tx.put_note(CONTRACT_NOTE, odd)

    def _break(self, outcome: Outcome, resource: str, now: float) -> None:
        """Open the breaker that an outcome asks for; after a 429 nobody else may call either."""
        opened = self.breakers.note(outcome, resource, now)
        if opened is not None and opened.reason is Reason.LIMITED:
            self.calls.hold(opened.until)

    def _stopped(self, tx: Transaction, delivery: Delivery, now: float) -> bool:
        """Let a delivery wait whose breaker is open, or that is paused; True when it does."""
        breaker = self.breakers.of(delivery.call.resource, now)
        if breaker is not None:
            waiting: Postpone | None = _wait(delivery, breaker.until - now, breaker.reason)
        else:
            waiting = paused(tx, delivery, self.pauses)
        if waiting is not None:
            self._move(tx, delivery, waiting, now)
        return waiting is not None

    def _set_aside(self, tx: Transaction, delivery: Delivery, now: float) -> bool:
        """Hold or block a delivery behind what must be there first; True when it was."""
        match wait_for(tx, self._catalogue, delivery):
            case Settle() as held:
                self._move(tx, delivery, held, now)
            case Block(key):
                tx.block(delivery.id, key)
            case None:
                return False
        return True

    def _move(self, tx: Transaction, delivery: Delivery, following: Next, now: float) -> None:
        self._transitions.make(tx, delivery, following, now)
        if isinstance(following, Postpone):
            if following.step in _READS:
                self._verifying.add(delivery.id)
            return
        self._verifying.discard(delivery.id)
        tx.end_unclear(delivery.id)
        if following.status in (Status.DELIVERED, Status.SUPPRESSED):
            call = delivery.call
            tx.supersede(call.resource, call.external_id, before=delivery.id, at=now)
            tx.release(f"{call.resource}/{call.external_id}", now)


def _wait(delivery: Delivery, seconds: float, reason: Reason) -> Postpone:
    """Nothing was sent: the same step later."""
    cause = Cause(CauseKind.RETRY, name=reason)
    return Postpone(delivery.step, seconds, cause, counts=False)
