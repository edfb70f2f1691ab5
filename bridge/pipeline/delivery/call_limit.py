"""Call limit: who may call, by the budget in memory and the counts in the store that outlive it.

A call is counted in the transaction that writes its attempt down, before its first byte leaves.
That count is a reservation for one HTTP request: the first that leaves uses it. Each further one
(a token, another page, a second try) is counted separately before it leaves. So no request that
left is forgotten, whenever the service is killed, and none is counted twice.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

from bridge.delivery import Reason, Target
from bridge.pipeline.delivery.ledger import CallLedger
from bridge.settings import Zauto
from bridge.store.contract import Transaction, View
from bridge.store.far_end import Remaining
from bridge.zauto.budget import Budget, BudgetState, Priority, step_of

#: times the counts are read again for one call, while others count
_MOST_READS = 3
#: seconds to ask again after, where others count all the time
_SOON = 0.05


class CallLimit:
    """Who may call, and what was called; safe to use from the loop and the store's writer."""

    def __init__(self, budget: Budget, target: Target, *, limited: bool, late: float) -> None:
        """`limited`: the counts are worth keeping; `late` is the most seconds from the transaction
        that counts a call to its answer."""
        self._budget = budget
        self._target = target
        self.ledger = CallLedger(target, kept=limited, late=late)
        self._lock = threading.Lock()
        #: deliveries that hold a call of the budget, and the step in which it was counted
        self._calling: dict[int, int] = {}
        #: how many of them are making their request
        self._sending = 0
        #: steps of committed calls of which nothing left so far
        self._reserved: deque[int] = deque()

    def take_up(self, view: View, now: float) -> None:
        """Take up what the store has counted, and the wait after a 429."""
        if not self.ledger.kept:
            return
        counts = self.ledger.read(view)
        breakers = view.breakers(self._target)
        with self._lock:
            late, under_way = self.ledger.late, len(self._calling)
            self._budget.restore(counts.steps, now, late=late, under_way=under_way)
            if counts.remaining is not None:
                self._budget.believe(*counts.remaining)
            for each in breakers:
                if each.reason is Reason.LIMITED and not each.resource:
                    self._budget.hold(each.until)

    def take(self, now: float) -> float:
        """0.0 and a call is taken for a person; else seconds to wait for one."""
        with self._lock:
            return self._budget.take(now, Priority.CREATE)

    def give_back(self) -> None:
        """A person's call is over."""
        with self._lock:
            self._budget.give_back()

    def take_for(self, tx: Transaction, delivery_id: int, priority: Priority, now: float) -> float:
        """0.0 and a call is a delivery's, and counted; else seconds to wait for one."""
        for _ in range(_MOST_READS):
            with self._lock:
                wait = self._budget.take(now, priority)
                if wait > 0.0:
                    return wait
                self._calling[delivery_id] = step_of(now)
            if self.ledger.reserve(tx, now):
                return 0.0
            self.give_back_of(delivery_id)
            self.take_up(tx, now)
        return _SOON

    def begin(self, delivery_id: int) -> None:
        """The claim of a delivery is committed, and its request may leave."""
        with self._lock:
            self._sending += 1
            if self.ledger.kept and delivery_id in self._calling:
                self._reserved.append(self._calling[delivery_id])

    def end(self, delivery_id: int) -> None:
        """The request of a delivery is over."""
        with self._lock:
            self._sending -= 1
        self.give_back_of(delivery_id)

    def give_back_of(self, delivery_id: int) -> None:
        """Give a delivery's call back, if it holds one: it heads its lane again because the store
        could not commit the claim."""
        with self._lock:
            if self._calling.pop(delivery_id, None) is not None:
                self._budget.give_back()

    def use_reserved(self) -> bool:
        """A request leaves: whether it is counted already."""
        with self._lock:
            if self._reserved:
                self._reserved.popleft()
                return True
        return not self.ledger.kept

    def spent(self, now: float, headers: Mapping[str, str]) -> None:
        """A request left, and its answer has these headers."""
        with self._lock:
            self._budget.spent(headers, now)

    def reconcile(self, tx: Transaction) -> None:
        """Take back what was counted and did not leave, and keep what the last answer said."""
        if not self.ledger.kept:
            return
        with self._lock:
            unused = max(len(self._reserved) - self._sending, 0)
            steps = [self._reserved.popleft() for _ in range(unused)]
            stated = self._budget.stated()
        for step in steps:
            tx.uncount_call(self._target, step)
        if stated is not None:
            tx.put_remaining(self._target, Remaining(*stated))

    def hold(self, until: float) -> None:
        """Let nothing go before `until`, after a 429."""
        with self._lock:
            self._budget.hold(until)

    def release(self, tx: Transaction) -> None:
        """Forget what a 429 and X-RateLimit headers said; calls made are counted as before."""
        with self._lock:
            self._budget.release()
        tx.put_remaining(self._target, None)

    def waits(self, now: float) -> tuple[float, float]:
        """Seconds until a registration, and until a read that verifies, may go."""
        with self._lock:
            verify = self._budget.wait(now, Priority.VERIFY)
            return self._budget.wait(now, Priority.CREATE), verify

    def state(self, now: float) -> BudgetState:
        """For people: calls used, the limit, and how long a registration would wait."""
        with self._lock:
            return self._budget.state(now)

    def drained_in(self, now: float, calls: int) -> float:
        """Seconds until this many calls have gone, as far as can be foreseen."""
        with self._lock:
            return self._budget.drained_in(now, calls)

    def shift(self, view: View, seconds: float) -> None:
        """The clock was set by so many seconds, and the counts of the store were moved."""
        self.ledger.read(view)
        with self._lock:
            self._budget.shift(seconds)


def call_limit(settings: Zauto) -> CallLimit:
    """The calls of ZautoAI, of which nothing is counted yet."""
    limits = settings.call_limits()
    return CallLimit(
        Budget(limits), Target.ZAUTO, limited=limits is not None, late=settings.deadline_seconds
    )
