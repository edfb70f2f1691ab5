"""Apply a mapping to a document: pure, so that the same inputs always give the same calls."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingOf
from typing import Any

from bridge.causes import Cause, CauseKind, sentence
from bridge.delivery import OF_IDENTITY, Call, Translation
from bridge.mapping.document import Context, Document
from bridge.mapping.engine.choose import choose
from bridge.mapping.engine.compiled import REPETITION, CompiledCall, Maker, Mapping, NotMade
from bridge.mapping.scope import Scope
from bridge.remarks import RemarkCode


def apply(mapping: Mapping, document: Document, context: Context) -> Translation:
    """The calls a document asks for, referents first, and where each field came from.

    A record that must be known first and is not is named in `needs`, and then there are no calls.
    """
    scope = Scope(document, context, mapping.site, mapping.zone)
    problem = _gather_needs(mapping, scope)
    calls = [] if problem or scope.needs else _calls(mapping, scope)
    if mapping.nothing:
        scope.where, scope.raw = mapping.name, ""
        scope.remark(RemarkCode.NOTHING_KEPT, mapping.nothing)
    if isinstance(calls, NotMade):
        problem, calls = calls.cause, []
    elif scope.problems:
        problem, calls = scope.problems[0], []
    # the same is met again where two calls read the same field
    made, remarks = (mapping.name, mapping.hash), tuple(dict.fromkeys(scope.remarks))
    codes = tuple(dict.fromkeys(scope.unknown_codes))
    if scope.needs:
        needs = tuple(dict.fromkeys(scope.needs))
        held = tuple(calls)
        return Translation(*made, (), remarks, needs=needs, unknown_codes=codes, held_calls=held)
    return Translation(*made, tuple(calls), remarks, cause=problem, unknown_codes=codes)


def _gather_needs(mapping: Mapping, scope: Scope) -> Cause | None:
    """Add what `needs:` names and is not known; a cause where the document names nothing."""
    for need in mapping.needs:
        candidates = scope.read(need.source)
        if not candidates:
            name = f"{need.source.text} has no value"
            return Cause(CauseKind.NOT_CALLED, resource=need.resource, name=name)
        key = f"{need.resource}/{candidates[0][0]}"
        if key not in scope.context.known:
            scope.needs.append(key)
    return None


def _calls(mapping: Mapping, scope: Scope) -> list[Call] | NotMade:
    """The calls, or why a required one cannot be made."""
    calls: list[Call] = []
    for compiled, make in zip(mapping.calls, mapping.makers, strict=True):
        at = choose(compiled.choose, scope.document) if compiled.choose else {}
        made = _each(compiled, make, at, scope) if compiled.each else (make(scope, at),)
        for call in made:
            if isinstance(call, Call):
                if call.interaction not in OF_IDENTITY:
                    scope.ids[call.resource] = call.external_id
                calls.append(call)
            elif call.problem:
                return call
            elif call.cause:
                number = f" #{scope.number}" if scope.number > 1 else ""
                scope.where, scope.raw = f"{compiled.resource}{number}", ""
                scope.remark(call.remark, sentence(call.cause, reveal=True))
    return calls


def _each(
    compiled: CompiledCall, make: Maker, at: dict[str, int], scope: Scope
) -> Iterator[Call | NotMade]:
    """`each:` one call for each group of HL7 segments, or for each item of a list."""
    whole, outside = scope.document, scope.ids
    for scope.number, (scope.document, group) in enumerate(_groups(compiled, whole), 1):
        own = scope.ids_within.setdefault((compiled.begins, scope.number), {})
        scope.ids = ChainMap(own, outside)
        for repetition in _repetitions(compiled, group, whole):
            yield make(scope, {**at, **group, REPETITION: repetition})
    # a field that is not there is no lack, as with a `when` that asks for one
    lacking = not scope.number and (compiled.always or compiled.repeats is None)
    scope.document, scope.ids, scope.number = whole, outside, 0
    if lacking:
        name = f"no call for {compiled.resource}: the message has no {compiled.begins}"
        cause = Cause(CauseKind.NOT_CALLED, resource=compiled.resource, name=name)
        yield NotMade(cause, compiled.always)


def _groups(compiled: CompiledCall, whole: Any) -> Iterator[tuple[Any, dict[str, int]]]:
    """What to read for each call: the document, and the number of each HL7 segment in it."""
    first = compiled.each[0]
    if isinstance(first, str):
        for within in whole.groups(compiled.each):
            numbers = {name: span.start if span else 0 for name, span in within.items()}
            yield whole, numbers | choose(compiled.choose, whole, within)
    else:
        yield from ((item, {}) for item in whole.lines(first.path))


def _repetitions(compiled: CompiledCall, group: MappingOf[str, int], whole: Any) -> Iterable[int]:
    """Numbers of the repetitions of the field that is gone through; one where none is."""
    if compiled.repeats is None:
        return (1,)
    segment, field = compiled.repeats
    return range(1, whole.repeats(segment, group[segment], field) + 1)
