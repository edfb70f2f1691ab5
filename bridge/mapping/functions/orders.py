"""Free text of prescriptions, coded only where the whole text is understood.

A dose that is read in part is a wrong dose: `10/20 mg` is not half a milligram. What two rules
could read is left to the pharmacist, who gets the words in any case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from bridge.mapping.codes import CodeTable
from bridge.mapping.functions.numbers import from_json, plain, read_decimal
from bridge.mapping.scope import Scope

#: characters of a dose; what is longer is prose
_LONGEST = 100
#: a space, or one of those that do not break a line between a number and its unit
_SPACES = "[ \u00a0\u2009\u202f]*"
_NUMERAL = "[0-9][0-9.,]*"
_SLASHED = f"[0-9]+{_SPACES}/{_SPACES}[0-9]+"
#: the whole part of a mixed number; `500 1/2 tab` is a strength and half a tablet
_WHOLE = "[1-9]"
_AMOUNT = f"(?:{_WHOLE}{_SPACES})?[½¼¾]|{_SLASHED}|{_NUMERAL}"
#: `1 1/2` and `1-1/2`, one and a half: as a range the latter would begin with its greater number
_MIXED = f"{_WHOLE}(?: |-){_SLASHED}"
_DOSE = re.compile(
    f"(?:(?P<mixed>{_MIXED})|(?P<minimum>{_AMOUNT})"
    f"(?:{_SPACES}(?:-|–|to){_SPACES}(?P<maximum>{_AMOUNT}))?)"
    f"{_SPACES}(?P<unit>[^0-9 ].*)?",
    re.IGNORECASE,
)
_WITH_FRACTION = re.compile(
    f"(?:(?P<whole>{_WHOLE})(?:[ -]|{_SPACES}(?=[½¼¾])))?(?P<part>[½¼¾]|{_SLASHED})"
)
#: larger numbers around a stroke are the strengths of two substances: 5/10, 250/125
_PARTS: Mapping[str, Decimal] = {
    "½": Decimal("0.5"),
    "¼": Decimal("0.25"),
    "¾": Decimal("0.75"),
    "1/2": Decimal("0.5"),
    "1/4": Decimal("0.25"),
    "3/4": Decimal("0.75"),
}
#: UCUM units of substances, in which 1/2 and 1/4 may be two strengths as well
_MASS = frozenset({"kg", "g", "mg", "ug", "ng"})
#: times its minimum that a range of a mass reaches at most: `5-325 mg` is two strengths
_WIDEST = 4

_TIMES: Mapping[str, str] = {
    # TQ1-6 (chapter 4.5.4.6): units of time. A lone `m` may be minutes or months
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "wk", "week", "weeks"), "wk"),
    **dict.fromkeys(("month", "months"), "mo"),
    **dict.fromkeys(("h", "hr", "hour", "hours"), "h"),
}
_DURATION = re.compile(
    f"(?:for +|x *)?(?P<number>[0-9]{{1,4}}){_SPACES}(?P<unit>{'|'.join(_TIMES)})",
    re.IGNORECASE | re.ASCII,
)


class _Dose(NamedTuple):
    minimum: Decimal
    #: of a range
    maximum: Decimal | None
    #: as it is written, "" where there is none
    unit: str
    #: a fraction is written with a stroke
    slashed: bool


class _Duration(NamedTuple):
    number: int
    unit: str


def dose_minimum(value: Any, scope: Scope, *, units: CodeTable) -> str | None:
    """RXE-3: the number before the unit, the smaller of a range."""
    dose = _coded(value, scope, units)
    return plain(dose.minimum) if dose else None


def dose_maximum(value: Any, scope: Scope, *, units: CodeTable) -> str | None:
    """RXE-4: the larger number of a range."""
    dose = _coded(value, scope, units)
    return plain(dose.maximum) if dose and dose.maximum is not None else None


def dose_unit(value: Any, scope: Scope, *, units: CodeTable) -> str | None:
    """RXE-5: the unit behind the number as it is written, `tablet`."""
    dose = _coded(value, scope, units)
    return dose.unit or None if dose else None


def dose_unread(value: Any, scope: Scope, *, units: CodeTable) -> str | None:
    """A note for the pharmacist where a dose is not coded; "" where it is, None without a dose."""
    if value == "":
        return None
    return "" if _coded(value, scope, units) else f"Dose not coded: {value}"


def _coded(value: Any, scope: Scope, units: CodeTable) -> _Dose | None:
    """The dose, where all of it is understood and its unit has a row in the table."""
    dose = _dose(value, decimal_comma=scope.site.decimal_comma)
    if dose is None or dose.minimum <= 0:
        return None
    if dose.maximum is not None and dose.maximum <= dose.minimum:
        return None
    if not dose.unit:
        # `1-2` may be times of the day, `1/2` anything
        return None if dose.slashed or dose.maximum is not None else dose
    row = units.of_sender(scope.context.sender).row(dose.unit)
    if row is None:
        if dose.unit[0].isalpha():
            scope.miss(units, dose.unit)
        return None
    return None if row.value in _MASS and _may_be_strengths(dose) else dose


def _may_be_strengths(dose: _Dose) -> bool:
    """Whether a dose in a unit of mass may be the strengths of two substances."""
    return dose.slashed or (dose.maximum is not None and dose.maximum > dose.minimum * _WIDEST)


def _dose(value: Any, *, decimal_comma: bool) -> _Dose | None:
    """What a dose says by its form alone."""
    if not isinstance(value, str):
        number = from_json(value)
        return None if number is None else _Dose(number, None, "", slashed=False)
    text = value.strip()
    match = _DOSE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    first, last = match["mixed"] or match["minimum"], match["maximum"]
    minimum = _amount(first, decimal_comma=decimal_comma)
    maximum = _amount(last, decimal_comma=decimal_comma) if last else None
    if minimum is None or (last and maximum is None):
        return None
    slashed = "/" in first or "/" in (last or "")
    return _Dose(minimum, maximum, (match["unit"] or "").strip(), slashed)


def _amount(text: str, *, decimal_comma: bool) -> Decimal | None:
    match = _WITH_FRACTION.fullmatch(text)
    if match is None:
        return read_decimal(text, decimal_comma=decimal_comma)
    whole = read_decimal(match["whole"] or "0", decimal_comma=decimal_comma)
    part = _PARTS.get("".join(match["part"].split()))
    return None if whole is None or part is None else whole + part


def duration_number(value: Any, scope: Scope) -> str | None:
    """TQ1-6.1: the number, where the whole text is a number and a unit of time."""
    duration = _duration(value)
    return str(duration.number) if duration else None


def duration_unit(value: Any, scope: Scope) -> str | None:
    """TQ1-6.2: its unit of time."""
    duration = _duration(value)
    return duration.unit if duration else None


def duration_unread(value: Any, scope: Scope) -> str | None:
    """A note for the pharmacist where a duration is not coded."""
    return None if value == "" or _duration(value) else f"Duration not coded: {value}"


def _duration(value: Any) -> _Duration | None:
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match["number"]) == 0:
        return None
    return _Duration(int(match["number"]), _TIMES[match["unit"].lower()])
