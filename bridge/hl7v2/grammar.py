"""What the standard says of a message, from hl7apy's tables: names for people, and structure.

Not for the hot path: the tables of a version take a quarter of a second to load, and are loaded
when first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from bridge.errors import PathError
from bridge.hl7v2 import paths, segments
from bridge.hl7v2.header import Header, Hl7Text, scan
from bridge.hl7v2.paths import DECLARING

#: hl7apy's (kind, children, datatype, name, …); children are (name, reference, (least, most), kind)
_Reference: TypeAlias = Sequence[Any]

_DEFAULT_VERSION = "2.5.1"
#: trigger events of ADT whose structure bears the name of another (table 0354)
_SHARED = {
    event: structure
    for structure, events in {
        "A01": "A04 A08 A13",
        "A05": "A14 A28 A31",
        "A06": "A07",
        "A09": "A10 A11",
        "A21": "A22 A23 A25 A26 A27 A29 A32 A33",
        "A30": "A34 A35 A36 A46 A47 A48 A49",
        "A39": "A40 A41 A42",
        "A43": "A44",
        "A50": "A51",
        "A52": "A53 A55",
        "A61": "A62",
    }.items()
    for event in events.split()
}
#: data types that a value can be wrong for; any text is a right ST, and tables are no business
#: of a structure (hl7apy's own validation takes every user-defined code for an error)
_CHECKED_TYPES = frozenset(("NM", "SI", "DT", "TM", "DTM"))


@lru_cache(maxsize=4096)
def field_name(path: str, version: str) -> str:
    """What the standard calls the field or component at `path` (`PID-5.1`), in words.

    `Patient name, family name`. "" for what the version does not define; an unknown version is
    taken for 2.5.1.
    """
    try:
        place = paths.parse(path)
    except PathError:
        return ""
    known = _load(f"{place.line[0]}_{place.field}", "Field", _known_version(version))
    if known is None:
        return ""
    part = _component(known, place.component)
    return f"{_words(known)}, {_words(part).lower()}" if part else _words(known)


def check_structure(body: bytes) -> list[str]:
    """What is wrong with a message of ours by the grammar of its version, one sentence each."""
    return check_text(Hl7Text(scan(body), body.decode("utf-8", "replace")))


def check_text(message: Hl7Text) -> list[str]:
    """What is wrong with any message by the grammar of its version, one sentence each.

    Looks at order, presence and number of segments, required and repeated fields, and values of
    numbers and times. No sentence holds a value.
    """
    header, text = message
    version = _known_version(header.version)
    name = header.structure or _structure_of(header.message_type, version)
    if _is_local(name):
        return []
    structure = _load(name, "Message", version)
    if structure is None:
        return [f"{name} is not a message structure of HL7 {version}."]
    # Local segments may stand anywhere (chapter 2.5.2).
    found = segments.split(text, header.field_separator)
    lines = [line for line in found if not line.startswith("Z")]
    order = _Order(f"{name} of HL7 {version}", [line[:3] for line in lines])
    order.take(structure)
    order.finish()
    return [*order.faults, *_faults_in(lines, header, version)]


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the standard says of a subcomponent."""

    #: `ST`, `ID`, `DT` …
    datatype: str
    #: of what it is a part, `XTN`; "" where it is the whole field
    composite: str
    #: the codes of its table; none where the standard lists none
    codes: frozenset[str]


@lru_cache(maxsize=16384)
def leaf(segment: str, field: int, component: int, subcomponent: int, version: str) -> Leaf | None:
    """What stands at a place, or None where the standard has no such place.

    An unknown version is taken for 2.5.1.
    """
    version = _known_version(version)
    found, composite, table = _load(f"{segment}_{field}", "Field", version), "", None
    for number in (component, subcomponent):
        if found is None:
            return None
        if found[0] == "leaf":
            found = found if number == 1 else None
            continue
        composite, table = str(found[2]), found[4]
        parts = found[1]
        found = parts[number - 1][1] if number <= len(parts) else None
    if found is None or found[0] != "leaf":
        return None
    return Leaf(str(found[2]), composite, _codes(found[4] or table, version))


def is_segment(name: str) -> bool:
    """Whether any version we know has a segment of that name."""
    return name in paths.SEGMENTS


@lru_cache(maxsize=2048)
def _codes(table: str | None, version: str) -> frozenset[str]:
    from hl7apy import load_library

    known: set[str] = set()
    for one in {version, _DEFAULT_VERSION}:
        tables = getattr(load_library(one), "TABLES", {})
        _, codes = tables.get(table) or ("", ())
        known.update(codes or ())
    return frozenset(known)


def _structure_of(message_type: str, version: str) -> str:
    """The structure of a message that does not name it in MSH-9.3."""
    code, _, trigger = message_type.partition("^")
    shared = "SIU_S12" if code == "SIU" else f"{code}_{_SHARED.get(trigger, trigger)}"
    # Versions before 2.4 have fewer that share one.
    return shared if _load(shared, "Message", version) else f"{code}_{trigger}"


def _is_local(structure: str) -> bool:
    return any(part.startswith("Z") for part in structure.split("_"))


