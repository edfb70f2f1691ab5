"""Times and spans as people read them, in the time zone of the site."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo


def moment(seconds: float, zone: str) -> str:
    """A time since the epoch, to the second, with the zone's short name."""
    return f"{datetime.fromtimestamp(seconds, ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}"


def time_of_day(seconds: float, zone: str) -> str:
    """The same without its date."""
    return f"{datetime.fromtimestamp(seconds, ZoneInfo(zone)):%H:%M:%S %Z}"


def lasting(seconds: float) -> str:
    """How long, in the largest unit that says it: `40 s`, `12 min`, `3 h`, `2 days`."""
    for size, unit in ((172_800, "days"), (7_200, "h"), (120, "min")):
        if seconds >= size:
            return f"{seconds / (size / 2):.0f} {unit}"
    return f"{seconds:.0f} s"
