"""From what mapping files say to what runs: every name checked and looked up once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bridge.delivery import ACCOUNT, ACCOUNT_OF, OF_IDENTITY, Interaction, Role, Target
from bridge.errors import PathError
from bridge.hl7v2 import paths as hl7v2_paths
from bridge.mapping.engine import dotted
from bridge.mapping.engine.compiled import (
    CompiledAlso,
    CompiledCall,
    CompiledChoice,
    CompiledEach,
    CompiledField,
    CompiledNumbers,
    CompiledSegment,
)
from bridge.mapping.engine.rules import READING, Rule
from bridge.mapping.functions import FUNCTIONS, PLAIN
from bridge.mapping.functions.identity import is_any_number, is_record_number
from bridge.mapping.language.names import Names
from bridge.mapping.language.rule_words import ChoiceText, Fields, RuleText
from bridge.mapping.language.rules import RuleCompiler
from bridge.mapping.language.words import (
    CallText,
    EachText,
    MessageText,
    OrderText,
    PartText,
    RecordText,
    SegmentText,
)
from bridge.mapping.scope import Reading, Source
from bridge.message import Protocol
from bridge.yamlfile import Word
from bridge.zauto.catalogue import Catalogue


def compile_call(
    names: Names, text: CallText, part: PartText, earlier: Iterable[str]
) -> CompiledCall:
    """A part made ready for one call; `earlier` are the resources called before it."""
    rules = RuleCompiler(names, part, frozenset(earlier))
    each, repeats = _each(names, text, part.source)
    conditions = text.required if isinstance(text.required, tuple) else ()
    ids = rules.rules(part.id)
    if isinstance(part, RecordText):
        made = _RecordCompiler(names, part, rules).words(text)
    else:
        assert isinstance(part, MessageText)
        made = {"segments": _MessageCompiler(names, part, rules).segments()}
    return CompiledCall(
        target=Target.HOSPITAL if text.interaction == Interaction.SEND else Target.ZAUTO,
        interaction=Interaction(text.interaction),
        resource=part.target.text,
        protocol=part.source,
        id=CompiledField("id", ids, optional=False),
        id_paths=_paths(ids),
        when=names.conditions(text.when, part.source),
        otherwise=text.otherwise.text if text.otherwise else "",
        required=bool(text.required),
        required_when=names.conditions(conditions, part.source),
        linked=text.linked,
        each=each,
        repeats=repeats,
        **made,
    )


def _each(
    names: Names, text: CallText, protocol: Protocol
) -> tuple[tuple[Source, ...] | tuple[str, ...], tuple[str, int] | None]:
    """What the call is made once for: HL7 segments by name, or a list by its path; and the
    HL7 field whose repetitions are gone through, which is named last."""
    if protocol is not Protocol.HL7V2:
        return tuple(names.source(word, "each", protocol) for word in text.each[:1]), None
    field = hl7v2_paths.parse_field(text.each[-1].text) if text.each else None
    stated = text.each[: -1 if field else None]
    for word in stated:
        if not hl7v2_paths.is_segment(word.text):
            names.fault(word, "each", f"'{word.text}' is not a segment, such as AL1.")
    segments = [word.text for word in stated] + ([field[0]] if field else [])
    return tuple(dict.fromkeys(segments)), field


def _paths(rules: Iterable[Rule]) -> tuple[str, ...]:
    """What the rules read that the site's settings leave anything to do."""
    asked = [rule for rule in rules if all(test.decided for test in rule.when)]
    finders = [rule.finder for rule in asked if isinstance(rule.finder, READING)]
    return tuple(dict.fromkeys(source.text for finder in finders for source in finder.sources))


