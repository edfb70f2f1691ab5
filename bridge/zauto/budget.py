"""How many calls may be made now, so that ZautoAI never has to answer 429.

Two rolling windows, an hour and a minute. A call is counted from the moment it is taken until
its answer is there, and from then for the length of the window: ZautoAI counted it some time in
between, so whatever the network delays, its count is never above ours.

    wait = budget.take(now, Priority.CREATE)   # 0.0: go; else seconds until it is worth asking
    budget.spent(headers, now)                 # each HTTP request that left, token included
    budget.give_back()                         # the call is over, whatever came of it

The hour is not dripped out evenly: a burst may use the minute's limit as long as the hour keeps
back what more urgent calls may need. What those used in the last hour stays theirs without
bookkeeping, because their slots come free as the window rolls; `_KEPT_BACK` covers their growth.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from bridge.settings import CallLimits
from bridge.zauto.headers import RateLimit, rate_limit

HOUR = 3600.0
MINUTE = 60.0
#: seconds to ask again after, when all that stands in the way are calls under way
_SOON = 0.05
#: seconds by which two readings of one X-RateLimit-Reset may differ
_SAME_RESET = 3.0
#: seconds of the steps in which calls are counted for a restart
STEP_SECONDS = 10


def step_of(at: float) -> int:
    """The step of time that a call made now is counted in: it ends no earlier than now."""
    return math.ceil(at / STEP_SECONDS)


class Priority(IntEnum):
    """Which call goes first when not all can."""

    #: reads that settle an unanswered call
    VERIFY = 0
    #: new registrations and visits
    CREATE = 1
    UPDATE = 2
    #: providers and other master records
    REFERENCE = 3
    BACKFILL = 4


#: share of the hour that a call of this priority leaves to more urgent ones
_KEPT_BACK: Mapping[Priority, float] = {
    Priority.VERIFY: 0.0,
    Priority.CREATE: 0.10,
    Priority.UPDATE: 0.15,
    Priority.REFERENCE: 0.25,
    Priority.BACKFILL: 0.50,
}
#: and of the minute, so that a registration does not queue behind a backlog of updates
_KEPT_BACK_OF_MINUTE: Mapping[Priority, float] = {
    Priority.VERIFY: 0.0,
    Priority.CREATE: 0.10,
    Priority.UPDATE: 0.20,
    Priority.REFERENCE: 0.30,
    Priority.BACKFILL: 0.50,
}
#: calls of a forecast that are gone through one by one; those behind them go at the even rate
_FORESEEN = 5000


@dataclass(frozen=True, slots=True)
class BudgetState:
    """What people are shown."""

    #: calls in the last hour, and how many are allowed; None where there is no limit
    used: int
    limit: int | None
    #: when the hour's budget is whole again, epoch seconds; None while nothing is used
    resets_at: float | None
    #: seconds until a new registration may go
    waiting: float
    #: calls left and when they are whole again, as the last answer said; None where none did
    told_remaining: int | None = None
    told_until: float | None = None


@dataclass(slots=True)
class _Window:
    """Calls of the last `seconds`, oldest first."""

    seconds: float
    limit: int
    times: deque[float] = field(default_factory=deque)

    def roll(self, now: float) -> None:
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()

    def wait(self, now: float, under_way: int, kept: int) -> float:
        """Seconds until one more call leaves `kept` unused."""
        self.roll(now)
        # A limit too small to keep a share of still lets every priority through.
        over = len(self.times) + under_way + 1 - max(self.limit - kept, 1)
        if over <= 0:
            return 0.0
        if over > len(self.times):
            return _SOON if not self.times else max(self.times[-1] + self.seconds - now, _SOON)
        return max(self.times[over - 1] + self.seconds - now, _SOON)


class _Ahead:
    """A window as it fills up in a forecast."""

    def __init__(self, window: _Window, most: int, now: float, under_way: int) -> None:
        self._times = [at for at in window.times if at > now - window.seconds]
        self._times += [now] * under_way
        self._seconds, self._most = window.seconds, most
        #: seconds from one call to the next at the even rate
        self.pace = window.seconds / most

    def ready(self) -> float:
        """When the next call may go."""
        full = len(self._times) >= self._most
        return self._times[-self._most] + self._seconds if full else 0.0

    def made(self, at: float) -> None:
        self._times.append(at)


@dataclass(slots=True)
class _Told:
    """What the last answer said is left, and until when."""

    remaining: int
    until: float


class Budget:
    """The calls of one client id; `now` is epoch seconds everywhere."""

    def __init__(self, limits: CallLimits | None) -> None:
        """`limits` None lets everything go."""
        self._limited = limits is not None
        self._allowed = limits = limits or CallLimits()
        self._hour = _Window(HOUR, limits.hour)
        self._minute = _Window(MINUTE, limits.minute)
        self._under_way = 0
        self._told: _Told | None = None
        self._held_until = 0.0

    def take(self, now: float, priority: Priority) -> float:
        """0.0 and a call is taken; else the seconds after which to ask again."""
        wait = self.wait(now, priority)
        if wait == 0.0:
            self._under_way += 1
        return wait

    def give_back(self) -> None:
        """A call that was taken is over; what left of it was reported to `spent`."""
        self._under_way = max(self._under_way - 1, 0)

    def spent(self, headers: Mapping[str, str], now: float) -> None:
        """Count one HTTP request that left; `headers` of its answer, empty where none came."""
        if not self._limited:
            return
        self._turn_back(now)
        self._hour.times.append(now)
        self._minute.times.append(now)
        if self._told is not None:
            self._told.remaining -= 1
        told = rate_limit(headers, now)
        if told is not None and told.limit != self._minute.limit:
            self._correct(told, now)

    def hold(self, until: float) -> None:
        """Let nothing go before `until`, after a 429."""
        self._held_until = max(self._held_until, until)

    def release(self) -> None:
        """Forget what a 429 and X-RateLimit headers said; calls made are counted as before."""
        self._held_until = 0.0
        self._told = None

    def wait(self, now: float, priority: Priority) -> float:
        """Seconds until a call of this priority may go; takes nothing."""
        if not self._limited:
            return 0.0
        self._turn_back(now)
        kept = int(self._hour.limit * _KEPT_BACK[priority])
        share = _KEPT_BACK_OF_MINUTE[priority]
        return max(
            self._hour.wait(now, self._under_way, kept),
            self._minute.wait(now, self._under_way, int(self._minute.limit * share)),
            self._wait_as_told(now, kept),
            self._held_until - now,
            0.0,
        )

    def state(self, now: float) -> BudgetState:
        """For `bridge status` and the pages."""
        self._hour.roll(now)
        used = len(self._hour.times) + self._under_way
        told = self._told if self._told is not None and now < self._told.until else None
        return BudgetState(
            used=used,
            limit=self._hour.limit if self._limited else None,
            resets_at=self._hour.times[-1] + HOUR if self._hour.times else None,
            waiting=self.wait(now, Priority.CREATE),
            told_remaining=max(told.remaining, 0) if told else None,
            told_until=told.until if told else None,
        )

    def drained_in(self, now: float, calls: int) -> float:
        """Seconds until this many more calls have gone, updates among them, if each goes as soon
        as it may and nothing else comes."""
        if not self._limited or calls <= 0:
            return 0.0
        foreseen = min(calls, _FORESEEN)
        hour, minute = (
            _Ahead(window, max(window.limit - int(window.limit * share), 1), now, self._under_way)
            for window, share in (
                (self._hour, _KEPT_BACK[Priority.UPDATE]),
                (self._minute, _KEPT_BACK_OF_MINUTE[Priority.UPDATE]),
            )
        )
        at = max(now, self._held_until)
        for number in range(foreseen):
            at = max(at, hour.ready(), minute.ready(), self._told_ready(number))
            hour.made(at)
            minute.made(at)
        return at - now + (calls - foreseen) * max(hour.pace, minute.pace)

    def _told_ready(self, calls: int) -> float:
        """When a call may go by the server's count, with this many before it."""
        told = self._told
        kept = int(self._hour.limit * _KEPT_BACK[Priority.UPDATE])
        return told.until if told is not None and calls >= told.remaining - kept else 0.0

    def restore(
        self, steps: Iterable[tuple[int, int]], now: float, *, late: float, under_way: int = 0
    ) -> None:
        """Take up the calls that were counted by step of time before each of them left.

        ZautoAI may have counted a call at any time until its answer, so each counts as made `late`
        seconds after its step, but not later than now. The last `under_way` of them are taken
        already.
        """
        times = [
            min(step * STEP_SECONDS + late, now) for step, count in steps for _ in range(count)
        ]
        del times[len(times) - under_way :]
        self._hour.times = deque(times)
        self._minute.times = deque(times)

    def stated(self) -> tuple[int, int, float] | None:
        """The limit of the hour, the calls left of it, and until when, as the last answer said."""
        if self._told is None:
            return None
        return self._hour.limit, max(self._told.remaining, 0), self._told.until

    def believe(self, limit: int, remaining: int, until: float) -> None:
        """Take up what `stated` returned before a restart."""
        self._hour.limit = min(self._allowed.hour, limit)
        self._told = _Told(remaining, until)

    def shift(self, seconds: float) -> None:
        """The clock was set: what was counted and said stays as far away as it was."""
        for window in (self._hour, self._minute):
            window.times = deque(at + seconds for at in window.times)
        self._held_until += seconds
        if self._told is not None:
            self._told.until += seconds

    def _correct(self, told: RateLimit, now: float) -> None:
        self._hour.limit = min(self._allowed.hour, told.limit)
        # Other calls under way may or may not be in the server's count: assume they are not.
        left, until = told.remaining - max(self._under_way - 1, 0), now + told.reset_in
        # Answers overtake each other: within one window of the server the lowest count holds.
        if self._told is not None and abs(until - self._told.until) <= _SAME_RESET:
            left = min(left, self._told.remaining)
        self._told = _Told(left, until)

    def _wait_as_told(self, now: float, kept: int) -> float:
        if self._told is None or now >= self._told.until:
            return 0.0
        free = self._told.remaining - self._under_way > min(kept, self._hour.limit - 1)
        return 0.0 if free else max(self._told.until - now, _SOON)

    def _turn_back(self, now: float) -> None:
        """A clock that was set back must not make calls count for longer than a window."""
        for window in (self._hour, self._minute):
            if window.times and window.times[-1] > now + STEP_SECONDS:
                window.times = deque(min(at, now) for at in window.times)
        # Nobody is held, and no window of the server lasts, for longer than an hour.
        self._held_until = min(self._held_until, now + HOUR)
        if self._told is not None:
            self._told.until = min(self._told.until, now + HOUR)
