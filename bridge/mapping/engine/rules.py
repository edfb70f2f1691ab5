"""Compiled rules: how one value of a call is found, with nothing left to look up by name.

What stands here is data; `generate` writes the code that runs it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from bridge.hl7v2.paths import Hl7Path, segment_path
from bridge.mapping.codes import CodeTable
from bridge.mapping.scope import Candidates, Scope, Source

Make: TypeAlias = Callable[[Any, Scope], Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of `when:`."""

    source: Source | None
    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()
    #: it holds where there is no value
    empty: bool = False
    #: of a setting, already decided
    decided: bool = True

    def holds(self, candidates: Candidates) -> bool:
        """Whether the values at the source are so."""
        named = self.wanted or self.unwanted
        if not named:
            return bool(candidates) is not self.empty
        for value, _, _ in candidates:
            if _text(value) in named:
                return named is self.wanted
        return named is not self.wanted

    @property
    def asks_presence(self) -> bool:
        """Whether it asks only that there is a value."""
        return self.source is not None and not (self.wanted or self.unwanted or self.empty)

    @property
    def asks_type(self) -> bool:
        """Whether it asks which message type or event this is (MSH-9), and not what is in it."""
        if self.source is None or not isinstance(self.source.path, Hl7Path):
            return False
        return (self.source.path.line[0], self.source.path.field) == ("MSH", 9)

    def told(self) -> str:
        """Why it does not hold, for people."""
        path = self.source.text if self.source else "a setting of site"
        if self.wanted:
            return f"{path} is none of {', '.join(sorted(self.wanted))}"
        if self.unwanted:
            return f"{path} is one of {', '.join(sorted(self.unwanted))}"
        if self.source is None:
            return f"{path} is off"
        if self.source.path == segment_path(path):
            return f"there is {'a' if self.empty else 'no'} {path}"
        return f"{path} has {'a' if self.empty else 'no'} value"


@dataclass(frozen=True, slots=True)
class Fixed:
    """`constant:` and `site:`: always the same; None is a setting without a value."""

    value: Any
    made_by: str


@dataclass(frozen=True, slots=True)
class IdOf:
    """`id_of:` the external id of a call made before."""

    resource: str


@dataclass(frozen=True, slots=True)
class Read:
    """`from:` the first value of the first path that gives one.

    Rules that read alike share one of these, so that it is read once.
    """

    sources: tuple[Source, ...]
    #: the function's name
    made_by: str
    make: Make
    #: its values are texts and taken as they stand
    copies: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """`from:` with `join:`: all values of all paths as one text."""

    sources: tuple[Source, ...]
    made_by: str
    make: Make
    between: str
    #: `prefix:` what stands before it
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Earliest:
    """`as: earliest` the smallest value that all values of all paths give."""

    sources: tuple[Source, ...]
    made_by: str
    make: Make


Finder: TypeAlias = Fixed | IdOf | Read | Join | Earliest
#: finders that read the document
READING = (Read, Join, Earliest)


@dataclass(frozen=True, slots=True)
class Rule:
    """A finder with what is said around it."""

    finder: Finder
    #: file and line, `parts/patient_from_pid.yaml:12`
    place: str
    #: what a value that is read is looked up in
    table: CodeTable | None = None
    #: the value where nothing is read, or the table has no row
    default: str | None = None
    on_create: bool = False
    when: tuple[Condition, ...] = ()


def _text(value: Any) -> str:
    """A value as conditions compare it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
