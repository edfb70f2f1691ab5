"""Rules written out: what is asked in which order until a value is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.mapping.engine.compiled import CompiledField
from bridge.mapping.engine.generate import runtime
from bridge.mapping.engine.generate.asking import SharedRead, SourceWriter
from bridge.mapping.engine.generate.sinks import Found, Sink
from bridge.mapping.engine.generate.text import SourceText
from bridge.mapping.engine.rules import Earliest, Fixed, IdOf, Join, Rule


class RuleWriter:
    """Writes rules that read a document."""

    def __init__(self, text: SourceText, *, hl7: bool) -> None:
        self._text = text
        self.sources = SourceWriter(text, hl7=hl7)

    def share(self, fields: Iterable[CompiledField]) -> None:
        """Write that nothing is read yet of what several of these fields' rules read."""
        self.sources.share([rule for field in fields for rule in field.rules if _can_find(rule)])

    def field(self, field: CompiledField, sink: Sink) -> None:
        """The first rule that finds something gives the field its value."""
        self._rules(field, [rule for rule in field.rules if _can_find(rule)], sink)

    def _rules(self, field: CompiledField, rules: Sequence[Rule], sink: Sink) -> None:
        if not rules:
            return
        rule, *others = rules
        tests = [self.sources.test(c) for c in rule.when if c.source is not None]
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
            found = self.sources.all_at(finder.sources)
            text.line(f"v, r, p = {text.bind(made)}({text.bind(finder)}, {found}, scope)")
            return Found("v", "r", "p")
        return self._or_default(rule, self.sources.found(SharedRead(finder, rule.table)))

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


def _can_find(rule: Rule) -> bool:
    """Whether the site's settings leave the rule anything to do."""
    nothing = isinstance(rule.finder, Fixed) and rule.finder.value is None
    return not nothing and all(condition.decided for condition in rule.when)
