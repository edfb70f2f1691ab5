"""Compiled rules: how one value of a call is found, with nothing left to look up by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from bridge.mapping.codes import CodeTable
from bridge.mapping.functions import Function
from bridge.mapping.scope import Scope, Source
from bridge.message import DELETE

#: A value and where it came from: value, path, value as sent, and what made it (a function, a row
#: of a code table, a default). `DELETE` clears; "" settles that there is nothing. A plain tuple,
#: because one is made for every field of every message.
Found: TypeAlias = tuple[Any, str, str, str]


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
        texts = [_text(value) for value, _, _ in scope.candidates(self.source)]
        if self.wanted:
            return not self.wanted.isdisjoint(texts)
        if self.unwanted:
            return self.unwanted.isdisjoint(texts)
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

    #: the finder's `find`, bound once: it is called for every field of every message
    find: Callable[[Scope], Found | None]
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
        return (external_id, "", external_id, self.made_by) if external_id else None


@dataclass(frozen=True, slots=True)
class Read:
    """`from:` the first value of the first path that gives one.

    Rules that read alike share one of these, and what it found is kept in the scope: a part often
    names the same place for a field and for a fact.
    """

    sources: tuple[Source, ...]
    #: the function's name and what it does
    made_by: str
    make: Callable[[Any, Scope], Any]
    default: Found | None
    #: under which what it found is kept
    number: int

    def find(self, scope: Scope) -> Found | None:
        kept: dict[int, Found | None] = scope.found
        number = self.number
        if number in kept:
            return kept[number]
        make, known = self.make, scope.known
        for source in self.sources:
            # `scope.candidates`, but for the call where they are known, which most are
            candidates = known.get(source.number)
            if candidates is None:
                candidates = scope.read(source)
            for value, raw, path in candidates:
                scope.where = path
                made = make(value, scope)
                if made is not None:
                    found = kept[number] = (made, path, raw, self.made_by)
                    return found
        missing = kept[number] = self.otherwise(scope) if scope.deleted else self.default
        return missing

    def otherwise(self, scope: Scope) -> Found | None:
        """Where no path gives a value: the deletion that one of them states, else the default."""
        for source in self.sources:
            if source.unordered in scope.deleted:
                return DELETE, source.text, '""', ""
        return self.default


@dataclass(frozen=True, slots=True)
class Copy(Read):
    """`from:` alone: the short way for a text, which is what most fields hold."""

    def find(self, scope: Scope) -> Found | None:
        kept: dict[int, Found | None] = scope.found
        number = self.number
        if number in kept:
            return kept[number]
        read = scope.document.values
        for source in self.sources:
            values = read(source.path)
            if values:
                first = values[0]
                if type(first) is str and (text := first.strip()):
                    found = kept[number] = (text, source.text, first, "")
                    return found
                return Read.find(self, scope)
        kept[number] = self.default
        return self.default


@dataclass(frozen=True, slots=True)
class Code:
    """`codes:` what a table makes of a value that is read; the first with a row counts."""

    read: Read
    table: CodeTable

    def find(self, scope: Scope) -> Found | None:
        first = self.read.find(scope)
        if first is None or first is self.read.default or first[0] is DELETE:
            return first
        code, path, raw, _ = first
        row = self.table.row(code)
        if row is None:
            return self._behind(first, scope)
        return row.value, path, raw, row.made_by

    def _behind(self, first: Found, scope: Scope) -> Found | None:
        """The next value with a row, where the first that is read has none."""
        make = self.read.make
        passed = False
        for source in self.read.sources:
            for value, raw, path in scope.candidates(source):
                if passed:
                    scope.where = path
                    made = make(value, scope)
                    row = None if made is None else self.table.row(made)
                    if row is not None:
                        return row.value, path, raw, row.made_by
                passed = passed or path == first[1]
        return self._otherwise(first, scope)

    def _otherwise(self, found: Found, scope: Scope) -> Found | None:
        code, path, raw, _ = found
        row = self.table.otherwise(code)
        if row is not None:
            return row.value, path, raw, row.made_by
        scope.where = path
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
            candidates = scope.candidates(source)
            scope.where = source.text
            made = [self.function.make(value, scope) for value, _, _ in candidates]
            texts += [str(one) for one in made if one not in (None, "")]
            read += [raw for _, raw, _ in candidates]
        if not texts:
            return None
        paths = ", ".join(source.text for source in self.sources)
        return self.between.join(texts), paths, self.between.join(read), self.function.name


def _text(value: Any) -> str:
    """A value as conditions compare it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
