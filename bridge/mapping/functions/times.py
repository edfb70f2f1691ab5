"""Dates and times: HL7 v2 DTM (chapter 2A) and FHIR dateTime in, what each far end wants out."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from bridge.mapping.scope import Scope


def date(value: Any, scope: Scope) -> str | None:
    """A calendar date `YYYY-MM-DD`, from the first eight digits and nothing else.

    A birth date has no zone: senders that convert its midnight write `20180312053000`.
    """
    digits = value[:10].replace("-", "")[:8] if isinstance(value, str) else ""
    if len(digits) < 8:
        scope.remark("holds no whole date; left out")
        return None
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:
        scope.remark("is not a date; left out")
        return None


def date_time(value: Any, scope: Scope) -> str | None:
    """A moment in UTC, `2026-11-22T09:30:00Z`.

    A time without an offset is the site's; a date without a time is its midnight.
    """
    text = value if isinstance(value, str) else ""
    try:
        moment = _iso(text) if text[4:5] == "-" else _dtm(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=scope.zone)
        return moment.astimezone(dt.UTC).isoformat()[:19] + "Z"
    except (ValueError, OverflowError):
        scope.remark("is not a date and time; left out")
        return None


def _iso(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _dtm(text: str) -> dt.datetime:
    """`YYYYMMDD[HH[MM[SS[.S…]]]][+ZZZZ]`; raises ValueError."""
    zone = None
    if len(text) > 5 and text[-5] in "+-":
        zone = _offset(text[-5:])
        text = text[:-5]
    digits = text.partition(".")[0]
    if len(digits) not in (8, 10, 12, 14) or not (digits.isascii() and digits.isdigit()):
        raise ValueError(text)
    numbers = [int(digits[at : at + 2]) for at in range(4, len(digits), 2)]
    return dt.datetime(int(digits[:4]), *numbers, tzinfo=zone)  # type: ignore[misc, arg-type]


def _offset(text: str) -> dt.timezone:
    delta = dt.timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return dt.timezone(-delta if text[0] == "-" else delta)


def hl7_time(value: Any, scope: Scope) -> str:
    """Seconds since the epoch as DTM in the site's zone, `20261122150000+0530`."""
    return _local(value, scope.zone).strftime("%Y%m%d%H%M%S%z")


def hl7_date(value: Any, scope: Scope) -> str | None:
    """A date `YYYY-MM-DD`, or seconds since the epoch, as `YYYYMMDD`."""
    if isinstance(value, str):
        return value.replace("-", "")[:8] or None
    return _local(value, scope.zone).strftime("%Y%m%d")


def _local(seconds: float, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, zone)
