"""What messages teach one another, in the little room that a pass over very many of them has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from bridge.delivery import OF_IDENTITY, Call, Entity
from bridge.mapping.engine.dotted import FACTS
from bridge.order import OrderLine
from bridge.pipeline.planning.translate import Known, OrderLines

#: resource, external id, what orders can ask of it joined into one text, references to it. Plain
#: and small, because one is kept for every record and handed between processes.
Lesson: TypeAlias = tuple[str, str, str, tuple[str, ...]]

_BETWEEN = "\x1f"


def lessons_of(calls: Iterable[Call]) -> tuple[Lesson, ...]:
    """What is to be remembered of a translation."""
    return tuple(
        (call.resource, call.external_id, _facts_of(call), call.references)
        for call in calls
        if call.interaction not in OF_IDENTITY and (call.resource in FACTS or call.references)
    )


def _facts_of(call: Call) -> str:
    facts, payload = call.facts, call.payload
    return _BETWEEN.join(
        str(facts.get(name) or payload.get(name) or "") for name in FACTS.get(call.resource, ())
    )


class Lessons:
    """Knows what the messages of one pass taught, and else what is known already (`behind`)."""

    def __init__(self, behind: Known | None = None) -> None:
        self._behind = behind
        self._links: dict[str, str] = {}
        self._facts: dict[tuple[str, str], str] = {}
        self._order_lines = OrderLines()

    def link(self, reference: str) -> str | None:
        """External id behind a reference."""
        found = self._links.get(reference)
        return self._behind.link(reference) if found is None and self._behind else found

    def entity(self, resource: str, external_id: str) -> Entity | None:
        """A record, with what orders can ask of it."""
        found = self._facts.get((resource, external_id))
        before = self._behind.entity(resource, external_id) if self._behind else None
        if found is None:
            return before
        told = dict(zip(FACTS.get(resource, ()), found.split(_BETWEEN), strict=False))
        facts = {**(before.facts if before else {}), **{k: v for k, v in told.items() if v}}
        return Entity(resource, external_id, before.desired if before else {}, facts=facts)

    def order_lines(self, visit_id: str) -> Sequence[OrderLine]:
        """What the pass would have sent of a visit's services. What is known already is of later
        than the pass, in which each order would seem to be sent before."""
        return self._order_lines.of(visit_id)

    def learn_from(self, calls: Sequence[Call]) -> None:
        """Remember what the calls of a translation are about."""
        self._order_lines.learn(calls)
        self.learn(lessons_of(calls))

    def learn(self, lessons: Sequence[Lesson]) -> None:
        """Remember; what a later message does not say stays as it was."""
        for resource, external_id, told, references in lessons:
            key = (resource, external_id)
            self._facts[key] = _merged(self._facts.get(key), told)
            for reference in references:
                self._links[reference] = external_id


def _merged(before: str | None, told: str) -> str:
    if before is None or before == told:
        return told
    pairs = zip(before.split(_BETWEEN), told.split(_BETWEEN), strict=True)
    return _BETWEEN.join(new or old for old, new in pairs)
