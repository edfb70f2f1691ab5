"""Lineage: where each field of a call came from, in short and in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

#: Where one field of one call came from, in short: the number of its rule in the legend of the set
#: of mappings, the source path as the sender's standard writes it (`PID-5[1]`, "" for a constant)
#: and the source value before any function; then, where the rule alone does not say it, what made
#: the value, and the number of the repeated line it stands in. A plain tuple, because one is made
#: for every field of every message.
Trace: TypeAlias = tuple[int, str, str] | tuple[int, str, str, str] | tuple[int, str, str, str, int]


class RuleLine(NamedTuple):
    """One rule, as a legend has it."""

    #: the field it fills: `gender`, `PID-5.1`
    field: str
    #: file and line, `parts/patient_from_pid.yaml:12`
    place: str
    #: the function that makes the value, or `constant`; "" for a plain copy
    made_by: str = ""


#: every rule of one set of mappings, by number: what its traces refer to
Legend: TypeAlias = Sequence[RuleLine]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one field of one call came from, in full."""

    field: str
    #: source path; "" for a constant
    path: str
    #: the source value before any function, as text
    raw: str
    #: file and line of the rule
    rule: str
    #: the function, code table row or default that made the value; "" for a plain copy
    made_by: str = ""


def origins(lineage: Sequence[Trace], legend: Legend) -> tuple[Origin, ...]:
    """Each trace with what the legend of its set of mappings says of its rule."""
    return tuple(_origin(trace, legend) for trace in lineage)


def _origin(trace: Trace, legend: Legend) -> Origin:
    number, path, raw, *more = trace
    line = legend[number] if number < len(legend) else RuleLine(f"rule {number}", "not kept")
    made_by = str(more[0]) if more and more[0] else line.made_by
    field = line.field
    if len(more) == 2:
        segment, _, place = field.partition("-")
        field = f"{segment}[{more[1]}]-{place}"
    return Origin(field, path, raw, line.place, made_by)
