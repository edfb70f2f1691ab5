"""Compiled rules: how one value of a call is found, with nothing left to look up by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
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
        texts = [_text(value) for value in scope.values(*self.source) if value is not DELETE]
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

    def applies(self, scope: Scope) -> bool:
        """Whether all that `when:` asks is so."""
        return all(condition.holds(scope) for condition in self.when)


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


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """`from:` the first value of the first path that gives one.

    Rules that read alike share one of these, and what it found is kept in the scope: a part often
    names the same place for a field and for a fact.
    """

    sources: tuple[Source, ...]
    function: Function
    default: Found | None = None

    def find(self, scope: Scope) -> Found | None:
        kept: dict[Read, Found | None] = scope.found
        if self not in kept:
            kept[self] = self._search(scope)
        return kept[self]

    def _search(self, scope: Scope) -> Found | None:
        name, make, order = self.function
        for text, path in self.sources:
            values = scope.values(text, path, order)
            if values:
                scope.where = text
            for value in values:
                made = make(value, scope) if value is not DELETE else None
                if made is not None:
                    return Found(made, _path(text, path, value, scope), raw(value), name)
        return _deleted(self.sources, scope) or self.default


@dataclass(frozen=True, slots=True)
class Code:
    """`codes:` what a table makes of a value that is read; the first with a row counts."""

    read: Read
    table: CodeTable

    def find(self, scope: Scope) -> Found | None:
        first = None
        for found in self._each(scope):
            row = self.table.row(found.value)
            if row is not None:
                return Found(row.value, found.path, found.raw, row.made_by)
            first = first or found
        if first is None:
            return _deleted(self.read.sources, scope) or self.read.default
        return self._otherwise(first, scope)

    def _each(self, scope: Scope) -> Iterator[Found]:
        name, make, order = self.read.function
        for text, path in self.read.sources:
            scope.where = text
            for value in scope.values(text, path, order):
                made = make(value, scope) if value is not DELETE else None
                if made is not None:
                    yield Found(made, _path(text, path, value, scope), raw(value), name)

    def _otherwise(self, found: Found, scope: Scope) -> Found | None:
        row = self.table.otherwise(found.value)
        if row is not None:
            return Found(row.value, found.path, found.raw, row.made_by)
        scope.where = found.path
        scope.remark(f"holds a code that codes/{self.table.name} does not know; left out")
        return self.read.default


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
            values = [v for v in scope.values(*source) if v is not DELETE]
            made = [self.function.make(value, scope) for value in values]
            texts += [str(one) for one in made if one not in (None, "")]
            read += [raw(value) for value in values]
        if not texts:
            return None
        paths = ", ".join(source.text for source in self.sources)
        return Found(self.between.join(texts), paths, self.between.join(read), self.function.name)


def _deleted(sources: Sequence[Source], scope: Scope) -> Found | None:
    """The deletion that the first path to hold one states, where no path gave a value."""
    for text, path in sources:
        if DELETE in scope.values(text, path):
            return Found(DELETE, text, '""', "")
    return None


def _path(text: str, path: Any, value: Any, scope: Scope) -> str:
    """The path, with the number of the value behind it where it is not the first."""
    values = scope.values(text, path)
    if len(values) == 1 or values[0] is value:
        return text
    number = next(n for n, one in enumerate(values, 1) if one is value)
    return f"{text} #{number}"


def raw(value: Any) -> str:
    """A source value as text, as it was sent."""
    if isinstance(value, str):
        return value
    stated = getattr(value, "raw", None)
    return json.dumps(value, ensure_ascii=False) if stated is None else str(stated)


def _text(value: Any) -> str:
    """A value as conditions compare it: of a compound, the first component."""
    if isinstance(value, str):
        return value
    if isinstance(value, (dict, list, bool, int, float)):
        return json.dumps(value, ensure_ascii=False)
    return str(value.component(1))