@dataclass(slots=True)
class _Order:
    """Lays segments against a structure, first fit; no structure of the standard needs more."""

    name: str
    lines: Sequence[str]
    at: int = 0
    faults: list[str] = field(default_factory=list)

    def take(self, group: _Reference) -> None:
        """Take the segments that belong to one occurrence of a message or group."""
        children = group[1]
        if group[0] == "choice":
            children = [child for child in children if self._begins(child)][:1]
        for child in children:
            least, most = child[2]
            taken = 0
            while (most < 0 or taken < most) and self._begins(child):
                self._take_child(child)
                taken += 1
            if taken < least:
                self._miss(child)

    def finish(self) -> None:
        """Say which segments found no place."""
        for line in self.lines[self.at :]:
            self.faults.append(f"{line} has no place where it stands in {self.name}.")

    def _take_child(self, child: _Reference) -> None:
        if child[3] == "GRP":
            self.take(child[1])
        else:
            self.at += 1

    def _begins(self, child: _Reference) -> bool:
        return self.at < len(self.lines) and self.lines[self.at] in _openers(child)

    def _miss(self, child: _Reference) -> None:
        after = f" after {self.lines[self.at - 1]}" if self.at else ""
        self.faults.append(f"{_opener(child)} is missing{after}; {self.name} requires it.")


def _openers(child: _Reference) -> Iterator[str]:
    """The segments a child can begin with: its own name, or a group's up to the first required."""
    if child[3] != "GRP":
        yield child[0]
        return
    kind, children, *_ = child[1]
    for inner in children:
        yield from _openers(inner)
        if kind == "sequence" and inner[2][0] > 0:
            return


def _opener(child: _Reference) -> str:
    """The first segment that a child requires; of a choice, all there are."""
    if child[3] != "GRP":
        return str(child[0])
    if child[1][0] == "choice":
        return " or ".join(_openers(child))
    return next((_opener(inner) for inner in child[1][1] if inner[2][0] > 0), str(child[0]))


def _faults_in(lines: Sequence[str], header: Header, version: str) -> Iterator[str]:
    seen: dict[str, int] = {}
    for line in lines:
        name = line[:3]
        seen[name] = seen.get(name, 0) + 1
        reference = _load(name, "Segment", version)
        if reference is not None:
            where = name if seen[name] == 1 else f"{name}[{seen[name]}]"
            yield from _faults_of_segment(where, line, reference, header, version)


def _faults_of_segment(
    where: str, line: str, reference: _Reference, header: Header, version: str
) -> Iterator[str]:
    fields = line.split(header.field_separator)
    # MSH-1 and MSH-2 are what the line was cut by, and always there.
    first = 3 if line[:3] in DECLARING else 1
    fields = [*fields[:1], "", *fields[1:]] if first == 3 else fields
    if len(fields) - 1 > len(reference[1]):
        yield f"{where} has {len(fields) - 1} fields; HL7 {version} has {len(reference[1])}."
    for number, child in enumerate(reference[1][first - 1 :], start=first):
        value = fields[number] if number < len(fields) else ""
        yield from _faults_of_field(f"{where}-{number}", value, child, header, version)


def _faults_of_field(
    where: str, value: str, child: _Reference, header: Header, version: str
) -> Iterator[str]:
    least, most = child[2]
    if not value:
        if least:
            yield f"{where} is empty; HL7 {version} requires it."
        return
    cut = header.delimiters
    repetitions = value.split(cut.repetition)
    if 0 < most < len(repetitions):
        yield f"{where} has {len(repetitions)} repetitions; HL7 {version} allows {most}."
    for repetition in repetitions:
        yield from _faults_of_value(
            where, repetition, child[1], (cut.component, cut.subcomponent), version
        )


def _faults_of_value(
    where: str, value: str, reference: _Reference, separators: tuple[str, ...], version: str
) -> Iterator[str]:
    if reference[0] == "sequence" and separators:
        separator, *deeper = separators
        for number, (part, child) in enumerate(
            zip(value.split(separator), reference[1], strict=False), start=1
        ):
            yield from _faults_of_value(f"{where}.{number}", part, child[1], (*deeper,), version)
    elif value and not _is_of_type(value, reference[2], version):
        yield f"{where} is not a value of the data type {reference[2]}."


def _is_of_type(value: str, datatype: str, version: str) -> bool:
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.exceptions import HL7apyException
    from hl7apy.factories import datatype_factory

    if datatype not in _CHECKED_TYPES or value == '""':
        return True
    try:
        datatype_factory(datatype, value, version, VALIDATION_LEVEL.STRICT)
    except (HL7apyException, ValueError):
        return False
    return True


@lru_cache(maxsize=4096)
def _load(name: str, kind: str, version: str) -> _Reference | None:
    from hl7apy import load_reference
    from hl7apy.exceptions import ChildNotFound

    try:
        reference: _Reference = load_reference(name, kind, version)
    except ChildNotFound:
        return None
    return reference


def _known_version(version: str) -> str:
    from hl7apy import SUPPORTED_LIBRARIES

    return version if version in SUPPORTED_LIBRARIES else _DEFAULT_VERSION


def _component(reference: _Reference, number: int | None) -> _Reference | None:
    parts = reference[1] or ()
    if number is None or number > len(parts):
        return None
    part: _Reference = parts[number - 1][1]
    return part


def _words(reference: _Reference) -> str:
    return str(reference[3]).replace("_", " ").capitalize()
