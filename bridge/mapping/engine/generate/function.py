"""The function of one call, from its first line to the finished `Call`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bridge.causes import Cause, CauseKind
from bridge.delivery import OF_IDENTITY, Call, Interaction, OtherId, Target
from bridge.lineage import RuleLine
from bridge.mapping.engine.compiled import (
    REPETITION,
    CompiledCall,
    CompiledEach,
    CompiledField,
    CompiledSegment,
    NotMade,
)
from bridge.mapping.engine.generate import runtime
from bridge.mapping.engine.generate.asking import line_name
from bridge.mapping.engine.generate.finding import RuleWriter
from bridge.mapping.engine.generate.sinks import (
    IntoFact,
    IntoName,
    IntoPayload,
    IntoSegment,
    number,
)
from bridge.mapping.engine.generate.text import SourceText
from bridge.mapping.engine.order_life import PushedService
from bridge.mapping.engine.rules import READING, Condition
from bridge.mapping.scope import Source
from bridge.message import Protocol
from bridge.remarks import RemarkCode


class FunctionWriter:
    """Writes `make(scope, at)`; see the package for what it looks like."""

    def __init__(self, call: CompiledCall, text: SourceText, legend: list[RuleLine]) -> None:
        self._call = call
        self._text = text
        self._legend = legend
        self._hl7 = call.protocol is Protocol.HL7V2
        self._rules = RuleWriter(text, hl7=self._hl7)

    def write(self) -> None:
        """All of it, in the order in which it runs."""
        with self._text.block("def make(scope, at)"):
            self._open()
            self._stop_unless_asked_for()
            self._find_id()
            if self._call.target is Target.HOSPITAL:
                self._write_segments(self._call.segments)
            else:
                for field in self._call.fields:
                    self._rules.field(field, IntoPayload(self._legend))
            self._stop_where_lacking()
            self._find_authority()
            if self._call.interaction in OF_IDENTITY:
                self._find_identity()
            self._find_also()
            self._find_numbers()
            for fact in self._call.facts:
                self._rules.field(fact, IntoFact())
            self._close()

    def _open(self) -> None:
        text = self._text
        text.line("document, ids, links = scope.document, scope.ids, scope.context.links")
        text.line("deleted = scope.deleted")
        text.line("deleted.clear()")
        chosen = {choice.source.path.line[0] for choice in self._call.choose}
        chosen.update(one for one in self._call.each if isinstance(one, str))
        repeated, field = self._call.repeats or ("", 0)
        for (segment, occurrence), last in self._lines().items():
            which = f"at[{segment!r}]" if segment in chosen and occurrence == 1 else occurrence
            name = line_name(segment, occurrence)
            text.line(f"{name} = document.fields({segment!r}, {which}, {last})")
            if (segment, occurrence) == (repeated, 1) and field <= last:
                text.line(f"{name} = document.only({name}, {field}, at[{REPETITION!r}])")
        text.line("payload, facts, lineage, created, allocations = {}, {}, [], [], []")
        if self._call.target is Target.HOSPITAL:
            text.line("order_lines = []")
        text.line("note = lineage.append")
        self._rules.share(_fields(self._call))

    def _lines(self) -> dict[tuple[str, int], int]:
        """The HL7 segments that are read, and the last field of each."""
        last: dict[tuple[str, int], int] = {}
        for source in _sources(self._call) if self._hl7 else ():
            line, field = source.path.line, source.path.field
            last[line] = max(last.get(line, 0), field)
        return last

    def _unasked(self, condition: Condition) -> Cause | None:
        """Why the call is not made where a condition does not hold: None where all there is to
        say is that a field is not there, or that the call is for other events."""
        call = self._call
        if condition.asks_presence and not call.required:
            return None
        if condition.asks_type and not call.always and not call.otherwise:
            return None
        if condition.source is None and not call.always and not call.otherwise:
            return None  # the site wants it so, whatever the message says
        because = f" ({call.otherwise})" if call.otherwise else ""
        return self._not_called(f"not called: {condition.told()}{because}")

    def _not_called(self, why: str) -> Cause:
        return Cause(CauseKind.NOT_CALLED, resource=self._call.resource, name=why)

    def _stop_unless_asked_for(self) -> None:
        text = self._text
        for condition in self._call.when:
            with text.block(f"if not {self._rules.sources.test(condition)}"):
                not_made = NotMade(self._unasked(condition), self._call.always)
                text.line(f"return {text.bind(not_made)}")

    def _stop_for(self, cause: Cause, *, lacking: bool = False) -> None:
        """Return why the call is not made, and whether that is a problem of the message; what is
        `lacking` is named when it runs."""
        tests = [self._rules.sources.test(condition) for condition in self._call.required_when]
        problem = " and ".join(tests) if tests else str(self._call.required)
        # what would have made or changed a record is left to a person
        left_out = self._call.interaction is Interaction.UPSERT
        code = RemarkCode.LEFT_OUT if left_out else RemarkCode.NOT_CALLED
        bound = self._text.bind(cause)
        if lacking:
            bound = f"{bound}._replace(name={bound}.name.format(', '.join(lacking)))"
        made = f"{self._text.bind(NotMade)}({bound}, bool({problem}), {self._text.bind(code)})"
        self._text.line(f"return {made}")

    def _find_id(self) -> None:
        text, call = self._text, self._call
        into_id = IntoName("external_id", self._legend)
        text.line("external_id = ''")
        if call.linked:
            # the id it was first known by, for good
            text.line("reference = document.reference")
            text.line("external_id = links.get(reference, '')")
            known = RuleLine("id", call.id.rules[0].place, "known by this id before")
            self._legend.append(known)
            with text.block("if external_id"):
                text.line(f"note(({number(self._legend)}, 'id', reference))")
            with text.block("else"):
                self._rules.field(call.id, into_id)
        else:
            self._rules.field(call.id, into_id)
        with text.block("if not external_id"):
            self._leave_unsaid()
            paths = ", ".join(call.id_paths)
            self._stop_for(Cause(CauseKind.NO_USABLE_ID, resource=call.resource, path=paths))
        text.line("scope.external_id = external_id")
        if call.target is Target.ZAUTO:
            text.line("payload['id'] = external_id")

    def _leave_unsaid(self) -> None:
        """Of a record that is only made beside others, such as a visit's doctor, there is nothing
        to say where its message names none."""
        call = self._call
        if call.interaction is not Interaction.CREATE or call.required:
            return
        finders = [rule.finder for rule in call.id.rules]
        sources = [each for one in finders if isinstance(one, READING) for each in one.sources]
        if sources:
            nothing = self._text.bind(NotMade(None))
            self._text.line(f"if not any({self._rules.sources.all_at(sources)}): return {nothing}")

    def _write_segments(self, segments: Sequence[CompiledSegment | CompiledEach]) -> None:
        self._text.line("payload['segments'] = segments = []")
        for one in segments:
            if isinstance(one, CompiledEach):
                self._write_each(one)
            else:
                self._write_segment(one)

    def _write_each(self, each: CompiledEach) -> None:
        """A loop over a list's items, in which the document is the one of that item."""
        text = self._text
        # what is read in the loop is shared within it only
        rules, self._rules = self._rules, RuleWriter(text, hl7=False)
        text.line("whole, number = document, 0")
        with text.block(f"for document in whole.lines({text.bind(each.source.path)})"):
            text.line("scope.document = document")
            fields = [field for segment in each.segments for field in segment.fields]
            self._rules.share([*each.order, *fields])
            if each.order:
                self._leave_out_old(each)
            text.line("number += 1")
            for segment in each.segments:
                self._write_segment(segment, "number")
        text.line("scope.document = document = whole")
        self._rules = rules
        if each.order:
            # each item was remarked on
            text.line(f"if not number: return {text.bind(NotMade(None))}")

    def _leave_out_old(self, each: CompiledEach) -> None:
        """Go to the next item where the hospital has what this one says."""
        text = self._text
        text.line("control = status = price = ''")
        for field in each.order:
            self._rules.field(field, IntoName(field.name))
        said = f"{text.bind(PushedService)}(control, status, price)"
        text.line(f"document = {text.bind(runtime.changed)}({said}, number + 1, scope)")
        text.line("if document is None: continue")
        text.line("scope.document = document")
        text.line("order_lines.append(document.order_line)")

    def _write_segment(self, segment: CompiledSegment, line: str = "") -> None:
        text = self._text
        tests = [self._rules.sources.test(condition) for condition in segment.when]
        with text.block(f"if {' and '.join(tests) or True}"):
            text.line("values, begun = {}, len(lineage)")
            for field in segment.fields:
                self._rules.field(field, IntoSegment(self._legend, segment.name, line))
            with text.block(f"if values and values.keys() >= {text.bind(segment.requires)}"):
                text.line(f"segments.append([{text.bind(segment.name)}, values])")
            with text.block("else"):
                text.line("del lineage[begun:]")

    def _stop_where_lacking(self) -> None:
        text, required = self._text, self._call.requires
        if required:
            with text.block(
                f"if lacking := [n for n in {text.bind(required)} if n not in payload]"
            ):
                self._stop_for(self._not_called(f"no {{}} for {self._call.resource}"), lacking=True)

    def _find_authority(self) -> None:
        text, field, into = self._text, self._call.authority, IntoName("authority")
        text.line("authority = ''")
        if self._call.linked:
            # what is known by its reference is known for good: who issued the id is no question
            with text.block("if reference not in links"):
                self._rules.field(field, into)
        else:
            self._rules.field(field, into)

    def _find_identity(self) -> None:
        """The other records that a call about identity names; without them there is none."""
        text, call = self._text, self._call
        for name, field in (("into", call.into), ("owner", call.owner)):
            text.line(f"{name} = ''")
            self._rules.field(field, IntoName(name, self._legend))
            if field.rules:
                with text.block(f"if not {name}"):
                    missing = f"no {call.interaction} of {call.resource}: nothing says '{name}'"
                    self._stop_for(self._not_called(missing))

    def _find_also(self) -> None:
        """Ids that the record may be known by beside its own."""
        text = self._text
        if self._call.also:
            text.line("also = []")
        for other in self._call.also:
            text.line("other, issuer = '', ''")
            self._rules.field(other.id, IntoName("other"))
            with text.block("if other"):
                self._rules.field(other.authority, IntoName("issuer"))
                made = f"{text.bind(OtherId)}(other, issuer, {other.guessed})"
                text.line(f"also.append({made})")

    def _find_numbers(self) -> None:
        """All numbers that the document gives for the records of the call."""
        text, stated = self._text, self._call.numbers
        if stated:
            found = "".join(f"{self._rules.sources.all_at(each.sources)}, " for each in stated)
            made = f"{text.bind(runtime.numbers)}({text.bind(stated)}, ({found}), scope)"
            text.line(f"numbers = {made}")

    def _close(self) -> None:
        text, call = self._text, self._call
        of_plan = ", ".join(map(text.bind, (call.target, call.interaction, call.resource)))
        created = f"frozenset(created) if created else {text.bind(runtime.NO_FIELDS)}"
        identity = ", into, owner" if call.interaction in OF_IDENTITY else ""
        references = "(reference,) if reference else ()" if call.linked else "()"
        also = ", also=tuple(also)" if call.also else ""
        numbers = ", numbers=numbers" if call.numbers else ""
        if call.target is Target.HOSPITAL:
            also += ", order_lines=tuple(order_lines)"
        text.line(
            f"return {text.bind(Call)}({of_plan}, external_id, payload, {created}, authority,"
            f" {references}, facts, tuple(allocations), tuple(lineage){identity}{also}{numbers})"
        )


def _fields(call: CompiledCall) -> Iterator[CompiledField]:
    """Every field outside of `each`."""
    yield call.id
    yield from call.fields
    yield from call.facts
    yield call.authority
    yield call.into
    yield call.owner
    for other in call.also:
        yield from (other.id, other.authority)
    for segment in call.segments:
        if isinstance(segment, CompiledSegment):
            yield from segment.fields


def _sources(call: CompiledCall) -> Iterator[Source]:
    """Every source that a record's call reads, apart from what `choose` asks."""
    yield from _asked(call.when)
    yield from _asked(call.required_when)
    for field in _fields(call):
        for rule in field.rules:
            yield from _asked(rule.when)
            if isinstance(rule.finder, READING):
                yield from rule.finder.sources
    for numbers in call.numbers:
        yield from numbers.sources


def _asked(conditions: Iterable[Condition]) -> Iterator[Source]:
    return (condition.source for condition in conditions if condition.source is not None)
