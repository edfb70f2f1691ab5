"""What the options of a rule (`zone:`, `unit:`, `units:` …) make of the function `as:` names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bridge.errors import Fault
from bridge.mapping.codes import CodeTable
from bridge.mapping.engine.rules import Make
from bridge.mapping.functions import DOSES, ZONED, Function, units
from bridge.mapping.language.rule_words import RuleText
from bridge.mapping.scope import Scope
from bridge.yamlfile import Word, nearest

QUANTITY = "quantity"
_Tables: TypeAlias = Mapping[str, CodeTable]


@dataclass(frozen=True, slots=True)
class _Prefixed:
    """Makes what another makes, with a text before it."""

    make: Make
    prefix: str

    def __call__(self, value: Any, scope: Scope) -> Any:
        made = self.make(value, scope)
        return made if made in (None, "") else f"{self.prefix}{made}"


def with_options(rule: RuleText, function: Function, tables: _Tables, faults: list[Fault]) -> Make:
    """The function as this rule uses it; the prefix of joined values is the whole text's."""
    make = _with_option(rule, function, tables, faults)
    if rule.prefix is None or rule.join is not None:
        return make
    return _Prefixed(make, rule.prefix.text)


def _with_option(rule: RuleText, function: Function, tables: _Tables, faults: list[Fault]) -> Make:
    if rule.zone is not None and function.name not in ZONED:
        told = ", ".join(sorted(ZONED))
        faults.append(rule.zone.place.fault(f"{rule.key}.zone", f"'zone' goes with 'as: {told}'."))
    elif rule.zone is not None:
        return partial(function.make, zone=_zone(rule.zone, rule.key, faults))
    if function.name in DOSES:
        return _dose(rule, function, tables, faults)
    if rule.units is not None:
        told = ", ".join(sorted(DOSES))
        message = f"'units' goes with 'as: {told}'."
        faults.append(rule.units.place.fault(f"{rule.key}.units", message))
    if function.name == QUANTITY:
        return _quantity(rule, function, faults)
    for word, name in ((rule.unit, "unit"), (rule.stated, "stated")):
        if word is not None:
            faults.append(
                word.place.fault(f"{rule.key}.{name}", f"'{name}' goes with 'as: {QUANTITY}'.")
            )
    return function.make


def _zone(word: Word, key: str, faults: list[Fault]) -> ZoneInfo:
    try:
        return ZoneInfo(word.text)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # `Asia` is a folder of the database
        message = f"there is no time zone '{word.text}'."
        near = nearest(word.text, available_timezones())
        faults.append(word.place.fault(f"{key}.zone", message, near))
        return ZoneInfo("UTC")


def _dose(rule: RuleText, function: Function, tables: _Tables, faults: list[Fault]) -> Make:
    if rule.units is None:
        message = "name the code table of the units that are known, such as units: dose_unit."
        faults.append(rule.place.fault(f"{rule.key}.units", message))
        return function.make
    table = tables.get(rule.units.text)
    if table is None:
        message = f"there is no code table '{rule.units.text}'."
        near = nearest(rule.units.text, tables)
        faults.append(rule.units.place.fault(f"{rule.key}.units", message, near))
        return function.make
    return partial(function.make, units=table)


def _quantity(rule: RuleText, function: Function, faults: list[Fault]) -> Make:
    if rule.unit is None:
        faults.append(rule.place.fault(f"{rule.key}.unit", "say the unit wanted, such as kg."))
        return function.make
    named = {"unit": rule.unit, "stated": rule.stated or rule.unit}
    for key, word in named.items():
        if not units.known_unit(word.text):
            message = f"'{word.text}' is no unit known here."
            fault = word.place.fault(f"{rule.key}.{key}", message, nearest(word.text, units.UNITS))
            faults.append(fault)
            return function.make
    stated = rule.stated.text if rule.stated else ""
    if stated and not units.same_kind(rule.unit.text, stated):
        message = f"{stated} cannot be told in {rule.unit.text}."
        faults.append(named["stated"].place.fault(f"{rule.key}.stated", message))
    return partial(function.make, wanted=rule.unit.text, stated=stated)
