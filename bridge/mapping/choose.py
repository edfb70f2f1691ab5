"""`choose:` which of several HL7 segments of one name a part reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from bridge.hl7v2.paths import Hl7Path
from bridge.mapping.plan import ChoicePlan
from bridge.mapping.scope import Scope


class Segmented(Protocol):
    """A document of numbered segments."""

    def values(self, path: Any) -> Sequence[Any]: ...

    def count(self, segment: str) -> int: ...


class ChosenSegments:
    """A document in which the first segment of a name is the one that was chosen."""

    __slots__ = ("_chosen", "_whole")

    def __init__(self, whole: Any, chosen: Mapping[str, int]) -> None:
        self._whole = whole
        self._chosen = chosen

    def values(self, path: Hl7Path) -> Sequence[Any]:
        """As the whole document; nothing for a segment of which none was chosen."""
        segment, occurrence = path.line
        number = self._chosen.get(segment)
        if number is None or occurrence != 1:
            found: Sequence[Any] = self._whole.values(path)
            return found
        return self._whole.values(replace(path, line=(segment, number))) if number else ()


def choose(choices: Sequence[ChoicePlan], document: Segmented, scope: Scope) -> dict[str, int]:
    """Numbers from 1 by segment name, 0 for none; without those where it is the first."""
    numbers = {c.segment: _number(c, document.count(c.segment), scope) for c in choices}
    return {segment: number for segment, number in numbers.items() if number != 1}


def _number(choice: ChoicePlan, count: int, scope: Scope) -> int:
    """The first whose value is wanted, else the first whose value is not unwanted."""
    for tests in (choice.wanted, choice.possible):
        for number, test in enumerate(tests[:count], 1):
            if test.holds(scope):
                return number
    return 0 if count else 1
