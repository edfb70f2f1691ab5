"""What may stay in a message: codes that a mapping asks for at the place it asks for them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bridge.mapping.codes import CodeTable
from bridge.mapping.engine import compiled, trails
from bridge.mapping.engine.reads import reads_of, rules_of
from bridge.mapping.engine.rules import READING, Condition, Rule
from bridge.mapping.engine.trails import Trail
from bridge.message import Protocol

_LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")
_OCCURRENCE = re.compile(r"\[.*\]")


@dataclass(slots=True)
class Allowed:
    """Codes by the place they stand at."""

    protocol: Protocol
    #: texts that paths ask for: `extension('…')`, `where(… = 'VN')`
    literals: set[str] = field(default_factory=set)
    _tables: defaultdict[Trail, list[CodeTable]] = field(default_factory=lambda: defaultdict(list))
    _words: defaultdict[Trail, set[str]] = field(default_factory=lambda: defaultdict(set))

    def has(self, trail: Trail, code: str) -> bool:
        """Whether a mapping knows this code here."""
        if code in self._words.get(trail, ()):
            return True
        return any(table.row(code) is not None for table in self._tables.get(trail, ()))


def allowed(mapping: compiled.Mapping | None, protocol: Protocol) -> Allowed:
    """What the code tables and conditions of a mapping name; nothing where there is no mapping."""
    found = Allowed(protocol)
    if mapping is None:
        return found
    for rule in (rule for _, rule in rules_of(mapping)):
        _add_rule(found, rule)
    for readings in reads_of(mapping).by_trail.values():
        for reading in readings:
            found.literals.update(_LITERAL.findall(reading.path))
    for call in mapping.calls:
        for fact in (call.authority, *call.facts, *_said_of_orders(call)):
            for rule in fact.rules:
                _add_rule(found, rule)
        _add_words(found, _tests(call))
        for choice in call.choose:
            for trail in _trails(choice.source.text, protocol):
                found._words[trail] |= choice.wanted | choice.unwanted
    return found


def _said_of_orders(call: compiled.CompiledCall) -> Iterator[compiled.CompiledField]:
    for one in call.segments:
        yield from one.order if isinstance(one, compiled.CompiledEach) else ()


def _tests(call: compiled.CompiledCall) -> Iterator[Condition]:
    yield from call.when
    for one in call.segments:
        segments = one.segments if isinstance(one, compiled.CompiledEach) else (one,)
        for segment in segments:
            yield from segment.when


def _add_rule(found: Allowed, rule: Rule) -> None:
    _add_words(found, rule.when)
    if rule.table is None or not isinstance(rule.finder, READING):
        return
    for source in rule.finder.sources:
        for trail in _trails(source.text, found.protocol):
            found._tables[trail].append(rule.table)


def _add_words(found: Allowed, tests: Iterable[Condition]) -> None:
    for test in tests:
        if test.source is not None:
            for trail in _trails(test.source.text, found.protocol):
                found._words[trail] |= test.wanted | test.unwanted


def _trails(path: str, protocol: Protocol) -> Iterator[Trail]:
    """Where a path leads, whichever repetition or occurrence it names; of HL7 to a component."""
    for trail in trails.read(path, protocol):
        plain = tuple(_OCCURRENCE.sub("", name) for name in trail)
        whole = protocol is Protocol.HL7V2 and len(plain) == 2
        yield (*plain, "1") if whole else plain
