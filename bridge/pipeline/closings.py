"""What is closed: calls that would only fail are not made, until it is worth trying again.

It survives a restart (`note_in`, `take_up`), because a destination that asked for a pause must not
be called at once only because the bridge was restarted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bridge.delivery import Kind, Outcome, Reason
from bridge.pipeline.settle import closing
from bridge.store.contract import Transaction
from bridge.zauto.headers import LONGEST

#: the longest that anything stays closed only because it failed the last time too
MOST_SECONDS = 900.0
#: name under which the store keeps what is closed
CLOSINGS_NOTE = "closings"


@dataclass(frozen=True, slots=True)
class Closed:
    """One resource, or all of them, that takes no calls."""

    #: epoch seconds: the first time in a row, and until when
    since: float
    until: float
    #: how long it lasts from the last failure
    seconds: float
    reason: Reason
    #: closed how often in a row, with nothing that went well between
    times: int = 1

    def lasts(self, now: float) -> bool:
        """Whether it is closed now."""
        return self.until > now

    def bounded(self, now: float) -> Closed:
        """Itself, or waited out again from now on where the clock was set back."""
        return replace(self, until=now + self.seconds) if self.until - now > self.seconds else self


class Closings:
    """What is closed of one destination, by resource; "" stands for all of them."""

    def __init__(self, client: str = "") -> None:
        """`client` stands for the address and credentials: others are not refused because these
        were."""
        self._client = client
        self._closed: dict[str, Closed] = {}

    def note(self, outcome: Outcome, resource: str, now: float) -> Closed | None:
        """Close what an outcome says must be closed; returns it where it was not closed before."""
        found = closing(outcome, resource)
        if found is None:
            self._forget(outcome, resource, now)
            return None
        known = self._known(found.resource, now)
        if known is not None and known.lasts(now) and known.until - now >= found.seconds:
            return None
        # Requests that were under way together are one failure.
        again = known is not None and known.reason is found.reason
        times = 1 if known is None or not again else known.times + (not known.lasts(now))
        since = known.since if known is not None and again else now
        seconds = outcome.retry_after or min(found.seconds * 2 ** (times - 1), MOST_SECONDS)
        closed = Closed(since, now + seconds, seconds, found.reason, times)
        self._closed[found.resource] = closed
        return closed

    def of(self, resource: str, now: float) -> Closed | None:
        """Why this resource takes no calls now, or None; "" asks of all."""
        closed = self._known(resource, now)
        return closed if closed is not None and closed.lasts(now) else None

    def all(self, now: float) -> Mapping[str, Closed]:
        """Everything that is closed now."""
        # Copied at once, because the store's writer notes outcomes in another thread.
        closed = {name: self.of(name, now) for name in self._closed.copy()}
        return {name: each for name, each in closed.items() if each is not None}

    def end(self, resource: str = "", *, limited: bool) -> None:
        """Let calls go, of one resource or of all; those after a 429 only where `limited`."""
        for name, each in self._closed.copy().items():
            if resource in ("", name) and (limited or each.reason is not Reason.LIMITED):
                self._closed.pop(name, None)

    def note_in(self, tx: Transaction) -> None:
        """Keep what is closed, where it changed since it was kept."""
        # Compared with the store and not with a memory of it: a transaction may be undone.
        closed = {name: asdict(each) for name, each in sorted(self._closed.copy().items())}
        text = json.dumps({"client": self._client, "closed": closed}) if closed else ""
        if text != (tx.note(CLOSINGS_NOTE) or ""):
            tx.put_note(CLOSINGS_NOTE, text)

    def take_up(self, text: str) -> None:
        """Take up what `note_in` kept; of another client only the wait after a 429, which may be
        counted by address."""
        kept = Closings.kept(text)
        for name, each in kept._closed.items():
            if kept._client == self._client or each.reason is Reason.LIMITED:
                self._closed[name] = each

    @classmethod
    def kept(cls, text: str) -> Closings:
        """What `note_in` kept, "" for nothing."""
        noted: dict[str, Any] = json.loads(text) if text else {"client": "", "closed": {}}
        kept = cls(noted["client"])
        for name, values in noted["closed"].items():
            each = Closed(**values | {"reason": Reason(values["reason"])})
            kept._closed[name] = replace(each, seconds=min(each.seconds, LONGEST))
        return kept

    def _known(self, resource: str, now: float) -> Closed | None:
        known = self._closed.get(resource)
        if known is None or known.bounded(now) is known:
            return known
        self._closed[resource] = bounded = known.bounded(now)
        return bounded

    def _forget(self, outcome: Outcome, resource: str, now: float) -> None:
        """What goes well after a closing ended ends the row of them."""
        if outcome.kind is Kind.DELIVERED:
            for name in ("", resource):
                if name in self._closed and not self._closed[name].lasts(now):
                    del self._closed[name]
