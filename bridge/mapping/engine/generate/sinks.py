"""Where a value goes that a rule found: into the payload, a segment, a fact, or a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.lineage import RuleLine
from bridge.mapping.engine.compiled import CompiledField
from bridge.mapping.engine.generate import runtime
from bridge.mapping.engine.generate.text import SourceText
from bridge.mapping.engine.rules import Fixed, IdOf, Rule
from bridge.message import DELETE
from bridge.zauto.catalogue import FieldType

#: the type of Python that most values of these fields are of
_PYTHON = {FieldType.STRING: "str", FieldType.NUMBER: "int"}


@dataclass(frozen=True, slots=True)
class Found:
    """The expressions for what a rule found."""

    value: str
    raw: str = "''"
    path: str = "''"
    #: "" where the rule alone says what made the value
    made_by: str = ""


class Sink(Protocol):
    """Writes what becomes of a value; None is no value."""

    def take(self, text: SourceText, field: CompiledField, rule: Rule, found: Found) -> None: ...


@dataclass(frozen=True, slots=True)
class IntoPayload:
    """A field of a record."""

    legend: list[RuleLine]

    def take(self, text: SourceText, field: CompiledField, rule: Rule, found: Found) -> None:
        """What is of the field's type already as it stands; all others are made so."""
        taken = [f"note({trace(self.legend, field.name, rule, found)})"]
        if rule.on_create:
            taken.append(f"created.append({text.bind(field.name)})")
        own = _PYTHON.get(field.type)
        if own is not None:
            # "" is of the type and no value
            says = found.value if own == "str" else "True"
            with text.block(f"if {found.value}.__class__ is {own}"), text.block(f"if {says}"):
                text.line(f"payload[{text.bind(field.name)}] = {found.value}")
                text.lines(taken)
        self._put(text, "elif" if own else "if", field, rule, found, taken)

    def _put(
        self,
        text: SourceText,
        word: str,
        field: CompiledField,
        rule: Rule,
        found: Found,
        taken: list[str],
    ) -> None:
        what = f"{text.bind(field)}, {text.bind(rule)}, {found.value}, {found.raw}, {found.path}"
        test = f"{text.bind(runtime.put)}({what}, payload, allocations, scope)"
        with text.block(f"{word} {found.value} is not None and {test}"):
            text.lines(taken)


@dataclass(frozen=True, slots=True)
class IntoSegment:
    """A field of a segment to the hospital."""

    legend: list[RuleLine]
    segment: str
    #: the number of the repeated line it stands in, as an expression; "" outside of `each`
    line: str = ""

    def take(self, text: SourceText, field: CompiledField, rule: Rule, found: Found) -> None:
        """As HL7 writes it."""
        with text.block(_if_said(text, found)):
            written = f"{text.bind(runtime.written)}({found.value})"
            text.line(f"values[{text.bind(field.name)}] = {written}")
            label = f"{self.segment}-{field.name}"
            text.line(f"note({trace(self.legend, label, rule, found, self.line)})")


@dataclass(frozen=True, slots=True)
class IntoFact:
    """What is remembered of the record beside the payload."""

    def take(self, text: SourceText, field: CompiledField, rule: Rule, found: Found) -> None:
        """As text."""
        with text.block(_if_said(text, found)):
            text.line(f"facts[{text.bind(field.name)}] = str({found.value})")


@dataclass(frozen=True, slots=True)
class IntoName:
    """A name of the function, such as `external_id`."""

    name: str
    #: None where its origin is not kept
    legend: list[RuleLine] | None = None

    def take(self, text: SourceText, field: CompiledField, rule: Rule, found: Found) -> None:
        """As text."""
        with text.block(_if_said(text, found)):
            text.line(f"{self.name} = str({found.value})")
            if self.legend is not None:
                text.line(f"note({trace(self.legend, field.name, rule, found)})")


def _if_said(text: SourceText, found: Found) -> str:
    """Neither nothing nor a deletion."""
    value = found.value
    return f"if {value} is not None and {value} != '' and {value} is not {text.bind(DELETE)}"


def trace(legend: list[RuleLine], label: str, rule: Rule, found: Found, line: str = "") -> str:
    """The expression of a trace (`bridge.delivery.Trace`), whose rule is added to the legend."""
    legend.append(RuleLine(label, rule.place, _made_by(rule)))
    parts = [number(legend), found.path, found.raw]
    if found.made_by or line:
        parts.append(found.made_by or "''")
    return f"({', '.join([*parts, line] if line else parts)})"


def number(legend: Sequence[RuleLine]) -> str:
    """The name that stands for the number of the last rule in the legend of the whole set."""
    return f"n{len(legend) - 1}"


def _made_by(rule: Rule) -> str:
    finder = rule.finder
    return f"id of {finder.resource}" if isinstance(finder, IdOf) else finder.made_by


__all__ = ["Fixed", "Found", "IntoFact", "IntoName", "IntoPayload", "IntoSegment", "Sink", "trace"]
