"""People's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bridge.mapping.functions.compounds import Name, part
from bridge.mapping.scope import Order, Scope

Read = Callable[[Any], Name]
Make = Callable[[Any, Scope], str | None]

#: table 0200: the legal name, then one of no stated type; aliases and maiden names last
_RANK = {"L": 0, "": 1, "U": 1, "D": 2}


def order(read: Read) -> Order:
    """The legal (official) name first, then an untyped one, then the rest as they stand."""

    def ordered(values: Sequence[Any], scope: Scope) -> Sequence[Any]:
        if len(values) == 1:
            return values
        return sorted(values, key=lambda value: _RANK.get(scope.once(read, value).use, 3))

    return ordered


def _whole(name: Name) -> str:
    """Given names, family name and suffix; the prefix is a field of its own."""
    return " ".join(filter(None, (name.given, name.family, name.suffix))) or name.text


def full_name(read: Read) -> Make:
    """`Anita Kumari Sharma`; the prefix is left out."""
    return lambda value, scope: _whole(scope.once(read, value)) or None


def title(read: Read) -> Make:
    """The prefix of the name that is the full name: `Ms`."""

    def make(value: Any, scope: Scope) -> str | None:
        name = scope.once(read, value)
        return name.prefix if _whole(name) else None

    return make


def family(read: Read) -> Make:
    """The family name; of a name that has no parts, the whole (a receiver needs PID-5.1)."""

    def make(value: Any, scope: Scope) -> str | None:
        name = scope.once(read, value)
        if name.family or name.given:
            return name.family
        return _whole(name) or None

    return make


def given(read: Read) -> Make:
    """The given names."""

    def make(value: Any, scope: Scope) -> str | None:
        name = scope.once(read, value)
        return name.given if _whole(name) else None

    return make


# XCN (chapter 2A): .1 id, .2 family, .3 given, .4 further given, .5 suffix, .6 prefix. The
# standard lets either id or name be absent; a provider needs both, from the same repetition.


def _name_of_xcn(value: Any) -> str:
    numbers = (6, 3, 4, 2, 5)
    return " ".join(filter(None, (part(value, number) for number in numbers)))


def provider_id_of_xcn(value: Any, scope: Scope) -> str | None:
    """XCN.1 of the first repetition that also holds a name."""
    identifier = part(value, 1)
    if identifier and not (part(value, 2) or part(value, 3)):
        scope.remark("a provider's id without a name; no provider is made of it")
        return None
    return identifier or None


def provider_name_of_xcn(value: Any, scope: Scope) -> str | None:
    """`Dr Meera Rao`, of the first repetition that also holds an id."""
    if not part(value, 1):
        scope.remark("a provider's name without an id; no provider is made of it")
        return None
    return _name_of_xcn(value) if part(value, 2) or part(value, 3) else None


def doctor_name_of_xcn(value: Any, scope: Scope) -> str | None:
    """The name, with or without an id."""
    return _name_of_xcn(value) if part(value, 2) or part(value, 3) else None


def provider_family_of_xcn(value: Any, scope: Scope) -> str | None:
    """XCN.2 of the same repetition."""
    return part(value, 2) or None if part(value, 1) else None


def provider_given_of_xcn(value: Any, scope: Scope) -> str | None:
    """XCN.3 of the same repetition."""
    return part(value, 3) or None if part(value, 1) else None
