"""Ids the bridge makes itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def ids(clock: Callable[[], float]) -> Callable[[], str]:
    """A source of ids of at most 20 characters (MSH-10 of HL7 2.3 to 2.6) that never repeat.

    Two runs differ by the microsecond they started in, two ids of a run by their number.
    """
    run = _base36(int(clock() * 1_000_000))
    numbers = itertools.count(1)
    # hexadecimal, which Python writes at once: one is made for every message
    return lambda: f"{run}{next(numbers):09X}"


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
