"""Response headers that say when: Date, Retry-After, X-RateLimit-*.

Header names are lower-case here. Epoch times are read against the server's own Date, so that a
clock that is wrong on either side does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

#: longest wait that is believed; the API's longest window is an hour
LONGEST = 3600.0
#: smaller numbers cannot be an epoch of our days and are read as seconds from now
_EARLIEST_EPOCH = 1_000_000_000.0
#: larger ones are an epoch in milliseconds
_LATEST_EPOCH = 100_000_000_000.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What X-RateLimit-Limit, -Remaining and -Reset say together."""

    limit: int
    remaining: int
    #: seconds until `remaining` is `limit` again
    reset_in: float


def server_time(headers: Mapping[str, str], now: float) -> float:
    """The server's Date in epoch seconds; `now` where it has none that can be read."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return now


def seconds_to_reset(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until X-RateLimit-Reset, from 0 to an hour; None where it says nothing sane."""
    seconds = _seconds(headers, "x-ratelimit-reset", now)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait by Retry-After, from 1 to an hour: a number or a date (RFC 9110, 10.2.3),
    or an epoch as X-RateLimit-Reset has, which some servers write there too."""
    seconds = _seconds(headers, "retry-after", now)
    if seconds is None and "retry-after" in headers:
        seconds = _date_in_future(headers["retry-after"], server_time(headers, now))
    return None if seconds is None else min(max(seconds, 1.0), LONGEST)


def rate_limit(headers: Mapping[str, str], now: float) -> RateLimit | None:
    """The three X-RateLimit headers, or None unless all are there and make sense."""
    limit = _number(headers, "x-ratelimit-limit")
    remaining = _number(headers, "x-ratelimit-remaining")
    reset_in = seconds_to_reset(headers, now)
    if limit is None or remaining is None or reset_in is None or limit < 1:
        return None
    return RateLimit(int(limit), int(min(max(remaining, 0), limit)), reset_in)


def _seconds(headers: Mapping[str, str], name: str, now: float) -> float | None:
    """Seconds from now, of a number that is that or an epoch in seconds or milliseconds."""
    number = _number(headers, name)
    if number is None or number < _EARLIEST_EPOCH:
        return number
    epoch = number / 1000 if number > _LATEST_EPOCH else number
    return epoch - server_time(headers, now)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    text = headers.get(name, "").strip()
    # float() would also take "nan", "inf" and "1e400"
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _date_in_future(text: str, reference: float) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() - reference
    except (ValueError, OverflowError):
        return None
