"""Moments in UTC, whatever zone or offset they were written in."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bridge.mapping.document import Context
from bridge.mapping.functions.times import date_time
from bridge.mapping.scope import Scope
from bridge.settings import Site

ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Kolkata", "America/New_York", "Pacific/Apia")]


def scope_in(zone: ZoneInfo) -> Scope:
    class Nothing:
        def values(self, path: object) -> list[object]:
            return []

    return Scope(Nothing(), Context(), Site(), zone)


@given(st.datetimes(), st.sampled_from(ZONES))
def test_a_time_without_an_offset_is_of_the_zone(moment: dt.datetime, zone: ZoneInfo) -> None:
    try:
        expected = f"{moment.replace(tzinfo=zone).astimezone(dt.UTC).isoformat()[:19]}Z"
    except OverflowError:
        expected = None
    assert date_time(moment.isoformat(), scope_in(zone)) == expected


@given(st.datetimes(), st.integers(-1439, 1439))
def test_a_time_with_an_offset_is_of_no_zone(moment: dt.datetime, minutes: int) -> None:
    aware = moment.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes)))
    try:
        expected = f"{aware.astimezone(dt.UTC).isoformat()[:19]}Z"
    except OverflowError:
        expected = None
    assert date_time(aware.isoformat(), scope_in(ZONES[1])) == expected
