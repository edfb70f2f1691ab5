"""Compare what two sets of mappings make of one message."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from bridge.delivery import Call, Target, Translation
from bridge.remarks import Remark
from bridge.study.whatif.difference import About, DifferenceKind, Point

#: a kind of difference with the value on either side
Found: TypeAlias = tuple[Point, Any, Any]


#: what a call says beside its payload
BESIDE = ("(interaction)", "(authority)", "(references)", "(on create)", "(into)", "(owner)")


def compare(present: Translation | None, changed: Translation | None) -> Iterator[Found]:
    """Every difference; lineage is none, since places of rules move with every edit."""
    if present is None or changed is None:
        if (present is None) != (changed is None):
            kind = DifferenceKind.ADDED if present is None else DifferenceKind.REMOVED
            yield Point(About.TAKEN, "by a mapping", kind), present is not None, changed is not None
        if present is None and changed is None:
            return
    left, right = present or _NOTHING, changed or _NOTHING
    for before, after in _paired(left.calls, right.calls):
        yield from _calls(before, after)
    yield from _sets(About.HOLD, map(_kind_of, left.needs), map(_kind_of, right.needs))
    yield from _sets(About.PROBLEM, [left.problem], [right.problem])
    if left.warnings != right.warnings:
        yield from _sets(About.REMARK, map(_told, left.warnings), map(_told, right.warnings))


_NOTHING = Translation("", "", ())


def _paired(
    present: Sequence[Call], changed: Sequence[Call]
) -> Iterator[tuple[Call | None, Call | None]]:
    """Calls of the same record together; what is left of a resource, in order."""
    if len(present) == len(changed) and all(map(_same_record, present, changed)):
        yield from zip(present, changed, strict=True)
        return
    left, right = list(present), list(changed)
    for match in (_same_record, _same_resource):
        for before in tuple(left):
            after = next((call for call in right if match(before, call)), None)
            if after is not None:
                left.remove(before)
                right.remove(after)
                yield before, after
    yield from ((before, None) for before in left)
    yield from ((None, after) for after in right)


def _same_resource(one: Call, other: Call) -> bool:
    return one.resource == other.resource and one.target is other.target


def _same_record(one: Call, other: Call) -> bool:
    return one.external_id == other.external_id and _same_resource(one, other)


def _calls(before: Call | None, after: Call | None) -> Iterator[Found]:
    if before is None or after is None:
        call = before or after
        assert call is not None
        kind = DifferenceKind.ADDED if before is None else DifferenceKind.REMOVED
        whole = dict(_fields(call))
        point = Point(About.CALL, call.resource, kind)
        yield point, whole if before else None, whole if after else None
        return
    if _is_same(before, after):
        return
    yield Point(About.CALL, before.resource, DifferenceKind.CHANGED), None, None
    left, right = dict(_fields(before)), dict(_fields(after))
    for name in {**left, **right}:
        if name not in left:
            kind = DifferenceKind.ADDED
        elif name not in right:
            kind = DifferenceKind.REMOVED
        elif left[name] == right[name]:
            continue
        else:
            kind = DifferenceKind.CHANGED
        point = Point(About.FIELD, f"{before.resource}.{_folded(name)}", kind)
        yield point, left.get(name), right.get(name)


def _is_same(one: Call, other: Call) -> bool:
    """The way of nearly all calls: nothing is taken apart."""
    return (
        one.payload == other.payload
        and one.external_id == other.external_id
        and one.facts == other.facts
        and one.interaction is other.interaction
        and one.create_only == other.create_only
        and one.authority == other.authority
        and one.references == other.references
        and one.allocations == other.allocations
        and one.into == other.into
        and one.owner == other.owner
    )


def _fields(call: Call) -> Iterator[tuple[str, Any]]:
    """Everything that a call says, by name; what is not of the payload in brackets."""
    if call.target is Target.HOSPITAL:
        yield from _segment_fields(call.payload["segments"])
    else:
        yield from call.payload.items()
    yield from (
        (each.field, f"{each.sequence} allocated for {each.key}") for each in call.allocations
    )
    yield from ((f"facts.{name}", value) for name, value in call.facts.items())
    yield "id", call.external_id
    beside = (
        str(call.interaction),
        call.authority,
        ", ".join(call.references),
        ", ".join(sorted(call.create_only)),
        call.into,
        call.owner,
    )
    yield from ((name, value) for name, value in zip(BESIDE, beside, strict=True) if value)


def _segment_fields(
    segments: Iterable[tuple[str, Mapping[str, str]]],
) -> Iterator[tuple[str, str]]:
    """`RXE-2.1`, and `RXE-2.1#2` of the second RXE."""
    seen: defaultdict[str, int] = defaultdict(int)
    for name, fields in segments:
        seen[name] += 1
        behind = f"#{seen[name]}" if seen[name] > 1 else ""
        yield from ((f"{name}-{place}{behind}", value) for place, value in fields.items())


def _folded(name: str) -> str:
    """Repeated segments are counted as one."""
    return name.partition("#")[0]


def _sets(about: About, present: Iterable[str], changed: Iterable[str]) -> Iterator[Found]:
    left, right = Counter(filter(None, present)), Counter(filter(None, changed))
    for what in right - left:
        yield Point(about, what, DifferenceKind.ADDED), None, None
    for what in left - right:
        yield Point(about, what, DifferenceKind.REMOVED), None, None


def _kind_of(need: str) -> str:
    """What is waited for, without its number: `patient-visits`."""
    return need.partition("/")[0].partition(":")[0]


def _told(remark: Remark) -> str:
    return f"{remark.path}: {remark.text}"
