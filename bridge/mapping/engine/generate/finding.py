"""Rules written out: what is asked in which order until a value is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import NamedTuple

from bridge.hl7v2.paths import EVERY
from bridge.mapping.codes import CodeTable
from bridge.mapping.engine.compiled import FieldPlan
from bridge.mapping.engine.generate import runtime
from bridge.mapping.engine.generate.sinks import Found, Sink
from bridge.mapping.engine.generate.text import SourceText
from bridge.mapping.engine.rules import Condition, Earliest, Fixed, IdOf, Join, Read, Rule
from bridge.mapping.functions.compounds import plain
from bridge.mapping.scope import Source


class _Reader(NamedTuple):
    """What rules that read alike have in common."""

    read: Read
    table: CodeTable | None


class RuleWriter:
    """Writes rules that read a document; HL7's are asked only where their field is not empty."""

    def __init__(self, text: SourceText, *, hl7: bool) -> None:
        self._text = text
        self._hl7 = hl7
        #: the number that several rules' reader or source goes by
        self._shared: Mapping[_Reader | Source, int] = {}
        self._numbers = 0

    def share(self, fields: Iterable[FieldPlan]) -> None:
        """Find what several of these fields' rules read, and write that nothing is read yet."""
        rules = [rule for field in fields for rule in field.rules if _can_find(rule)]
        readers = Counter(
            _Reader(rule.finder, rule.table) for rule in rules if isinstance(rule.finder, Read)
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

    def field(self, field: FieldPlan, sink: Sink) -> None:
        """The first rule that finds something gives the field its value."""
        self._rules(field, [rule for rule in field.rules if _can_find(rule)], sink)

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

    def _rules(self, field: FieldPlan, rules: Sequence[Rule], sink: Sink) -> None:
        if not rules:
            return
        rule, *others = rules
        tests = [self.test(c) for c in rule.when if c.source is not None]
        if isinstance(rule.finder, Fixed) and not tests:
            # nothing after it is ever asked
            sink.take(self._text, field, rule, self._fixed(rule.finder))
            return
        found = self._find_when(tests, rule)
        if not others:
            sink.take(self._text, field, rule, found)
            return
        with self._text.block(f"if {found.value} is not None"):
            sink.take(self._text, field, rule, found)
        with self._text.block("else"):
            self._rules(field, others, sink)

    def _find_when(self, tests: Sequence[str], rule: Rule) -> Found:
        """Write what finds a rule's value, where all tests hold."""
        if not tests:
            return self._find(rule)
        self._text.line("v = None")
        with self._text.block(f"if {' and '.join(tests)}"):
            found = self._find(rule)
            self._text.line(f"v = {found.value}")
        return Found("v", found.raw, found.path, found.made_by)

    def _find(self, rule: Rule) -> Found:
        text, finder = self._text, rule.finder
        if isinstance(finder, Fixed):
            return self._fixed(finder)
        if isinstance(finder, IdOf):
            text.line(f"v = ids.get({text.bind(finder.resource)})")
            return Found("v", raw="v")
        if isinstance(finder, (Join, Earliest)):
            made = runtime.joined if isinstance(finder, Join) else runtime.earliest
            found = self.all_at(finder.sources)
            text.line(f"v, r, p = {text.bind(made)}({text.bind(finder)}, {found}, scope)")
            return Found("v", "r", "p")
        return self._or_default(rule, self._find_read(_Reader(finder, rule.table)))

    def _fixed(self, finder: Fixed) -> Found:
        return Found(self._text.bind(finder.value))

    def _or_default(self, rule: Rule, found: Found) -> Found:
        if rule.default is None:
            return found
        # in names of their own: others may share what was read
        text = self._text
        with text.block(f"if {found.value} is None"):
            text.line(f"v, r, p, m = {text.bind(rule.default)}, '', '', 'default'")
        with text.block("else"):
            by = found.made_by or repr("")
            text.line(f"v, r, p, m = {found.value}, {found.raw}, {found.path}, {by}")
        return Found("v", "r", "p", "m")

    def _find_read(self, reader: _Reader) -> Found:
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

    def _ask_all(self, reader: _Reader, to: Found) -> None:
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

    def _ask(self, reader: _Reader, source: Source, to: Found) -> None:
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


def _can_find(rule: Rule) -> bool:
    """Whether the site's settings leave the rule anything to do."""
    nothing = isinstance(rule.finder, Fixed) and rule.finder.value is None
    return not nothing and all(condition.decided for condition in rule.when)


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