@dataclass(frozen=True, slots=True)
class _RecordCompiler:
    """Compiles what a part says of a record."""

    names: Names
    part: RecordText
    of: RuleCompiler

    def words(self, text: CallText) -> dict[str, Any]:
        """What a call is made of, by its name there."""
        self._check_identity(text)
        return {
            "authority": self._field("authority", self.part.authority),
            "into": self._field("into", self.part.into),
            "owner": self._field("owner", self.part.owner),
            "also": tuple(
                CompiledAlso(
                    self._field("also", other.id),
                    self._field("also.authority", other.authority),
                    other.guessed,
                )
                for other in self.part.also
            ),
            "numbers": tuple(self._numbers(text.interaction)),
            "fields": tuple(self._fields()),
            "facts": tuple(self._facts()),
            "choose": tuple(
                each for name, choice in self.part.choose for each in self._choice(name, choice)
            ),
            "requires": tuple(word.text for word in self.part.requires),
        }

    def _check_identity(self, text: CallText) -> None:
        """`into` and `owner` stand where they say something, and nowhere else."""
        kind, account = text.interaction, self.part.target.text == ACCOUNT
        identity = kind in OF_IDENTITY
        wanted = {"into": identity, "owner": kind == Interaction.MOVE or account}
        for name, needed in wanted.items():
            rules = getattr(self.part, name)
            if needed and not rules:
                message = (
                    f"'{kind}: {self.part.target.text}' needs '{name}' in part '{self.part.name}'."
                )
                self.names.fault(text.use, name, message)
            elif rules and not identity:
                message = f"part '{self.part.name}' says '{name}', which '{kind}' has no use for."
                self.names.fault(text.use, name, message)

    def _field(self, name: str, rules: tuple[RuleText, ...]) -> CompiledField:
        return CompiledField(name, self.of.rules(rules))

    def _numbers(self, interaction: str) -> Iterator[CompiledNumbers]:
        """All numbers of the record, of `into` and of `owner`."""
        source, target = self.part.source, self.part.target.text
        for role, paths in self.part.numbers.of_roles() if self.part.numbers else ():
            identifier = FUNCTIONS[source].get("identifier")
            if identifier is None:
                message = f"'{source.value}' has no identifiers."
                self.names.faults.append(self.part.place.fault(f"numbers.{role}", message))
            reading = Reading(identifier.reading.read) if identifier else PLAIN
            sources = [
                self.names.source(word, f"numbers.{role}", source, reading) for word in paths
            ]
            of_record = _has_record_number(self.names.catalogue, target, role, interaction)
            is_number = is_record_number if of_record else is_any_number
            yield CompiledNumbers(role, tuple(sources), is_number)

    def _fields(self) -> Iterator[CompiledField]:
        """Fields of a resource, checked against the catalogue."""
        name = self.part.target.text
        if name not in self.names.catalogue:
            return
        resource = self.names.catalogue[name]
        for word in self.part.requires:
            if word.text not in resource.fields:
                self.names.unknown(word, "requires", f"{name} field", resource.fields)
        known = [field for field in resource.fields if field != "id"]
        for word, rules in self.part.fields:
            if word.text not in known:
                self.names.unknown(word, f"fields.{word.text}", f"{name} field", known)
                continue
            spec = resource.fields[word.text]
            compiled = self.of.rules(rules, spec)
            yield CompiledField(word.text, compiled, spec.type, optional=not spec.required)

    def _facts(self) -> Iterator[CompiledField]:
        """What is remembered beside the payload."""
        known = dotted.FACTS.get(self.part.target.text, ())
        for word, rules in self.part.facts:
            if word.text not in known:
                self.names.unknown(word, f"facts.{word.text}", "fact", known)
            yield self._field(word.text, rules)

    def _choice(self, segment: Word, choice: ChoiceText) -> Iterator[CompiledChoice]:
        """Which of several segments of one name is read."""
        name, key = segment.text, f"choose.{segment.text}"
        if self.part.source is Protocol.HL7V2 and choice.path.text.startswith(f"{name}-"):
            source = self.names.source(choice.path, key, Protocol.HL7V2)
            yield CompiledChoice(source, choice.wanted, choice.unwanted)
        else:
            message = f"the path must be one of HL7 segment {name}, such as {name}-7."
            self.names.fault(choice.path, key, message)


def _has_record_number(catalogue: Catalogue, resource: str, role: Role, interaction: str) -> bool:
    """Whether the record of this role is one that the hospital numbers as it does patients
    (PID-3), rather than a visit or an account."""
    owned = ACCOUNT_OF if resource == ACCOUNT else resource
    if role is Role.OWNER or (role is Role.INTO and interaction == Interaction.MOVE):
        owner = catalogue[owned].owner() if owned in catalogue else None
        resource = catalogue[owned].referents()[owner] if owner else resource
    return resource in catalogue and bool(catalogue[resource].numbers)


@dataclass(frozen=True, slots=True)
class _MessageCompiler:
    """Compiles what a part says of a message to the hospital."""

    names: Names
    part: MessageText
    of: RuleCompiler

    def segments(self) -> tuple[CompiledSegment | CompiledEach, ...]:
        """What the message is made of."""
        return tuple(
            self._each(one) if isinstance(one, EachText) else self._segment(one)
            for one in self.part.segments
        )

    def _each(self, each: EachText) -> CompiledEach:
        source = self.names.source(each.each, "each", self.part.source)
        if each.order and self.part.source is not Protocol.ORDERS:
            self.names.fault(each.each, "order", "'order' is for parts whose source is orders.")
        segments = tuple(self._segment(one) for one in each.segments)
        return CompiledEach(source, segments, self._order(each.order))

    def _order(self, order: OrderText | None) -> tuple[CompiledField, ...]:
        written = {name: getattr(order, name) for name in order.vocabulary} if order else {}
        stated = [(name, rules) for name, rules in written.items() if rules]
        return tuple(CompiledField(name, self.of.rules(rules)) for name, rules in stated)

    def _segment(self, segment: SegmentText) -> CompiledSegment:
        fields = self._fields(segment.fields)
        names = [field.name for field in fields]
        for word in segment.requires:
            if word.text not in names:
                self.names.unknown(word, "requires", f"field of {segment.segment.text}", names)
        when = self.names.conditions(segment.when, self.part.source)
        requires = frozenset(word.text for word in segment.requires)
        return CompiledSegment(segment.segment.text, fields, when, requires)

    def _fields(self, written: Fields) -> tuple[CompiledField, ...]:
        for word, _ in written:
            try:
                hl7v2_paths.parse_place(word.text)
            except PathError as error:
                self.names.fault(word, f"fields.{word.text}", str(error), error.suggestion)
        return tuple(CompiledField(word.text, self.of.rules(rules)) for word, rules in written)
