"""Quantities in the unit that is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from bridge.mapping.functions.compounds import parts
from bridge.mapping.functions.numbers import from_json, plain, read_nm
from bridge.mapping.scope import Scope
from bridge.remarks import RemarkCode


class _Unit(NamedTuple):
    """A unit of one kind: `value * factor + offset` is the value in the kind's first unit."""

    kind: str
    factor: Decimal
    offset: Decimal = Decimal(0)


def _of(kind: str, **factors: str) -> dict[str, _Unit]:
    return {name: _Unit(kind, Decimal(factor)) for name, factor in factors.items()}


#: UCUM codes (case matters there, and not here) and what senders write for them
_UNITS: Mapping[str, _Unit] = {
    **_of("mass", kg="1", g="0.001", mg="0.000001", lb="0.45359237", lbs="0.45359237"),
    **_of("mass", oz="0.028349523125"),
    "[lb_av]": _Unit("mass", Decimal("0.45359237")),
    "[oz_av]": _Unit("mass", Decimal("0.028349523125")),
    **_of("length", cm="1", m="100", mm="0.1", ft="30.48"),
    "in": _Unit("length", Decimal("2.54")),
    "[in_i]": _Unit("length", Decimal("2.54")),
    "[ft_i]": _Unit("length", Decimal("30.48")),
    **_of("temperature", cel="1", c="1"),
    "degf": _Unit("temperature", Decimal(5) / 9, Decimal(-160) / 9),
    "[degf]": _Unit("temperature", Decimal(5) / 9, Decimal(-160) / 9),
    "f": _Unit("temperature", Decimal(5) / 9, Decimal(-160) / 9),
    **_of("volume", ml="1", l="1000", dl="100"),
    **_of("time", min="1", h="60", d="1440", wk="10080"),
    "s": _Unit("time", Decimal(1) / 60),
    "mm[hg]": _Unit("pressure", Decimal(1)),
    "mmhg": _Unit("pressure", Decimal(1)),
    "kpa": _Unit("pressure", Decimal("7.50061683")),
}
UNITS = tuple(sorted(_UNITS))


class Quantity(NamedTuple):
    """HL7 CQ (chapter 2A) or FHIR Quantity."""

    number: str
    #: "" where none is named
    unit: str


def read_cq(value: Any) -> Quantity:
    """`72^kg`, or a number alone."""
    number, unit = parts(value, 2)
    return Quantity(number, unit)


def read_quantity(value: Any) -> Quantity:
    """FHIR's `{"value": 72, "unit": "kg", "code": "kg"}`, or a number alone.

    With a comparator (`>`) the value is a bound, and no number is read.
    """
    if not isinstance(value, dict):
        return Quantity(_number_text(value), "")
    unit = value.get("code") or value.get("unit") or ""
    number = "" if value.get("comparator") else _number_text(value.get("value"))
    return Quantity(number, str(unit))


def _number_text(value: Any) -> str:
    """A JSON number without an exponent, a text as it is, and "" for all else."""
    number = from_json(value)
    if number is not None:
        return plain(number)
    return value if isinstance(value, str) else ""


def known_unit(name: str) -> bool:
    """Whether quantities can be turned into this unit."""
    return name.casefold() in _UNITS


def same_kind(one: str, other: str) -> bool:
    """Whether quantities in one unit can be told in the other."""
    return _UNITS[one.casefold()].kind == _UNITS[other.casefold()].kind


def quantity(value: Quantity, scope: Scope, wanted: str, stated: str) -> int | float | None:
    """The number in the unit wanted; `stated` is the unit of one that names none."""
    unit = _UNITS.get((value.unit or stated).casefold())
    target = _UNITS[wanted.casefold()]
    number = read_nm(value.number)
    if number is None:
        scope.remark(RemarkCode.NOT_A_QUANTITY)
        return None
    if unit is None or unit.kind != target.kind:
        scope.remark(RemarkCode.OTHER_UNIT, wanted)
        return None
    converted = (number * unit.factor + unit.offset - target.offset) / target.factor
    rounded = round(converted, 3)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)
