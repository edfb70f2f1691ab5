"""What the rules of a mapping read, and what a message holds, told as trails so that they can be
laid side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bridge.fhir.paths import THIS
from bridge.fhir.trails import present as present_in_fhir
from bridge.hl7v2.header import SCANNED
from bridge.mapping.engine import compiled, trails
from bridge.mapping.engine.choose import choose
from bridge.mapping.engine.rules import READING, Condition, Fixed, Rule
from bridge.mapping.engine.trails import OTHERS, Trail
from bridge.mapping.scope import Source
from bridge.message import Protocol

#: a line that begins with no segment's name; its own words may be a patient's
NO_SEGMENT = "(no segment)"


class Reader(NamedTuple):
    """What reads a path: a rule, or a condition."""

    #: the field it fills, as the legend has it: `gender`, `PID-5.1`; else what it is for: `when`
    field: str
    #: file and line; for a condition of a whole call what the call is about
    place: str
    #: a use of it leaves a trace in the lineage
    traced: bool


class ReadPath(NamedTuple):
    """One path that is read."""

    reader: Reader
    path: str


@dataclass(frozen=True, slots=True)
class Reads:
    """What a mapping reads, and what of it is not read on purpose."""

    protocol: Protocol
    by_trail: Mapping[Trail, tuple[ReadPath, ...]]
    ignored: frozenset[Trail]
    #: what the bridge reads itself before any mapping
    own: frozenset[Trail]


def reads_of(mapping: compiled.Mapping) -> Reads:
    """Everything that the rules and conditions of a mapping read."""
    found: defaultdict[Trail, list[ReadPath]] = defaultdict(list)
    for reader, source, items in _readings(mapping):
        for trail in trails.read(source.text, mapping.protocol):
            whole = (*items, *trail[1:]) if trail[0] == THIS else trail
            found[whole].append(ReadPath(reader, source.text))
    by_trail = {trail: tuple(dict.fromkeys(readings)) for trail, readings in found.items()}
    return Reads(mapping.protocol, by_trail, mapping.ignored, _OWN[mapping.protocol])


_OWN = {
    Protocol.HL7V2: frozenset(trails.read(path, Protocol.HL7V2)[0] for path in SCANNED),
    Protocol.FHIR: frozenset({("resourceType",), ("id",)}),
    Protocol.ORDERS: frozenset[Trail](),
}


def rules_of(mapping: compiled.Mapping) -> Iterator[tuple[str, Rule]]:
    """Every rule that leaves a trace, with the field it fills."""
    for call in mapping.calls:
        for label, field in _traced(call):
            yield from ((label, rule) for rule in field.rules)


def rules_of_call(call: compiled.CompiledCall) -> Iterator[str]:
    """The fields that a call has rules for, as the legend has them."""
    return (label for label, _ in _traced(call))


def is_off(rule: Rule) -> bool:
    """Whether the site's settings leave the rule nothing to do."""
    empty = isinstance(rule.finder, Fixed) and rule.finder.value is None
    return empty or not all(condition.decided for condition in rule.when)


def _traced(call: compiled.CompiledCall) -> Iterator[tuple[str, compiled.CompiledField]]:
    yield "id", call.id
    yield from ((each.name, each) for each in (call.into, call.owner) if each.rules)
    yield from ((field.name, field) for field in call.fields)
    for segment in _segments(call.segments):
        yield from ((f"{segment.name}-{field.name}", field) for field in segment.fields)


def _segments(
    all_of: Iterable[compiled.CompiledSegment | compiled.CompiledEach],
) -> Iterator[compiled.CompiledSegment]:
    for one in all_of:
        yield from one.segments if isinstance(one, compiled.CompiledEach) else (one,)


def _readings(mapping: compiled.Mapping) -> Iterator[tuple[Reader, Source, Trail]]:
    """What reads, what it reads, and what `$this` stands for in there."""
    for need in mapping.needs:
        yield Reader("needs", mapping.name, traced=False), need.source, ()
    for call in mapping.calls:
        items = _items(call)
        yield from ((reader, source, items) for reader, source in _of_call(call))
        yield from ((reader, source, items) for reader, source in _of_fields(call))


def _items(call: compiled.CompiledCall) -> Trail:
    for one in call.each:
        if isinstance(one, Source):
            return trails.read(one.text, call.protocol)[-1]
    return ()


