"""What was read and written out before, so that a reload does again only what changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from bridge.errors import Fault
from bridge.mapping.codes import CodeTable
from bridge.mapping.engine.compiled import CompiledCall
from bridge.mapping.engine.generate import Written, write
from bridge.mapping.folders import CODES, PARTS
from bridge.mapping.language.declared import read
from bridge.mapping.language.tables import code_table
from bridge.mapping.language.words import FileText, MappingText, MessageText, RecordText, TableText
from bridge.yamlfile import Table, read_table

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Kept(Generic[K, V]):
    """Values by what they were made of; those that are not asked for any more are forgotten."""

    def __init__(self) -> None:
        self._before: dict[K, V] = {}
        self._now: dict[K, V] = {}

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value made of `key`, made now if it is new."""
        if key not in self._now:
            known = self._before.get(key)
            self._now[key] = make() if known is None else known
        return self._now[key]

    def turn(self) -> None:
        """Forget what was not asked for since the last turn."""
        self._before, self._now = self._now, {}


class Memory:
    """Trees of files, code tables and functions of calls; of one thread at a time.

    All of them are made of their key and nothing else. Mappings and sites share what is the same
    for them.
    """

    def __init__(self) -> None:
        self._trees = _Kept[tuple[str, str], tuple[Table | None, tuple[Fault, ...]]]()
        self._texts = _Kept[tuple[str, Table], tuple[FileText | None, tuple[Fault, ...]]]()
        self._tables = _Kept[tuple[str, TableText], CodeTable]()
        self._calls = _Kept[CompiledCall, Written]()

    def tree(self, text: str, file: str, faults: list[Fault]) -> Table | None:
        """The tree of a file's text; None where it is unusable."""
        tree, found = self._trees.get((file, text), lambda: _read(text, file))
        faults += found
        return tree

    def text(self, name: str, table: Table, faults: list[Fault]) -> FileText | None:
        """What a file says; None where that is nothing usable."""
        text, found = self._texts.get((name, table), lambda: _said(name, table))
        faults += found
        return text

    def table(self, text: TableText) -> CodeTable:
        """A code table."""
        return self._tables.get((text.name, text), lambda: code_table(text))

    def call(self, compiled: CompiledCall, title: str) -> Written:
        """The function of a call; mappings that make the same call share it, and its traceback
        shows the title that the first of them has for it."""
        return self._calls.get(compiled, lambda: write(compiled, title))

    def turn(self) -> None:
        """All sets were compiled: forget what none of them has any more."""
        for kept in (self._trees, self._texts, self._tables, self._calls):
            kept.turn()


def _read(text: str, file: str) -> tuple[Table | None, tuple[Fault, ...]]:
    faults: list[Fault] = []
    return read_table(text, file, faults), tuple(faults)


def _said(name: str, table: Table) -> tuple[FileText | None, tuple[Fault, ...]]:
    folder, _, stem = name.partition("/")
    kind: type[FileText] = TableText if folder == CODES else MappingText
    if folder == PARTS:
        kind = MessageText if "message" in table.entries else RecordText
    faults: list[Fault] = []
    text = read(kind, table, faults)
    if text is not None:
        object.__setattr__(text, "name", stem if folder in (PARTS, CODES) else name)
    return text, tuple(faults)
