"""Call ledger: the counts of calls in the store, which outlive the process.

The counts have a revision, and each process knows the latest that it saw. If another process has
counted since, or a transaction was undone, the revision differs and the counts are read again.
"""

from __future__ import annotations

from bridge.delivery import Target
from bridge.store.contract import Transaction, View
from bridge.store.far_end import CallCounts
from bridge.zauto.budget import HOUR, step_of


class CallLedger:
    """What was called of one destination; nothing is counted where nothing is `kept`."""

    def __init__(self, target: Target, *, kept: bool, late: float) -> None:
        """`late` is the most seconds from the transaction that counts a call to its answer."""
        self._target = target
        self.kept = kept
        self.late = late
        self._revision = 0
        self._last_step = 0

    def read(self, view: View) -> CallCounts:
        """The counts as they are now."""
        counts = view.call_counts(self._target)
        self._revision = counts.revision
        return counts

    def count(self, tx: Transaction, now: float) -> None:
        """Count a request before it leaves for which nothing is reserved."""
        if not self.kept:
            return
        revision = tx.count_calls(self._target, step_of(now))
        if revision == self._revision + 1:
            self._revision = revision

    def reserve(self, tx: Transaction, now: float) -> bool:
        """Count a delivery's call; False where the counts are not those that are known."""
        if not self.kept:
            return True
        step = step_of(now)
        revision = tx.count_calls(self._target, step, revision=self._revision)
        if revision is None:
            return False
        self._revision = revision
        if step != self._last_step:
            tx.forget_calls(self._target, step_of(now - HOUR - self.late))
            self._last_step = step
        return True
