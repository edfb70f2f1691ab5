"""From the rules of a part as written to those that run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bridge.mapping.codes import CodeTable
from bridge.mapping.engine.rules import Earliest, Finder, Fixed, IdOf, Join, Read, Rule
from bridge.mapping.functions import COPY, EARLIEST, FUNCTIONS, Function
from bridge.mapping.language.names import Names
from bridge.mapping.language.options import with_options
from bridge.mapping.language.rule_words import RuleText
from bridge.mapping.language.words import PartText
from bridge.message import DELETE, Protocol
from bridge.settings import Site
from bridge.yamlfile import Word, nearest
from bridge.zauto.catalogue import FieldFormat, ResourceField

#: the function that writes what a field's format asks for
_FORMATS = {
    FieldFormat.DATE: ("date", "birth_date"),
    FieldFormat.DATETIME: ("date_time", EARLIEST),
    FieldFormat.EMAIL: ("email",),
    FieldFormat.PHONE: ("phone", "whatsapp", "contact_phone"),
}

#: a field of a segment has no entry in the catalogue: any text will do
ANY = ResourceField()


@lru_cache(maxsize=1024)
def _short(file: str) -> str:
    """Enough of a file's path to tell a site's folder from the shipped one, and fit a table."""
    return "/".join(Path(file).parts[-3:])


@dataclass(frozen=True, slots=True)
class RuleCompiler:
    """Compiles the rules of one part."""

    names: Names
    part: PartText
    #: the resources called before the part's
    earlier: frozenset[str]

    def rules(self, written: Iterable[RuleText], spec: ResourceField = ANY) -> tuple[Rule, ...]:
        """The rules of one field."""
        return tuple(self._rule(rule, spec) for rule in written)

    def _rule(self, rule: RuleText, spec: ResourceField) -> Rule:
        when = self.names.conditions(rule.when, self.part.source)
        place = f"{_short(rule.place.file)}:{rule.place.line}"
        table = self._table(rule, spec)
        default = None
        if rule.default is not None:
            self._check_enum(rule.default, rule.key, spec)
            default = rule.default.text
        return Rule(self._finder(rule, spec), place, table, default, rule.on is not None, when)

    def _finder(self, rule: RuleText, spec: ResourceField) -> Finder:
        if rule.constant is not None:
            self._check_enum(rule.constant, rule.key, spec)
            return Fixed(rule.constant.text, "constant")
        if rule.clear:
            return self._clear(rule, spec)
        if rule.site is not None:
            return self._setting(rule.site, rule.key)
        if rule.id_of is not None:
            if rule.id_of.text not in self.earlier:
                self.names.unknown(
                    rule.id_of, f"{rule.key}.id_of", "earlier call for", self.earlier
                )
            return IdOf(rule.id_of.text)
        return self._read(rule, spec)

    def _clear(self, rule: RuleText, spec: ResourceField) -> Finder:
        if spec.required:
            message = "ZautoAI requires this field: it cannot be cleared."
            self.names.faults.append(rule.place.fault(f"{rule.key}.clear", message))
        if rule.on is not None:
            message = "a new record has nothing to clear; leave 'on: create' out."
            self.names.faults.append(rule.place.fault(f"{rule.key}.on", message))
        return Fixed(DELETE, "clear")

    def _check_enum(self, word: Word, key: str, spec: ResourceField, taker: str = "") -> None:
        if spec.enum and word.text not in spec.enum:
            message = f"'{word.text}' is not one of {', '.join(spec.enum)}{taker}."
            self.names.fault(word, key, message, nearest(word.text, spec.enum))

    def _setting(self, word: Word, key: str) -> Finder:
        if word.text not in Site.model_fields:
            self.names.unknown(word, f"{key}.site", "setting of site", Site.model_fields)
        return Fixed(getattr(self.names.site, word.text, None), f"site.{word.text}")

    def _read(self, rule: RuleText, spec: ResourceField) -> Finder:
        function, protocol = self._function(rule), self.part.source
        sources = tuple(
            self.names.source(word, f"{rule.key}.from", protocol, function.reading)
            for word in rule.from_
        )
        self._check_format(rule, function, spec)
        make = with_options(rule, function, self.names.tables, self.names.faults)
        if rule.join is not None:
            prefix = rule.prefix.text if rule.prefix else ""
            return Join(sources, function.name, make, rule.join.text, prefix)
        if function.name == EARLIEST:
            return Earliest(sources, function.name, make)
        plain = function is COPY and rule.prefix is None
        return Read(sources, function.name, make, plain and protocol is Protocol.HL7V2)

    def _function(self, rule: RuleText) -> Function:
        known = FUNCTIONS[self.part.source]
        if rule.as_ is None:
            return COPY
        if rule.as_.text not in known:
            what = f"function for {self.part.source.value}"
            self.names.unknown(rule.as_, f"{rule.key}.as", what, known)
        return known.get(rule.as_.text, COPY)

    def _check_format(self, rule: RuleText, function: Function, spec: ResourceField) -> None:
        wanted = _FORMATS.get(spec.format) if spec.format is not None else None
        known = rule.as_ is None or function.name == rule.as_.text
        if wanted and known and function.name not in wanted:
            message = f"holds a {spec.format}; write 'as: {wanted[0]}'."
            self.names.faults.append(rule.place.fault(f"{rule.key}.as", message, wanted[0]))

    def _table(self, rule: RuleText, spec: ResourceField) -> CodeTable | None:
        if rule.codes is None:
            return None
        table = self.names.tables.get(rule.codes.text)
        if table is None:
            self.names.unknown(rule.codes, f"{rule.key}.codes", "code table", self.names.tables)
            return None
        # of several rules of a field each would tell the same
        taken_by = rule.key.rpartition("[")[0] if rule.key.endswith("]") else rule.key
        taker = f", which {taken_by} of parts/{self.part.name} takes"
        for key, word in table.results:
            self._check_enum(word, key, spec, taker)
        return table