def _of_fields(call: compiled.CompiledCall) -> Iterator[tuple[Reader, Source]]:
    for label, field in _traced(call):
        yield from _of_field(label, field, traced=True)
    yield from _of_field("authority", call.authority, traced=False)
    for other in call.also:
        yield from _of_field("also", other.id, traced=False)
        yield from _of_field("also", other.authority, traced=False)
    for numbers in call.numbers:
        for source in numbers.sources:
            yield Reader("numbers", call.resource, traced=False), source
    for fact in call.facts:
        yield from _of_field(f"facts.{fact.name}", fact, traced=False)
    for each in call.segments:
        for said in each.order if isinstance(each, compiled.CompiledEach) else ():
            yield from _of_field(f"order.{said.name}", said, traced=False)


def _of_call(call: compiled.CompiledCall) -> Iterator[tuple[Reader, Source]]:
    """What decides whether, and from which segments, a call is made."""
    asked = [
        *call.when,
        *call.required_when,
        *(test for one in _segments(call.segments) for test in one.when),
    ]
    yield from _asked(Reader("when", call.resource, traced=False), asked)
    for choice in call.choose:
        yield Reader("choose", call.resource, traced=False), choice.source
    lists = [one.source for one in call.segments if isinstance(one, compiled.CompiledEach)]
    # to go through a FHIR list reads nothing of its items, while an order's list is one value
    if call.protocol is Protocol.ORDERS:
        lists += [one for one in call.each if isinstance(one, Source)]
    yield from ((Reader("each", call.resource, traced=False), source) for source in lists)


def _of_field(
    label: str, field: compiled.CompiledField, *, traced: bool
) -> Iterator[tuple[Reader, Source]]:
    for rule in field.rules:
        reader = Reader(label, rule.place, traced)
        if isinstance(rule.finder, READING):
            yield from ((reader, source) for source in rule.finder.sources)
        yield from _asked(Reader(f"{label} when", rule.place, traced=False), rule.when)


def _asked(reader: Reader, tests: Iterable[Condition]) -> Iterator[tuple[Reader, Source]]:
    return ((reader, test.source) for test in tests if test.source is not None)


class Finder:
    """Says what a document holds, as finely as the mapping tells things apart."""

    def __init__(self, mapping: compiled.Mapping, reads: Reads) -> None:
        self._protocol = mapping.protocol
        self._choices = [call.choose for call in mapping.calls if call.choose]
        chosen = {choice.source.path.line[0] for choices in self._choices for choice in choices}
        named = [*reads.by_trail, *reads.ignored, *reads.own]
        #: fields that are told by their components
        self._split = {trail[:2] for trail in named if len(trail) > 2}
        #: segments that a call is made for each of: all are read
        self._each = {one for call in mapping.calls for one in call.each if isinstance(one, str)}
        #: segments of which rules read some and not others, and those that are always read
        self._picked = {trail[0].partition("[")[0] for trail in reads.by_trail}
        self._always = {trail[0] for trail in reads.by_trail if trail[0] not in chosen}

    def find(self, document: Any) -> set[Trail]:
        """Trails of what says something in the document."""
        if self._protocol is Protocol.FHIR:
            return present_in_fhir(document.resource)
        if self._protocol is Protocol.ORDERS:
            return {tuple(path) for path in document.present()}
        return self._find_hl7(document)

    def _find_hl7(self, document: Any) -> set[Trail]:
        read = self._always | {
            _line(segment, number)
            for choices in self._choices
            for segment, number in choose(choices, document).items()
        }
        found: set[Trail] = set()
        seen: defaultdict[str, int] = defaultdict(int)
        for fields in document.lines():
            segment = fields[0] if trails.is_segment(fields[0]) else NO_SEGMENT
            seen[segment] += 1
            line = _line(segment, seen[segment])
            if segment not in self._picked or segment in self._each:
                self._add_fields(segment, fields, document, found)
            elif line in read:
                named = line if line in self._always else segment
                self._add_fields(named, fields, document, found)
            elif (others := f"{segment}{OTHERS}") in self._always:
                self._add_fields(others, fields, document, found)
            else:
                found.add((others,))
        return found

    def _add_fields(self, line: str, fields: Any, document: Any, found: set[Trail]) -> None:
        for number, text in enumerate(fields):
            if not text or not number:
                continue
            trail = (line, str(number))
            if trail in self._split:
                found.update((*trail, str(part)) for part in document.syntax.parts_of(text))
            elif trail in _DELIMITERS or document.syntax.parts_of(text):
                found.add(trail)


_DELIMITERS = (("MSH", "1"), ("MSH", "2"))


def _line(segment: str, number: int) -> str:
    return segment if number == 1 else f"{segment}[{number}]"
