"""`choose:` which of several HL7 segments of one name a part reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from bridge.mapping.plan import ChoicePlan
from bridge.message import DELETE

#: segments of one name that are looked at
CHOSEN_FROM = 9


class Segmented(Protocol):
    """A document of numbered segments."""

    def count(self, segment: str) -> int: ...
    def fields(self, segment: str, occurrence: int, last: int) -> Sequence[str]: ...
    def at(self, path: Any, text: str) -> Sequence[Any]: ...


def choose(choices: Sequence[ChoicePlan], document: Segmented) -> dict[str, int]:
    """Numbers by segment name: 1 for the first of that name, 0 for none."""
    return {choice.source.path.line[0]: _number(choice, document) for choice in choices}


def _number(choice: ChoicePlan, document: Segmented) -> int:
    """The first whose value is wanted, else the first whose value is not unwanted."""
    segment = choice.source.path.line[0]
    count = min(document.count(segment), CHOSEN_FROM)
    if count == 0:
        return 0
    said = [_texts(choice, document, segment, n) for n in range(1, count + 1)]
    for number, texts in enumerate(said, 1):
        if not choice.wanted.isdisjoint(texts):
            return number
    if choice.unwanted:
        for number, texts in enumerate(said, 1):
            if choice.unwanted.isdisjoint(texts):
                return number
    return 0


def _texts(choice: ChoicePlan, document: Segmented, segment: str, number: int) -> tuple[Any, ...]:
    path = choice.source.path
    text = document.fields(segment, number, path.field)[path.field]
    if not text:
        return ()
    return tuple(choice.source.read(one) for one in document.at(path, text) if one is not DELETE)
