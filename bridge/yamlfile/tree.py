"""The tree of a YAML file: words, lists and tables that know their line and column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from bridge.errors import Fault

#: where a value stands in a file: its keys and indexes from the top
Way: TypeAlias = tuple[str | int, ...]
#: how a way is shown to people
Show: TypeAlias = Callable[[Way], str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column count from 1."""

    file: str
    line: int
    column: int

    def fault(self, key: str, message: str, suggestion: str | None = None) -> Fault:
        """A fault found here."""
        return Fault(self.file, self.line, self.column, key, message, suggestion)


@dataclass(frozen=True, slots=True)
class Word:
    """A scalar, as it was written."""

    text: str
    place: Place
    #: written without quotes, so that a file with typed values may mean a number by it
    plain: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a table."""

    key: str
    key_place: Place
    value: Node


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A mapping, in the order written; keys are distinct. It is equal to itself alone."""

    entries: dict[str, Entry]
    place: Place
    #: where it stands in its file
    way: Way = ()


Node: TypeAlias = Word | Items | Table


def indexed(way: Way) -> str:
    """A way with its indexes in brackets, `calls[0].use`."""
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in way)
    return shown.removeprefix(".")


def dotted(way: Way) -> str:
    """A way as people read it, `fields.gender.codes`."""
    return ".".join(map(str, way))
