"""What a store keeps of destinations over a restart: their part of its contract.

Times are seconds since the epoch. `redate` moves all of them when the clock jumped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from bridge.delivery import NetworkFault, Reason, Target


@dataclass(frozen=True, slots=True)
class Breaker:
    """An open circuit breaker: one resource of a destination, or ("") all, is not called."""

    resource: str
    #: the first time in a row, and until when
    since: float
    until: float
    #: how long it stays open after the last failure
    seconds: float
    reason: Reason
    #: how often in a row it opened, without a success between
    times: int = 1
    #: the address and credentials that were refused
    client: str = ""

    def lasts(self, now: float) -> bool:
        """Whether it is open now."""
        return self.until > now

    def bounded(self, now: float) -> Breaker:
        """Itself, or waited out again from now on where the clock was set back."""
        return replace(self, until=now + self.seconds) if self.until - now > self.seconds else self


@dataclass(frozen=True, slots=True)
class Trouble:
    """A destination that accepts nothing at present."""

    #: when the first of the failures in a row began
    since: float
    #: of the latest of them
    reason: Reason
    fault: NetworkFault | None = None
    #: requests in a row that failed so that one at a time is enough
    failures: int = field(default=0, compare=False)


class MissingEndpoint(NamedTuple):
    """An operation that ZautoAI turned out not to offer."""

    operation: str
    resource: str
    #: when it is tried again
    until: float


class Remaining(NamedTuple):
    """What the last answer said of the limit of an hour."""

    limit: int
    remaining: int
    until: float


class CallCounts(NamedTuple):
    """The calls of a destination, as counted."""

    #: grows with each change, whichever process made it
    revision: int
    #: calls by step of time, the oldest first
    steps: Sequence[tuple[int, int]]
    remaining: Remaining | None = None


class FarEndView(Protocol):
    """What can be read."""

    def breakers(self, target: Target) -> Sequence[Breaker]: ...

    def trouble(self, target: Target) -> Trouble | None: ...

    def missing_endpoints(self, target: Target) -> Sequence[MissingEndpoint]: ...

    def failures(self, delivery_id: int) -> int:
        """How many requests of a delivery in a row had no effect."""
        ...

    def call_counts(self, target: Target) -> CallCounts: ...

    def seen_at(self) -> float:
        """The latest time that was noted; 0.0 before the first."""
        ...


class FarEndTransaction(Protocol):
    """What can be changed."""

    def put_breaker(self, target: Target, breaker: Breaker) -> None: ...

    def end_breaker(self, target: Target, resource: str) -> None: ...

    def put_trouble(self, target: Target, trouble: Trouble | None) -> None: ...

    def put_missing_endpoint(self, target: Target, missing: MissingEndpoint) -> None: ...

    def end_missing_endpoint(self, target: Target, operation: str, resource: str) -> None: ...

    def count_failure(self, delivery_id: int) -> None:
        """One more request of a delivery in a row had no effect."""
        ...

    def end_failures(self, delivery_id: int) -> None: ...

    def forget_failures(self) -> None:
        """Forget what was counted of deliveries that do not wait any more."""
        ...

    def count_unclear(self, delivery_id: int) -> int:
        """A delivery had no clear answer: how often that was so although another record had been
        written since the time before."""
        ...

    def end_unclear(self, delivery_id: int) -> None: ...

    def record_written(self) -> None:
        """ZautoAI accepted a record."""
        ...

    def count_calls(self, target: Target, step: int, *, revision: int | None = None) -> int | None:
        """Count a call in a step of time; returns the new revision of the counts.

        Where a revision is given and is not that of the counts, nothing is counted, and None is
        returned: read them again. Until the commit no other process can count.
        """
        ...

    def uncount_call(self, target: Target, step: int) -> None:
        """A call that was counted in this step did not leave."""
        ...

    def forget_calls(self, target: Target, before: int) -> None:
        """Forget the calls of earlier steps."""
        ...

    def put_remaining(self, target: Target, remaining: Remaining | None) -> None: ...

    def note_time(self, now: float) -> None:
        """Remember the time, so that a clock that was set back is noticed at the next start."""
        ...

    def redate(
        self, now: float, *, shift: float, step_seconds: int, quiet: float, again: float
    ) -> None:
        """Move what waits to the time of a clock that jumped by `shift` and is now at `now`.

        Each wait goes on for as long as it would have. Quiet times (heads in VERIFY) last another
        `quiet` seconds at least, and second reads wait `again` seconds.
        """
        ...
