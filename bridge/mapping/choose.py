"""`choose:` which of several HL7 segments of one name a part reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bridge.mapping.plan import ChoicePlan
from bridge.mapping.scope import Scope


class Segmented(Protocol):
    """A document of numbered segments."""

    def count(self, segment: str) -> int: ...


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
