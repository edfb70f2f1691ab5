"""What differs between two sets of mappings, counted; parts of it can be added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

#: examples of one kind of difference
MOST_EXAMPLES = 3
#: kinds of difference that are counted apart; a mapping that writes values into remarks or problems
#: could make one a message
MOST_KINDS = 2_000
OTHERS = "(others)"


class DifferenceKind(StrEnum):
    """How the changed mappings differ from the present ones."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class About(StrEnum):
    """What a difference is in; a call's and a field's are named by their resource."""

    CALL = "call"
    FIELD = "field"
    HOLD = "holds"
    PROBLEM = "problems"
    REMARK = "remarks"
    #: whether a mapping takes the message type at all
    TAKEN = "taken"


class Point(NamedTuple):
    """One kind of difference."""

    about: About
    #: `patients`, `patients.gender`, `patient-visits` waited for, the problem, the remark
    what: str
    kind: DifferenceKind


@dataclass(frozen=True, slots=True)
class Example:
    """One difference in one message; its values are patient data."""

    #: number in the store, or file
    message: str
    message_type: str
    point: Point
    present: Any
    changed: Any


@dataclass(slots=True)
class Comparison:
    """All that differs in a pass."""

    messages: int = 0
    #: messages that come to something else
    differing: int = 0
    #: messages that neither set takes
    untaken: int = 0
    #: in how many messages each kind of difference is
    points: Counter[Point] = field(default_factory=Counter)
    examples: dict[Point, list[Example]] = field(default_factory=dict)

    def note(self, found: Iterable[Example]) -> None:
        """Count the differences of one message."""
        points = set()
        for example in found:
            point = example.point if self._has_room(example.point) else _lumped(example.point)
            points.add(point)
            self._keep(point, example)
        self.messages += 1
        self.differing += bool(points)
        self.points.update(points)

    def add(self, other: Comparison) -> None:
        """Add what a later part of the pass found."""
        self.messages += other.messages
        self.differing += other.differing
        self.untaken += other.untaken
        for point, count in other.points.items():
            self.points[point if self._has_room(point) else _lumped(point)] += count
        for point, examples in other.examples.items():
            for example in examples:
                self._keep(point, example)

    def without(self, allowed: frozenset[str]) -> list[Point]:
        """The differences that are not allowed; `patients` allows all of its fields too."""
        return [
            point for point in self.points if not _sums_up(point) and not names_of(point) & allowed
        ]

    def _has_room(self, point: Point) -> bool:
        return point in self.points or len(self.points) < MOST_KINDS

    def _keep(self, point: Point, example: Example) -> None:
        if point.what == OTHERS:
            return
        kept = self.examples.setdefault(point, [])
        if len(kept) < MOST_EXAMPLES:
            kept.append(example)


def names_of(point: Point) -> set[str]:
    """The names a difference can be allowed by."""
    if point.about in (About.CALL, About.FIELD):
        return {point.what, point.what.partition(".")[0]}
    return {str(point.about)}


def _sums_up(point: Point) -> bool:
    """A changed call is one whose fields changed, and they are told one by one."""
    return point.about is About.CALL and point.kind is DifferenceKind.CHANGED


def _lumped(point: Point) -> Point:
    return point._replace(what=OTHERS)
