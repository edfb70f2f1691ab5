"""Compiled rules: how one value of a call is found, with nothing left to look up by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from bridge.mapping.codes import CodeTable
from bridge.mapping.functions import Function
from bridge.mapping.scope import Scope
from bridge.message import DELETE


class Found(NamedTuple):
    """A value and where it came from. `DELETE` clears; "" settles that there is nothing."""

    value: Any
    path: str
    raw: str
    made_by: str


class Source(NamedTuple):
    """A path, compiled, with its text for people."""

    text: str
    path: Any


class Finder(Protocol):
    """How a rule finds its value."""

    def find(self, scope: Scope) -> Found | None: ...


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of `when:`."""

    source: Source | None
    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()
    #: of a setting, already decided
    settled: bool = True

    def holds(self, scope: Scope) -> bool:
        """Whether the document, or the site, is so."""
        if self.source is None:
            return self.settled
        texts = [_text(value) for value in scope.look(self.source.path) if value is not DELETE]
        if self.wanted:
            return any(text in self.wanted for text in texts)
        if self.unwanted:
            return all(text not in self.unwanted for text in texts)
        return bool(texts)

    def told(self) -> str:
        """What it asks, for people."""
        path = self.source.text if self.source else "a setting of site"
        if self.wanted:
            return f"{path} is none of {', '.join(sorted(self.wanted))}"
        if self.unwanted:
            return f"{path} is one of {', '.join(sorted(self.unwanted))}"
        return f"{path} has no value" if self.source else f"{path} is off"


@dataclass(frozen=True, slots=True)
class Rule:
    """A finder with what is said around it."""

    finder: Finder
    #: file and line, `parts/patient_from_pid.yaml:12`
    place: str
    on_create: bool = False
    when: tuple[Condition, ...] = ()

    def find(self, scope: Scope) -> Found | None:
        """The value, or None where the rule finds nothing."""
        for condition in self.when:
            if not condition.holds(scope):
                return None
        return self.finder.find(scope)


@dataclass(frozen=True, slots=True)
class Fixed:
    """`constant:` and `site:`: always the same."""

    found: Found | None

    def find(self, scope: Scope) -> Found | None:
        return self.found


@dataclass(frozen=True, slots=True)
class IdOf:
    """`id_of:` the external id of a call made before."""

    resource: str
    made_by: str

    def find(self, scope: Scope) -> Found | None:
        external_id = scope.ids.get(self.resource)
        return Found(external_id, "", external_id, self.made_by) if external_id else None


@dataclass(frozen=True, slots=True)
class Read:
    """`from:` the first value of the first path that gives one."""

    sources: tuple[Source, ...]
    function: Function
    codes: CodeTable | None
    default: Found | None

    def find(self, scope: Scope) -> Found | None:
        deleted = unknown = None
        for source in self.sources:
            values = scope.document.values(source.path)
            if not values:
                continue
            scope.where = source.text
            for value in _ordered(values, self.function, scope):
                if value is DELETE:
                    deleted = deleted or source
                    continue
                made = self.function.make(value, scope)
                if made is None:
                    continue
                if self.codes is None:
                    return Found(made, _path(source, value, values), raw(value), self.function.name)
                row = self.codes.row(made)
                if row is not None:
                    return Found(row.value, _path(source, value, values), raw(value), row.made_by)
                unknown = unknown or (made, source, value, values)
        if unknown is not None:
            return self._otherwise(scope, *unknown)
        return Found(DELETE, deleted.text, '""', "") if deleted else self.default

    def _otherwise(
        self, scope: Scope, made: Any, source: Source, value: Any, values: Sequence[Any]
    ) -> Found | None:
        assert self.codes is not None
        row = self.codes.otherwise(made)
        if row is None:
            scope.where = source.text
            scope.remark(f"holds a code that codes/{self.codes.name} does not know; left out")
            return self.default
        return Found(row.value, _path(source, value, values), raw(value), row.made_by)


@dataclass(frozen=True, slots=True)
class Join:
    """`from:` with `join:`: all values of all paths as one text."""

    sources: tuple[Source, ...]
    function: Function
    between: str

    def find(self, scope: Scope) -> Found | None:
        texts: list[str] = []
        read: list[str] = []
        for source in self.sources:
            scope.where = source.text
            values = [v for v in scope.look(source.path) if v is not DELETE]
            made = [self.function.make(value, scope) for value in values]
            texts += [str(one) for one in made if one not in (None, "")]
            read += [raw(value) for value in values]
        if not texts:
            return None
        paths = ", ".join(source.text for source in self.sources)
        return Found(self.between.join(texts), paths, self.between.join(read), self.function.name)


def _ordered(values: Sequence[Any], function: Function, scope: Scope) -> Sequence[Any]:
    if function.order is None or values[0] is DELETE:
        return values
    return function.order(values, scope)


def _path(source: Source, value: Any, values: Sequence[Any]) -> str:
    """The path, with the number of the value behind it where it is not the first."""
    if values[0] is value:
        return source.text
    number = next(n for n, one in enumerate(values, 1) if one is value)
    return f"{source.text} #{number}"


def raw(value: Any) -> str:
    """A source value as text, as it was sent."""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list, bool, int, float)):
        return json.dumps(value, ensure_ascii=False)
    return str(value.raw)


def _text(value: Any) -> str:
    """A value as conditions compare it: of a compound, the first component."""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list, bool, int, float)):
        return json.dumps(value, ensure_ascii=False)
    return str(value.component(1))
