"""Sources written out: how what a document says is asked for, each source once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import NamedTuple

from bridge.hl7v2.paths import EVERY
from bridge.mapping.codes import CodeTable
from bridge.mapping.engine.generate import runtime
from bridge.mapping.engine.generate.sinks import Found
from bridge.mapping.engine.generate.text import SourceText
from bridge.mapping.engine.rules import Condition, Read, Rule
from bridge.mapping.functions.compounds import plain
from bridge.mapping.scope import Source


class SharedRead(NamedTuple):
    """What rules that read alike have in common."""

    read: Read
    table: CodeTable | None


class SourceWriter:
    """Writes what asks a document; HL7's is asked only where the field is not empty."""

    def __init__(self, text: SourceText, *, hl7: bool) -> None:
        self._text = text
        self._hl7 = hl7
        #: the number that several rules' read or source goes by
        self._shared: Mapping[SharedRead | Source, int] = {}
        self._numbers = 0

    def share(self, rules: Sequence[Rule]) -> None:
        """Find what several of these rules read, and write that nothing is read yet."""
        readers = Counter(
            SharedRead(rule.finder, rule.table) for rule in rules if isinstance(rule.finder, Read)
        )
        sources = Counter(source for reader in readers for source in reader.read.sources)
        sources.update([_unordered(source) for source in sources if source.order])
        several = [one for uses in (readers, sources) for one, count in uses.items() if count > 1]
        self._shared = {one: self._numbers + place for place, one in enumerate(several)}
        self._numbers += len(several)
        for one, number in self._shared.items():
            if isinstance(one, Source):
                self._text.line(f"c{number} = None")
            else:
                self._text.line(f"v{number} = {self._text.bind(runtime.UNREAD)}")

    def test(self, condition: Condition) -> str:
        """Whether a condition holds, as an expression."""
        if condition.source is None:
            return str(condition.decided)
        holds = f"{self._text.bind(condition)}.holds({self._reading(condition.source)})"
        if not self._hl7:
            return holds
        field = field_of(condition.source)
        absent = condition.unwanted or condition.empty
        return f"(not {field} or {holds})" if absent else f"({field} and {holds})"

    def found(self, reader: SharedRead) -> Found:
        number = self._shared.get(reader)
        suffix = "" if number is None else str(number)
        v, r, p, m = (f"{name}{suffix}" for name in "vrpm")
        names = Found(v, r, p, m if reader.table else "")
        if number is None:
            self._ask_all(reader, names)
        else:
            with self._text.block(f"if {names.value} is {self._text.bind(runtime.UNREAD)}"):
                self._ask_all(reader, names)
        return names

    def _ask_all(self, reader: SharedRead, to: Found) -> None:
        """Ask each source in turn until one gives a value, then whether the sender deletes."""
        text = self._text
        text.line(f"{to.value} = {'missed = ' if reader.table else ''}None")
        if reader.table is not None:
            text.line(f"{to.made_by} = ''")
        first, *others = reader.read.sources
        with self._where_present(first):
            self._ask(reader, first, to)
        with text.block(f"if {to.value} is None"):
            for source in others:
                with text.block(f"if {to.value} is None"), self._where_present(source):
                    self._ask(reader, source, to)
            if reader.table is not None:
                self._look_elsewhere(reader.table, to)
            # a code without a row says something, so that nothing is deleted
            spoken = "" if reader.table is None else " and missed is None"
            with text.block(f"if deleted and {to.value} is None{spoken}"):
                names = f"{to.value}, {to.raw}, {to.path}"
                text.line(f"{names} = scope.deletion({text.bind(reader.read.sources)})")

    def _where_present(self, source: Source) -> AbstractContextManager[None]:
        """Only where the field is not empty, as far as that is known without reading it."""
        return self._text.block(f"if {field_of(source)}") if self._hl7 else nullcontext()

    def _look_elsewhere(self, table: CodeTable, to: Found) -> None:
        """What the table does with a code that has no row."""
        text = self._text
        with text.block(f"if {to.value} is None and missed is not None"):
            names = f"{to.value}, {to.raw}, {to.path}, {to.made_by}"
            otherwise = f"{text.bind(runtime.otherwise)}({text.bind(table)}, missed, scope)"
            text.line(f"{names} = {otherwise}")

    def _ask(self, reader: SharedRead, source: Source, to: Found) -> None:
        """Go through a source's values until one gives something."""
        text, copies = self._text, reader.read.copies and reader.table is None
        if copies and _is_component(source) and source not in self._shared:
            self._copy_component(source, to)
            return
        candidates = self._read_source(source)
        if copies:
            with text.block(f"for {to.value}, {to.raw}, {to.path} in {candidates}"):
                text.line(f"if {to.value}: break")
            text.line(f"else: {to.value} = None")
            return
        with text.block(f"for c, {to.raw}, {to.path} in {candidates}"):
            text.line(f"scope.where, scope.raw = {to.path}, {to.raw}")
            text.line(f"{to.value} = {text.bind(reader.read.make)}(c, scope)")
            with text.block(f"if {to.value} is not None"):
                if reader.table is not None:
                    self._look_up(reader.table, to)
                else:
                    text.line("break")

    def _copy_component(self, source: Source, to: Found) -> None:
        """The way of most texts: in a field that does not repeat there is but one to ask."""
        text, field = self._text, field_of(source)
        text.line(f"{to.raw} = document.syntax.part({field}, {source.path.component})")
        with text.block(f"if {to.raw} is None"):
            names = f"{to.value}, {to.raw}, {to.path}"
            text.line(f"{names} = scope.first_text({text.bind(source)}, {field})")
        with text.block("else"):
            text.line(f"{to.value}, {to.path} = {to.raw}.strip() or None, {text.bind(source.text)}")

    def _look_up(self, table: CodeTable, to: Found) -> None:
        """Take the row of a code, and of several codes the first that has one."""
        text = self._text
        rows = text.bind(table)
        if table.senders:
            rows += ".of_sender(scope.context.sender)"
        text.line(f"row = {rows}.row({to.value})")
        with text.block("if row is not None"):
            text.line(f"{to.value}, {to.made_by} = row")
            text.line("break")
        text.line(f"if missed is None: missed = ({to.value}, {to.raw}, {to.path})")
        text.line(f"{to.value} = None")

    def _read_source(self, source: Source) -> str:
        """The values at a source, whose field is known not to be empty."""
        if source not in self._shared:
            return self._in_order(source)
        name = f"c{self._shared[source]}"
        with self._text.block(f"if {name} is None"):
            self._text.line(f"{name} = {self._in_order(source)}")
        return name

    def _in_order(self, source: Source) -> str:
        if source.order is None:
            return self._reading(source)
        as_they_stand = self._read_source(_unordered(source))
        return f"{self._text.bind(source.order)}({as_they_stand}, scope)"

    def all_at(self, sources: Sequence[Source]) -> str:
        """All values at these sources, each source's as one item, as one expression."""
        return f"({''.join(f'{self._candidates(source)}, ' for source in sources)})"

    def _candidates(self, source: Source) -> str:
        """The values at a source, as one expression."""
        reading = self._reading(source)
        return f"({reading} if {field_of(source)} else ())" if self._hl7 else reading

    def _reading(self, source: Source) -> str:
        name = self._text.bind(source)
        if not self._hl7:
            return f"scope.read({name})"
        return f"scope.{_reader_of(source)}({name}, {field_of(source)})"


def _reader_of(source: Source) -> str:
    """The short way to read an HL7 source, where there is one."""
    path = source.path
    if not path.usual or path.subcomponent > 1:
        return "read_field"
    if source.read is plain:
        return "read_text"
    return "read_whole" if path.component is None else "read_field"


def _is_component(source: Source) -> bool:
    """Whether it is one component of an HL7 field, as plain text."""
    return _reader_of(source) == "read_text" and source.path.component is not None


def _unordered(source: Source) -> Source:
    return replace(source, order=None)


def line_name(segment: str, occurrence: int) -> str:
    """The name of the list that holds a segment's fields: `PID`, `NK1_2`, `AIS_all`."""
    which = "all" if occurrence == EVERY else occurrence
    return segment if occurrence == 1 else f"{segment}_{which}"


def field_of(source: Source) -> str:
    """The text of an HL7 source's field, as an expression."""
    return f"{line_name(*source.path.line)}[{source.path.field}]"
