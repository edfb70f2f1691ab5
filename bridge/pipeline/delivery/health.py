"""Health: whether a destination is in trouble, and since when; kept over a restart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import structlog

from bridge.delivery import Outcome, Reason, Target
from bridge.store.contract import Transaction, View
from bridge.store.far_end import Trouble

#: failures after which one request at a time is enough, until one is answered
_ONE_AT_A_TIME = frozenset(
    {Reason.UNREACHABLE, Reason.SERVER_ERROR, Reason.NO_ANSWER, Reason.NOT_THE_API}
)
#: what says that the destination is in trouble, rather than the one request
_TROUBLE = _ONE_AT_A_TIME | {
    Reason.UNREADABLE_ANSWER,
    Reason.BUSY,
    Reason.CERTIFICATE,
    Reason.UNAUTHORIZED,
    Reason.BAD_CREDENTIALS,
    Reason.REDIRECTED,
}


class Health:
    """What the latest requests say of a destination."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._log = structlog.get_logger().bind(target=str(target))
        #: None as long as the destination accepts what it is sent
        self.trouble: Trouble | None = None

    @property
    def fails(self) -> bool:
        """Whether the latest request failed so that one at a time is enough."""
        return self.trouble is not None and self.trouble.failures > 0

    def take_up(self, view: View) -> None:
        """Take up what the store keeps."""
        self.trouble = view.trouble(self._target)

    def note(self, outcome: Outcome, started: float) -> Callable[[Transaction], None] | None:
        """Learn from a request; how to keep what changed, or None where nothing did.

        That a destination is in trouble is logged once, and once that it is not any more.
        """
        before = self.trouble
        self.trouble = self._following(outcome, started)
        if before is None and self.trouble is None:
            return None
        if before is None:
            self._log.warning("far end in trouble", reason=outcome.reason, why=outcome.fault or "")
        elif self.trouble is None:
            self._log.info("far end answers again")
        return lambda tx: tx.put_trouble(self._target, self.trouble)

    def _following(self, outcome: Outcome, started: float) -> Trouble | None:
        if outcome.reason not in _TROUBLE:
            return None
        before = self.trouble or Trouble(started, outcome.reason)
        failures = before.failures + 1 if outcome.reason in _ONE_AT_A_TIME else 0
        return replace(before, reason=outcome.reason, fault=outcome.fault, failures=failures)
