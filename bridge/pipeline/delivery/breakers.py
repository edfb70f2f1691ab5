"""Circuit breakers: calls that would only fail are not made, until it is worth trying again.

What concerns more than one delivery (the token, the limit, an endpoint that is down) opens the
breaker of one resource, or of all of them. Open ones survive a restart (`keep`, `take_up`), because
a destination that asked for a pause must not be called at once only because the bridge was
restarted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import structlog

from bridge.delivery import Kind, Outcome, Reason, Target
from bridge.store.contract import Transaction
from bridge.store.far_end import Breaker
from bridge.zauto.headers import LONGEST

#: seconds a breaker stays open when only a person can mend what opened it
OPEN_SECONDS = 60.0
#: the longest that one stays open only because the call failed the last time too
MOST_SECONDS = 900.0

#: failures that concern every call to the destination
_OPENS_ALL = frozenset(
    {
        Reason.UNAUTHORIZED,
        Reason.BAD_CREDENTIALS,
        Reason.LIMITED,
        Reason.REDIRECTED,
        Reason.CERTIFICATE,
    }
)
_OPENS_RESOURCE = frozenset({Reason.FORBIDDEN, Reason.WRONG_RECORD})


class CircuitBreakers:
    """The open breakers of a destination, by resource; "" stands for all of them."""

    def __init__(self, target: Target = Target.ZAUTO, client: str = "") -> None:
        """`client` stands for the address and credentials: others are not refused because these
        were."""
        self._target = target
        self._client = client
        self._open: dict[str, Breaker] = {}
        #: False once the store was seen to keep none, until one is kept
        self._may_be_kept = True
        self._log = structlog.get_logger()

    def note(self, outcome: Outcome, resource: str, now: float) -> Breaker | None:
        """Open the breaker that an outcome asks for; returns it where it was not open before."""
        if outcome.reason in _OPENS_ALL:
            return self._trip("", outcome, outcome.retry_after or OPEN_SECONDS, now)
        if outcome.reason in _OPENS_RESOURCE:
            return self._trip(resource, outcome, OPEN_SECONDS, now)
        if outcome.kind is Kind.DELIVERED:
            self._reset(resource, now)
        return None

    def of(self, resource: str, now: float) -> Breaker | None:
        """The open breaker of this resource, or None; "" asks of all."""
        breaker = self._known(resource, now)
        return breaker if breaker is not None and breaker.lasts(now) else None

    def all(self, now: float) -> Mapping[str, Breaker]:
        """Everything that is open now."""
        # Copied at once, because the store's writer notes outcomes in another thread.
        found = {name: self.of(name, now) for name in self._open.copy()}
        return {name: each for name, each in found.items() if each is not None}

    def close(self, resource: str = "", *, limited: bool) -> None:
        """Let calls go, of one resource or of all; those after a 429 only where `limited`."""
        for name, each in self._open.copy().items():
            if resource in ("", name) and (limited or each.reason is not Reason.LIMITED):
                self._open.pop(name, None)

    def keep(self, tx: Transaction) -> None:
        """Keep what is open, where it changed since it was kept."""
        if not self._open and not self._may_be_kept:
            return
        # Compared with the store and not with a memory of it: a transaction may be undone.
        kept = {each.resource: each for each in tx.breakers(self._target)}
        now_open = self._open.copy()
        for resource in kept.keys() - now_open.keys():
            tx.end_breaker(self._target, resource)
        for resource, breaker in now_open.items():
            if breaker != kept.get(resource):
                tx.put_breaker(self._target, breaker)
        self._may_be_kept = bool(kept or now_open)

    def take_up(self, kept: Iterable[Breaker]) -> None:
        """Take up what `keep` kept; of another client only the wait after a 429, which may be
        counted by address."""
        self._open = {
            each.resource: replace(each, seconds=min(each.seconds, LONGEST))
            for each in kept
            if each.client == self._client or each.reason is Reason.LIMITED
        }

    def _known(self, resource: str, now: float) -> Breaker | None:
        known = self._open.get(resource)
        if known is None or known.bounded(now) is known:
            return known
        self._open[resource] = bounded = known.bounded(now)
        return bounded

    def _trip(self, resource: str, outcome: Outcome, least: float, now: float) -> Breaker | None:
        known = self._known(resource, now)
        if known is not None and known.lasts(now) and known.until - now >= least:
            return None
        # Requests that were under way together are one failure.
        again = known is not None and known.reason is outcome.reason
        times = 1 if known is None or not again else known.times + (not known.lasts(now))
        since = known.since if known is not None and again else now
        seconds = outcome.retry_after or min(least * 2 ** (times - 1), MOST_SECONDS)
        breaker = Breaker(
            resource, since, now + seconds, seconds, outcome.reason, times, self._client
        )
        self._open[resource] = breaker
        self._log.error("calls stopped", resource=resource or "all", reason=outcome.reason)
        return breaker

    def _reset(self, resource: str, now: float) -> None:
        """What goes well after a breaker closed ends the row of failures."""
        for name in ("", resource):
            if name in self._open and not self._open[name].lasts(now):
                del self._open[name]
