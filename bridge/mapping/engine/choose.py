"""`choose:` which of several HL7 segments of one name a part reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.hl7v2.reader import Hl7Document
from bridge.mapping.engine.compiled import CompiledChoice
from bridge.message import DELETE

#: segments of one name that are looked at
CHOSEN_FROM = 99
#: not within any group
_WHOLE: Mapping[str, range] = {}


def choose(
    choices: Sequence[CompiledChoice], document: Hl7Document, within: Mapping[str, range] = _WHOLE
) -> dict[str, int]:
    """Numbers by segment name, from 1 for the first of that name; 0 for none.

    `within` are the numbers of the segments of one group; others are those of the whole message.
    """
    found = {}
    for choice in choices:
        segment = choice.source.path.line[0]
        every = within[segment] if segment in within else range(1, document.count(segment) + 1)
        found[segment] = _number(choice, document, every[:CHOSEN_FROM]) if every else 0
    return found


def _number(choice: CompiledChoice, document: Hl7Document, numbers: Sequence[int]) -> int:
    """The first whose value is wanted, else the first whose value is not unwanted."""
    segment, usable = choice.source.path.line[0], 0
    for number in numbers:
        texts = _texts(choice, document, segment, number)
        if not choice.wanted.isdisjoint(texts):
            return number
        if not usable and choice.unwanted and choice.unwanted.isdisjoint(texts):
            usable = number
    return usable


def _texts(
    choice: CompiledChoice, document: Hl7Document, segment: str, number: int
) -> tuple[Any, ...]:
    path = choice.source.path
    text = document.fields(segment, number, path.field)[path.field]
    if not text:
        return ()
    return tuple(
        choice.source.read(one) for one in document.syntax.values(path, text) if one is not DELETE
    )
