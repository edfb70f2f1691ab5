"""Free text of prescriptions as far as it can be read with certainty."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from bridge.mapping.scope import Scope

_AMOUNT = r"(?:\d+\s*/\s*\d+|\d+(?:\.\d+)?|½|¼|¾)"
_DOSE = re.compile(rf"({_AMOUNT})(?:\s*(?:-|–|to)\s*({_AMOUNT}))?\s*([^\d\s].*)?", re.IGNORECASE)
_GLYPHS = {"½": "0.5", "¼": "0.25", "¾": "0.75"}
_DURATION = re.compile(
    r"(?:for\s+|x\s*)?(\d{1,4})\s*(d|day|days|w|wk|week|weeks|m|month|months|h|hr|hour|hours)",
    re.IGNORECASE,
)
#: first letter to the unit of TQ1-6 (chapter 4.5.4.6: units of time, as in table 0335 durations)
_UNITS = {"d": "d", "w": "wk", "m": "mo", "h": "h"}


class _Dose(NamedTuple):
    minimum: str
    maximum: str
    unit: str


def _dose(value: Any) -> _Dose | None:
    match = _DOSE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    minimum, maximum = _decimal(match[1]), _decimal(match[2]) if match[2] else ""
    return None if minimum is None or maximum is None else _Dose(minimum, maximum, match[3] or "")


def _decimal(text: str) -> str | None:
    """A plain number: `0.5` of `1/2`; None for a fraction that has no end, such as 1/3."""
    text = _GLYPHS.get(text, text)
    over, slash, under = text.partition("/")
    if not slash:
        return text
    if int(under) == 0 or 100 * int(over) % int(under):
        return None
    return str(Decimal(int(over)) / Decimal(int(under)))


def dose_minimum(value: Any, scope: Scope) -> str | None:
    """RXE-3: the number before the unit, the smaller of a range."""
    dose = _dose(value)
    return dose.minimum if dose else None


def dose_maximum(value: Any, scope: Scope) -> str | None:
    """RXE-4: the larger number of a range."""
    dose = _dose(value)
    return dose.maximum or None if dose else None


def dose_unit(value: Any, scope: Scope) -> str | None:
    """RXE-5: what stands behind the number, `tablet`."""
    dose = _dose(value)
    return dose.unit.strip() or None if dose else None


def dose_unread(value: Any, scope: Scope) -> str | None:
    """A note for the pharmacist where the dose holds no number that can be read."""
    return None if _dose(value) else f"Dose not coded: {value}"


def duration_number(value: Any, scope: Scope) -> str | None:
    """TQ1-6.1: the number, where the text says a duration and nothing else."""
    match = _duration(value)
    return match[1] if match else None


def duration_unit(value: Any, scope: Scope) -> str | None:
    """TQ1-6.2: its unit of time."""
    match = _duration(value)
    return _UNITS[match[2][0].lower()] if match else None


def _duration(value: Any) -> re.Match[str] | None:
    return _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
