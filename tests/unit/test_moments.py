"""Times and spans as people read them."""

from __future__ import annotations

import pytest

from bridge.moments import lasting, moment, time_of_day


def test_a_time_names_its_zone() -> None:
    assert moment(0.0, "Asia/Kolkata") == "1970-01-01 05:30:00 IST"
    assert time_of_day(0.0, "UTC") == "00:00:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(40, "40 s"), (119, "119 s"), (180, "3 min"), (7_200, "2 h"), (259_200, "3 days")],
)
def test_how_long_is_told_in_the_unit_that_says_it(seconds: float, told: str) -> None:
    assert lasting(seconds) == told
