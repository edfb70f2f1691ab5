"""From what mapping files say to what runs: every name checked and looked up once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bridge.delivery import ACCOUNT, Interaction, Role, Target
from bridge.errors import Fault, PathError
from bridge.fhir import paths as fhir_paths
from bridge.hl7v2 import paths as hl7v2_paths
from bridge.mapping.codes import CodeTable
from bridge.mapping.engine import dotted, trails
from bridge.mapping.engine.compiled import (
    AlsoPlan,
    CallPlan,
    ChoicePlan,
    EachPlan,
    FieldPlan,
    NumbersPlan,
    SegmentPlan,
)
from bridge.mapping.engine.rules import (
    READING,
    Condition,
    Earliest,
    Finder,
    Fixed,
    IdOf,
    Join,
    Read,
    Rule,
)
from bridge.mapping.functions import COPY, EARLIEST, FUNCTIONS, PLAIN, Function
from bridge.mapping.functions.identity import is_any_number, is_record_number
from bridge.mapping.language import language
from bridge.mapping.language.decided import decide
from bridge.mapping.language.language import Part
from bridge.mapping.language.options import with_options
from bridge.mapping.language.roles import has_record_number
from bridge.mapping.scope import Reading, Source
from bridge.message import DELETE, Protocol
from bridge.settings import Site
from bridge.yamlfile import Word, nearest
from bridge.zauto.catalogue import Catalogue, FieldFormat, Resource, ResourceField

_PARSE: Mapping[Protocol, Callable[[str], Any]] = {
    Protocol.HL7V2: hl7v2_paths.parse,
    Protocol.FHIR: fhir_paths.parse,
    Protocol.ORDERS: dotted.parse,
}

#: the function that writes what a field's format asks for
_FORMATS = {
    FieldFormat.DATE: ("date", "birth_date"),
    FieldFormat.DATETIME: ("date_time", EARLIEST),
    FieldFormat.EMAIL: ("email",),
    FieldFormat.PHONE: ("phone", "whatsapp", "contact_phone"),
}

#: a field of a segment has no entry in the catalogue: any text will do
_ANY = ResourceField()


@lru_cache(maxsize=1024)
def _short(file: str) -> str:
    """Enough of a file's path to tell a site's folder from the shipped one, and fit a table."""
    return "/".join(Path(file).parts[-3:])


@dataclass(slots=True)
class Compiler:
    """Compiles parts into call plans; faults are collected, never raised."""

    catalogue: Catalogue
    site: Site
    tables: Mapping[str, CodeTable]
    faults: list[Fault] = field(default_factory=list)

    def call(self, text: language.CallText, part: Part, earlier: Iterable[str]) -> CallPlan:
        """A part made ready for one call; `earlier` are the resources called before it."""
        compiled = _PartCompiler(self, part, frozenset(earlier))
        self._check_identity(text, part)
        each, repeats = compiled.each(text)
        send = text.interaction == "send"
        id_rules = compiled.rules(part.id, _ANY)
        return CallPlan(
            target=Target.HOSPITAL if send else Target.ZAUTO,
            interaction=Interaction(text.interaction),
            resource=part.target.text,
            protocol=part.source,
            id=FieldPlan("id", id_rules, optional=False),
            id_paths=_paths(id_rules),
            authority=FieldPlan("authority", compiled.rules(part.authority, _ANY)),
            into=FieldPlan("into", compiled.rules(part.into, _ANY)),
            owner=FieldPlan("owner", compiled.rules(part.owner, _ANY)),
            also=compiled.also(),
            numbers=compiled.numbers(text.interaction),
            fields=compiled.fields(),
            facts=compiled.facts(),
            segments=compiled.segments(),
            choose=compiled.choices(),
            requires=tuple(word.text for word in part.requires),
            when=compiled.conditions(text.when),
            otherwise=text.otherwise.text if text.otherwise else "",
            required=text.required,
            required_when=compiled.conditions(text.required_when),
            linked=text.linked,
            each=each,
            repeats=repeats,
        )

    def _check_identity(self, text: language.CallText, part: Part) -> None:
        """`into` and `owner` stand where they say something, and nowhere else."""
        kind, account = text.interaction, part.target.text == ACCOUNT
        identity = kind in language.IDENTITY_WORDS
        wanted = {"into": identity, "owner": kind == "move" or account}
        for name, needed in wanted.items():
            rules = part.into if name == "into" else part.owner
            if needed and not rules:
                message = f"'{kind}: {part.target.text}' needs '{name}' in part '{part.name}'."
                self.faults.append(text.use.place.fault(name, message))
            elif rules and not identity:
                message = f"part '{part.name}' says '{name}', which '{kind}' has no use for."
                self.faults.append(text.use.place.fault(name, message))

    def unknown(self, word: Word, key: str, what: str, known: Iterable[str]) -> None:
        """Report a name that leads nowhere."""
        names = sorted(known)
        message = f"there is no {what} '{word.text}'."
        self.faults.append(word.place.fault(key, message, nearest(word.text, names)))

    def source(self, word: Word, key: str, protocol: Protocol, reading: Reading = PLAIN) -> Source:
        """A path of the protocol's own notation, and how it is read."""
        return Source(word.text, self._path(word, key, protocol), *reading)

    def ignored(self, word: Word, protocol: Protocol) -> trails.Trail | None:
        """A path of `ignore:`."""
        try:
            return trails.ignored(word.text, protocol)
        except PathError as error:
            self.faults.append(word.place.fault("ignore", str(error), error.suggestion))
            return None

    def _path(self, word: Word, key: str, protocol: Protocol) -> Any:
        try:
            return _PARSE[protocol](word.text)
        except PathError as error:
            self.faults.append(word.place.fault(key, str(error), error.suggestion))
            return None


