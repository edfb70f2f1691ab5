"""Where in a document something stands, the same way for every protocol: names from the outside in.

    PID-5             ("PID", "5")           a field, with all that is in it
    PV1-19.1          ("PV1", "19", "1")     a component
    NK1[2]-5          ("NK1[2]", "5")        of the second NK1, where a rule asks for that one
    NK1[*]            ("NK1[*]",)            every NK1 but those that are read
    AIS[*]-4          ("AIS", "4"), ("AIS[*]", "4")   of the first AIS and of all others
    name.family       ("name", "family")
    line.dose         ("line", "dose")

A trail leads to all that lies under it: who reads PID-5 reads each of its components.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from bridge.errors import PathError
from bridge.fhir import paths as fhir_paths
from bridge.fhir.trails import trails as fhir_trails
from bridge.hl7v2 import paths as hl7v2_paths
from bridge.hl7v2.paths import EVERY, Hl7Path
from bridge.mapping.engine import dotted
from bridge.message import Protocol

Trail: TypeAlias = tuple[str, ...]

#: stands behind a segment's name for all of that name that no rule reads
OTHERS = "[*]"
_SEGMENT = re.compile(r"([A-Z][A-Z0-9]{2})(\[\*\])?")


def read(text: str, protocol: Protocol) -> tuple[Trail, ...]:
    """What a path of a mapping reads, with what its conditions ask; the path must be right."""
    return _READ[protocol](text)


@lru_cache(maxsize=4096)
def ignored(text: str, protocol: Protocol) -> Trail:
    """What `ignore:` names: a path without a choice, or an HL7 segment; raises PathError."""
    segment = _SEGMENT.fullmatch(text) if protocol is Protocol.HL7V2 else None
    if segment is not None:
        hl7v2_paths.check_segment(segment[1], text)
        return (text,)
    _CHECK[protocol](text)
    found = _READ[protocol](text)[-1]
    if told(found, protocol) != text:
        plain = told(found, protocol)
        raise PathError(f"'{text}': what is left out is named without a choice in it.", plain)
    return found


def is_segment(text: str) -> bool:
    """Whether a segment can be called so."""
    return _SEGMENT.fullmatch(text) is not None and len(text) == 3


def told(trail: Trail, protocol: Protocol) -> str:
    """The trail as that protocol writes it."""
    if protocol is Protocol.HL7V2:
        return "-".join(filter(None, (trail[0], ".".join(trail[1:]))))
    names: list[str] = []
    for name in trail:
        if names and names[-1] == "extension":
            names[-1] = f"extension('{name}')"
        else:
            names.append(name)
    return ".".join(names)


def _of_hl7(text: str) -> tuple[Trail, ...]:
    if hl7v2_paths.segment_path(text) is not None:
        return ()  # that it is there says nothing of what it holds
    path = hl7v2_paths.parse(text)
    if path.line[1] != EVERY:
        return (of_hl7(path),)
    segment, *within = of_hl7(path)
    return (segment.removesuffix(OTHERS), *within), (segment, *within)


def of_hl7(path: Hl7Path) -> Trail:
    """An HL7 path as a trail; a subcomponent is told by its component."""
    segment, occurrence = path.line
    others = OTHERS if occurrence == EVERY else f"[{occurrence}]"
    line = segment if occurrence == 1 else f"{segment}{others}"
    component = () if path.component is None else (str(path.component),)
    return (line, str(path.field), *component)


def _of_order(text: str) -> tuple[Trail, ...]:
    return (tuple(dotted.parse(text)),)


_READ: Mapping[Protocol, Callable[[str], tuple[Trail, ...]]] = {
    Protocol.HL7V2: _of_hl7,
    Protocol.FHIR: fhir_trails,
    Protocol.ORDERS: _of_order,
}
_CHECK: Mapping[Protocol, Callable[[str], Any]] = {
    Protocol.HL7V2: hl7v2_paths.parse,
    Protocol.FHIR: fhir_paths.parse,
    Protocol.ORDERS: dotted.parse,
}
