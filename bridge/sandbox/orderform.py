"""The form an order is pushed with: what was typed, what is wrong with it, and the order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.zauto.catalogue import FieldType
from bridge.zauto.contract import ORDERS, Order

#: lines one form can have
MOST_LINES = 20
VISIT = "externalVisitId"


@dataclass(frozen=True, slots=True)
class OrderForm:
    """The form of one order, empty or filled."""

    kind: str
    #: the same for each time this form is sent, so that twice is not two orders
    idempotency_key: str
    visit: str = ""
    #: by field, as typed
    lines: tuple[Mapping[str, str], ...] = ()
    #: name of an input to what is wrong with it
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def order(self) -> Order:
        """What the kind consists of."""
        return ORDERS[self.kind]

    def payload(self) -> dict[str, Any]:
        """The order; the form must be without errors."""
        lines = [self._line(line) for line in self.lines if _filled(line)]
        return {VISIT: self.visit, self.order.lines: lines}

    def _line(self, line: Mapping[str, str]) -> dict[str, Any]:
        return {name: _typed(kind, line[name]) for name, kind in self.order.fields.items()}

    def label(self, name: str) -> str:
        """An input's name for people: `line-0-price` is `Services 1 price`."""
        if not name.startswith("line-"):
            return name
        _, number, word = name.split("-", 2)
        return f"{self.order.lines} {int(number) + 1} {word}"


def empty_form(kind: str, idempotency_key: str) -> OrderForm:
    """A form with one line."""
    return OrderForm(kind, idempotency_key, lines=(_blank(kind),))


def read_form(given: Mapping[str, str], idempotency_key: str, *, more: bool) -> OrderForm:
    """The form as it was filled; `more` adds a line instead of looking for errors.

    `given` must name a kind of order that there is; `idempotency_key` is for a form without one.
    """
    kind = given["kind"]
    lines = tuple(_lines(kind, given)) or (_blank(kind),)
    if more and len(lines) < MOST_LINES:
        lines = (*lines, _blank(kind))
    key, visit = given.get("idempotency_key") or idempotency_key, given.get(VISIT, "").strip()
    errors = {} if more else dict(_errors(kind, visit, lines))
    return OrderForm(kind, key, visit, lines, errors)


def _blank(kind: str) -> dict[str, str]:
    return dict.fromkeys(ORDERS[kind].fields, "")


def _lines(kind: str, given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for number in range(MOST_LINES):
        names = {name: _input(number, name) for name in ORDERS[kind].fields}
        if not names.values() & given.keys():
            return
        yield {name: given.get(each, "").strip() for name, each in names.items()}


def _errors(
    kind: str, visit: str, lines: tuple[Mapping[str, str], ...]
) -> Iterator[tuple[str, str]]:
    if not visit:
        yield VISIT, "is required"
    if not any(map(_filled, lines)):
        yield _input(0, next(iter(ORDERS[kind].fields))), "is required: fill one line at least"
    for number, line in enumerate(lines):
        for name, field_type in ORDERS[kind].fields.items():
            if _filled(line) and _typed(field_type, line[name]) is None:
                yield _input(number, name), "must be a number"


def _input(number: int, name: str) -> str:
    return f"line-{number}-{name}"


def _filled(line: Mapping[str, str]) -> bool:
    return any(line.values())


def _typed(kind: FieldType, text: str) -> Any:
    """The text as the field's type has it; None where it is no number and must be one."""
    if kind is not FieldType.NUMBER:
        return text
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number