@dataclass(frozen=True, slots=True)
class _PartCompiler:
    """Compiles the rules of one part."""

    all: Compiler
    part: Part
    earlier: frozenset[str]

    def also(self) -> tuple[AlsoPlan, ...]:
        """Other ids of the record."""
        return tuple(
            AlsoPlan(
                FieldPlan("also", self.rules(other.id, _ANY)),
                FieldPlan("also.authority", self.rules(other.authority, _ANY)),
                other.guessed,
            )
            for other in self.part.also
        )

    def numbers(self, interaction: str) -> tuple[NumbersPlan, ...]:
        """All numbers of the record, of `into` and of `owner`."""
        return tuple(self._numbers(*stated, interaction) for stated in self.part.numbers)

    def _numbers(self, role: Role, paths: tuple[Word, ...], interaction: str) -> NumbersPlan:
        key, source, name = f"numbers.{role}", self.part.source, self.part.target.text
        identifier = FUNCTIONS[source].get("identifier")
        if identifier is None:
            message = f"'{source.value}' has no identifiers."
            self.all.faults.append(self.part.place.fault(key, message))
        reading = Reading(identifier.reading.read) if identifier else PLAIN
        sources = tuple(self.all.source(word, key, source, reading) for word in paths)
        of_record = has_record_number(self.all.catalogue, name, role, interaction)
        return NumbersPlan(role, sources, is_record_number if of_record else is_any_number)

    def fields(self) -> tuple[FieldPlan, ...]:
        """Fields of a resource, checked against the catalogue."""
        name = self.part.target.text
        if self.part.segments or name not in self.all.catalogue:
            return ()
        resource = self.all.catalogue[name]
        for word in self.part.requires:
            if word.text not in resource.fields:
                self.all.unknown(word, "requires", f"{name} field", resource.fields)
        plans = [self._field(declared, resource) for declared in self.part.fields]
        return tuple(made for made in plans if made is not None)

    def _field(self, declared: language.Field, resource: Resource) -> FieldPlan | None:
        name, key = declared.name, f"fields.{declared.name.text}"
        spec = resource.fields.get(name.text)
        if spec is None or name.text == "id":
            known = [field for field in resource.fields if field != "id"]
            self.all.unknown(name, key, f"{resource.name} field", known)
            return None
        compiled = self.rules(declared.rules, spec)
        return FieldPlan(name.text, compiled, spec.type, optional=not spec.required)

    def facts(self) -> tuple[FieldPlan, ...]:
        """What is remembered beside the payload."""
        known = dotted.FACTS.get(self.part.target.text, ())
        for fact in self.part.facts:
            if fact.name.text not in known:
                self.all.unknown(fact.name, f"facts.{fact.name.text}", "fact", known)
        return tuple(FieldPlan(f.name.text, self.rules(f.rules, _ANY)) for f in self.part.facts)

    def choices(self) -> tuple[ChoicePlan, ...]:
        """Which of several segments of one name is read."""
        return tuple(made for choice in self.part.choose for made in self._choice(choice))

    def _choice(self, choice: language.Choice) -> list[ChoicePlan]:
        name, path = choice.segment.text, choice.test.path
        assert path is not None
        if self.part.source is not Protocol.HL7V2 or not path.text.startswith(f"{name}-"):
            message = f"the path must be one of HL7 segment {name}, such as {name}-7."
            self.all.faults.append(path.place.fault(f"choose.{name}", message))
            return []
        source = self.all.source(path, f"choose.{name}", Protocol.HL7V2)
        return [ChoicePlan(source, frozenset(choice.test.wanted), frozenset(choice.test.unwanted))]

    def segments(self) -> tuple[SegmentPlan | EachPlan, ...]:
        """Segments of a message to the hospital."""
        return tuple(
            self._each(one) if isinstance(one, language.Each) else self._segment(one)
            for one in self.part.segments
        )

    def _each(self, each: language.Each) -> EachPlan:
        source = self.all.source(each.path, "each", self.part.source)
        order = tuple(FieldPlan(f.name.text, self.rules(f.rules, _ANY)) for f in each.order)
        if order and self.part.source is not Protocol.ORDERS:
            message = "'order' is for parts whose source is orders."
            self.all.faults.append(each.path.place.fault("order", message))
        return EachPlan(source, tuple(self._segment(one) for one in each.segments), order)

    def _segment(self, segment: language.Segment) -> SegmentPlan:
        fields = []
        for declared in segment.fields:
            self._check_position(declared.name)
            fields.append(FieldPlan(declared.name.text, self.rules(declared.rules, _ANY)))
        names = [field.name for field in fields]
        for word in segment.requires:
            if word.text not in names:
                self.all.unknown(word, "requires", f"field of {segment.name.text}", names)
        when, requires = self.conditions(segment.when), frozenset(w.text for w in segment.requires)
        return SegmentPlan(segment.name.text, tuple(fields), when, requires)

    def _check_position(self, word: Word) -> None:
        try:
            hl7v2_paths.parse_place(word.text)
        except PathError as error:
            fault = word.place.fault(f"fields.{word.text}", str(error), error.suggestion)
            self.all.faults.append(fault)

    def each(
        self, text: language.CallText
    ) -> tuple[tuple[Source, ...] | tuple[str, ...], tuple[str, int] | None]:
        """What the call is made once for: HL7 segments by name, or a list by its path; and the
        HL7 field whose repetitions are gone through, which is named last."""
        if self.part.source is not Protocol.HL7V2:
            sources = (self.all.source(word, "each", self.part.source) for word in text.each[:1])
            return tuple(sources), None
        field = hl7v2_paths.parse_field(text.each[-1].text) if text.each else None
        names = [word.text for word in text.each[: -1 if field else None]]
        for word, name in zip(text.each, names, strict=False):
            if not hl7v2_paths.is_segment(name):
                message = f"'{name}' is not a segment, such as AL1."
                self.all.faults.append(word.place.fault("each", message))
        return tuple(dict.fromkeys([*names, *([field[0]] if field else [])])), field

    def rules(self, declared: tuple[language.Rule, ...], spec: ResourceField) -> tuple[Rule, ...]:
        """The rules of one field."""
        return tuple(self._rule(rule, spec) for rule in declared)

    def _rule(self, rule: language.Rule, spec: ResourceField) -> Rule:
        when = self.conditions(rule.when)
        place = f"{_short(rule.place.file)}:{rule.place.line}"
        table = self._table(rule, spec)
        default = None
        if rule.default is not None:
            self._check_enum(rule.default, rule.key, spec)
            default = rule.default.text
        return Rule(self._finder(rule, spec), place, table, default, rule.on_create, when)

    def _finder(self, rule: language.Rule, spec: ResourceField) -> Finder:
        if rule.constant is not None:
            self._check_enum(rule.constant, rule.key, spec)
            return Fixed(rule.constant.text, "constant")
        if rule.clear:
            return self._clear(rule, spec)
        if rule.site is not None:
            return Fixed(self._setting(rule.site, rule.key), f"site.{rule.site.text}")
        if rule.id_of is not None:
            return self._id_of(rule.id_of, rule.key)
        return self._read(rule, spec)

    def _clear(self, rule: language.Rule, spec: ResourceField) -> Finder:
        if spec.required:
            message = "ZautoAI requires this field: it cannot be cleared."
            self.all.faults.append(rule.place.fault(f"{rule.key}.clear", message))
        if rule.on_create:
            message = "a new record has nothing to clear; leave 'on: create' out."
            self.all.faults.append(rule.place.fault(f"{rule.key}.on", message))
        return Fixed(DELETE, "clear")

    def _check_enum(self, word: Word, key: str, spec: ResourceField, taker: str = "") -> None:
        if spec.enum and word.text not in spec.enum:
            message = f"'{word.text}' is not one of {', '.join(spec.enum)}{taker}."
            fault = word.place.fault(key, message, nearest(word.text, spec.enum))
            self.all.faults.append(fault)

    def _setting(self, word: Word, key: str) -> Any:
        if word.text in Site.model_fields:
            return getattr(self.all.site, word.text)
        self.all.unknown(word, f"{key}.site", "setting of site", Site.model_fields)
        return None

    def _id_of(self, word: Word, key: str) -> Finder:
        if word.text not in self.earlier:
            self.all.unknown(word, f"{key}.id_of", "earlier call for", self.earlier)
        return IdOf(word.text)

    def _read(self, rule: language.Rule, spec: ResourceField) -> Finder:
        function = self._function(rule)
        sources = tuple(
            self.all.source(word, f"{rule.key}.from", self.part.source, function.reading)
            for word in rule.sources
        )
        self._check_format(rule, function, spec)
        make = with_options(rule, function, self.all.tables, self.all.faults)
        if rule.join is not None:
            prefix = rule.prefix.text if rule.prefix else ""
            return Join(sources, function.name, make, rule.join.text, prefix)
        if function.name == EARLIEST:
            return Earliest(sources, function.name, make)
        plain = function is COPY and rule.prefix is None
        copies = plain and self.part.source is Protocol.HL7V2
        return Read(sources, function.name, make, copies)

    def _function(self, rule: language.Rule) -> Function:
        known = FUNCTIONS[self.part.source]
        if rule.function is None:
            return COPY
        if rule.function.text not in known:
            what = f"function for {self.part.source.value}"
            self.all.unknown(rule.function, f"{rule.key}.as", what, known)
        return known.get(rule.function.text, COPY)

    def _check_format(self, rule: language.Rule, function: Function, spec: ResourceField) -> None:
        wanted = _FORMATS.get(spec.format) if spec.format is not None else None
        known = rule.function is None or function.name == rule.function.text
        if wanted and known and function.name not in wanted:
            message = f"holds a {spec.format}; write 'as: {wanted[0]}'."
            self.all.faults.append(rule.place.fault(f"{rule.key}.as", message, wanted[0]))

    def _table(self, rule: language.Rule, spec: ResourceField) -> CodeTable | None:
        if rule.codes is None:
            return None
        table = self.all.tables.get(rule.codes.text)
        if table is None:
            self.all.unknown(rule.codes, f"{rule.key}.codes", "code table", self.all.tables)
            return None
        taker = f", which {rule.key} of parts/{self.part.name} takes"
        for key, word in table.results:
            self._check_enum(word, key, spec, taker)
        return table

    def conditions(self, tests: Iterable[language.Test]) -> tuple[Condition, ...]:
        """The tests of a `when:`."""
        return tuple(self.condition(test) for test in tests)

    def condition(self, test: language.Test) -> Condition:
        """One test of `when:`; of HL7 a path may be the name of a segment."""
        if test.site is not None:
            return Condition(None, decided=decide(test, test.site, self.all.site, self.all.faults))
        assert test.path is not None
        hl7 = self.part.source is Protocol.HL7V2
        named = hl7v2_paths.segment_path(test.path.text) if hl7 else None
        if named is not None:
            source = Source(test.path.text, named, *PLAIN)
        else:
            source = self.all.source(test.path, "when", self.part.source)
        return Condition(source, frozenset(test.wanted), frozenset(test.unwanted), test.empty)


def _paths(rules: Iterable[Rule]) -> tuple[str, ...]:
    """What the rules read that the site's settings leave anything to do."""
    asked = [rule for rule in rules if all(test.decided for test in rule.when)]
    finders = [rule.finder for rule in asked if isinstance(rule.finder, READING)]
    return tuple(dict.fromkeys(source.text for finder in finders for source in finder.sources))
