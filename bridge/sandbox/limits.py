"""The document's rate limits: 1000 requests an hour and 100 a minute for each client.

Fixed windows on the clock's hours and minutes: the document's example of a Reset, 1642248000,
is a full hour. Every answer tells the hour's window; a 429 tells the window that refused, so
that waiting until its Reset is right either way. A refused request is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.zauto.contract import (
    LIMIT_HEADER,
    REMAINING_HEADER,
    REQUESTS_A_MINUTE,
    REQUESTS_AN_HOUR,
    RESET_HEADER,
)


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Requests allowed one client."""

    hour: int = REQUESTS_AN_HOUR
    minute: int = REQUESTS_A_MINUTE


DOCUMENTED = RequestLimits()


@dataclass(frozen=True, slots=True)
class Quota:
    """Where a client stands after a request was counted or refused."""

    allowed: bool
    #: the three headers: requests a window, those left in it, its end in epoch seconds
    limit: int
    remaining: int
    reset: int

    def headers(self) -> Mapping[str, str]:
        """The document's `X-RateLimit-*` headers."""
        return {
            LIMIT_HEADER: str(self.limit),
            REMAINING_HEADER: str(self.remaining),
            RESET_HEADER: str(self.reset),
        }


@dataclass(slots=True)
class _FixedWindow:
    seconds: int
    limit: int
    number: int = -1
    used: int = 0

    def turn(self, now: float) -> None:
        number = int(now) // self.seconds
        if number != self.number:
            self.number, self.used = number, 0

    def standing(self, allowed: bool) -> Quota:
        reset = (self.number + 1) * self.seconds
        return Quota(allowed, self.limit, self.limit - self.used, reset)


class Limiter:
    """Counts requests by client, in memory: a restart forgets them."""

    def __init__(self, limits: RequestLimits) -> None:
        self._limits = limits
        self._windows: dict[str, tuple[_FixedWindow, _FixedWindow]] = {}

    def take(self, client: str, now: float) -> Quota:
        """Count one request of the client, unless a window is used up."""
        hour, minute = windows = self._of(client)
        for window in windows:
            window.turn(now)
        for window in windows:
            if window.used >= window.limit:
                return window.standing(False)
        hour.used += 1
        minute.used += 1
        return hour.standing(True)

    def counted(self, now: float) -> Mapping[str, tuple[Quota, Quota]]:
        """Where each client stands in its hour and its minute, nothing being counted for it."""
        for window in (each for windows in self._windows.values() for each in windows):
            window.turn(now)
        return {
            client: (hour.standing(True), minute.standing(True))
            for client, (hour, minute) in self._windows.items()
        }

    def _of(self, client: str) -> tuple[_FixedWindow, _FixedWindow]:
        if client not in self._windows:
            hour = _FixedWindow(3600, self._limits.hour)
            self._windows[client] = (hour, _FixedWindow(60, self._limits.minute))
        return self._windows[client]
