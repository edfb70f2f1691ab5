"""Dates and times: HL7 v2 DTM (chapter 2A) and FHIR dateTime in, what each far end wants out."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from bridge.mapping.scope import Scope
from bridge.remarks import RemarkCode

#: digits of a year, and of a month
_PARTIAL = (4, 6)


def date(value: Any, scope: Scope) -> str | None:
    """A calendar date `YYYY-MM-DD`, from the first eight digits and nothing else.

    A birth date has no zone: senders that convert its midnight write `20180312053000`.
    """
    digits = value[:10].replace("-", "")[:8] if isinstance(value, str) else ""
    if len(digits) < 8 or not digits.isdigit():
        scope.remark(RemarkCode.NO_WHOLE_DATE)
        return None
    try:
        return dt.date.fromisoformat(digits).isoformat()
    except ValueError:
        scope.remark(RemarkCode.NOT_A_DATE)
        return None


def birth_date(value: Any, scope: Scope) -> str | None:
    """A date of birth; of a year or month alone what `site.partial_birth_dates` says."""
    digits = value.replace("-", "") if isinstance(value, str) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) in _PARTIAL):
        return date(value, scope)
    match scope.site.partial_birth_dates:
        case "first_day":
            return date(digits + "0101"[len(digits) - 4 :], scope)
        case "park":
            scope.park("a birth date of a year or month alone (site.partial_birth_dates: park)")
        case "drop":
            scope.remark(RemarkCode.PARTIAL_BIRTH_DATE)
    return None


def date_time(value: Any, scope: Scope, zone: ZoneInfo | None = None) -> str | None:
    """A moment in UTC, `2026-11-22T09:30:00Z`.

    A time without an offset is of the zone, which is the site's where none is given; a date
    without a time is its midnight.
    """
    text = value if isinstance(value, str) else ""
    if text[:8].isdigit():
        # DTM `YYYYMMDD[HH[MM[SS[.S…]]]][+ZZZZ]` lacks nothing but the T of ISO 8601's basic format
        text = f"{text[:8]}T{text[8:]}" if text[8:9].isdigit() else text[:8]
    try:
        moment = dt.datetime.fromisoformat(text)
        # without its zone from here on: replace, astimezone and isoformat of a moment with one take
        # two to three times as long
        offset = moment.utcoffset()
        if offset is None:
            offset = (zone or scope.zone).utcoffset(moment)
        else:
            moment = dt.datetime.combine(moment, moment.time())
        assert offset is not None
        return (moment - offset).isoformat()[:19] + "Z"
    except (ValueError, OverflowError):
        scope.remark(RemarkCode.NOT_A_TIME)
        return None


def hl7_time(value: Any, scope: Scope, zone: ZoneInfo | None = None) -> str:
    """Seconds since the epoch as DTM in the zone, or the site's: `20261122150000+0530`."""
    return _local(value, zone or scope.zone).strftime("%Y%m%d%H%M%S%z")


def hl7_date(value: Any, scope: Scope, zone: ZoneInfo | None = None) -> str | None:
    """A date `YYYY-MM-DD`, or seconds since the epoch, as `YYYYMMDD`."""
    if isinstance(value, str):
        return value.replace("-", "")[:8] or None
    return _local(value, zone or scope.zone).strftime("%Y%m%d")


def _local(seconds: float, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, zone)
