"""What differs between what a test expects and what a mapping made, each with its line and rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from typing import TypeAlias

from bridge.delivery import Call, Target, Translation
from bridge.errors import Fault
from bridge.lineage import Legend, Origin, origins
from bridge.study.cases.language import ByName, ExpectedCall, ExpectedEnd
from bridge.study.cases.stated import segments_of, state
from bridge.yamlfile import Place, Word

#: where each field of a call came from, by its name
Rules: TypeAlias = Mapping[str, Origin]


def compare(expected: ExpectedEnd, made: Translation | None, legend: Legend) -> list[Fault]:
    """One fault for each difference; none where the translation is as expected.

    `made` is None where no mapping takes the message; `legend` is that of its set of mappings.
    """
    faults = list(_ends(expected, made))
    if faults or made is None:
        return faults
    if expected.calls is not None:
        faults += _calls(expected, expected.calls, made.calls, legend)
    return [*faults, *_remarks(expected, made)]


def _ends(expected: ExpectedEnd, made: Translation | None) -> Iterator[Fault]:
    """Whether it ended in calls, in a hold, in a problem or unmapped, as it should."""
    wanted, got = _wanted(expected), ended(made)
    if wanted != got:
        yield expected.place.fault(expected.key, f"expected {wanted}, got {got}.")


def _wanted(expected: ExpectedEnd) -> str:
    if expected.unmapped:
        return "unmapped"
    if expected.held is not None:
        return f"held for {', '.join(word.text for word in expected.held)}"
    return "calls" if expected.problem is None else f"the problem '{expected.problem.text}'"


def ended(made: Translation | None) -> str:
    """How a translation ended, in words."""
    if made is None:
        return "unmapped"
    if made.needs:
        return f"held for {', '.join(made.needs)}"
    return f"the problem '{made.problem}'" if made.problem else "calls"


def _calls(
    expected: ExpectedEnd, wanted: Sequence[ExpectedCall], made: Sequence[Call], legend: Legend
) -> Iterator[Fault]:
    """Calls are matched by what they are; their order matters once all are there."""
    left = list(made)
    order: list[Call] = []
    for one in wanted:
        found = next((call for call in left if _is(one, call)), None)
        if found is None:
            message = f"expected to {_title(one.interaction, one.target.text)}, got no such call."
            yield one.place.fault(one.key, message)
            continue
        left.remove(found)
        order.append(found)
        yield from _call(one, found, _rules(found, legend))
    for call in left:
        message = f"got {_title(call.interaction, call.resource)} {call.external_id}, not expected."
        yield expected.place.fault(f"{expected.key}.calls", message)
    if not left and order != [call for call in made if call in order]:
        told = ", ".join(f"{call.interaction} {call.resource}" for call in made)
        yield expected.place.fault(f"{expected.key}.calls", f"got in another order: {told}.")


def _rules(call: Call, legend: Legend) -> Rules:
    return {origin.field: origin for origin in origins(call.lineage, legend)}


def _is(expected: ExpectedCall, call: Call) -> bool:
    return (expected.interaction, expected.target.text) == (call.interaction, call.resource)


def _title(interaction: str, target: str) -> str:
    return f"{interaction} {target}"


def _call(expected: ExpectedCall, call: Call, rules: Rules) -> Iterator[Fault]:
    place, key = expected.place, expected.key
    if expected.id is not None:
        yield from _word(expected.id.place, f"{key}.id", expected.id.text, call.external_id)
    if expected.authority is not None:
        at = expected.authority.place
        yield from _word(at, f"{key}.authority", expected.authority.text, call.authority)
    yield from _identity(expected, call)
    if expected.also is not None:
        ids = [other.external_id for other in call.also]
        yield from _set(place, f"{key}.also", expected.also, ids)
    yield from _set(place, f"{key}.linked", expected.linked, call.references)
    if call.target is Target.HOSPITAL:
        yield from _message(expected, call, rules)
    else:
        yield from _payload(expected, call, rules)
    if expected.facts is not None:
        yield from _fields(place, f"{key}.facts", expected.facts, call.facts, {})


def _identity(expected: ExpectedCall, call: Call) -> Iterator[Fault]:
    told = {"into": (expected.into, call.into), "owner": (expected.owner, call.owner)}
    for name, (word, got) in told.items():
        place, wanted = (word.place, word.text) if word else (expected.place, "")
        yield from _word(place, f"{expected.key}.{name}", wanted, got)


def _payload(expected: ExpectedCall, call: Call, rules: Rules) -> Iterator[Fault]:
    place, key, stated = expected.place, expected.key, state(call)
    yield from _fields(place, f"{key}.fields", expected.fields, stated.fields, rules)
    yield from _fields(place, f"{key}.on_create", expected.on_create, stated.on_create, rules)
    yield from _set(place, f"{key}.cleared", expected.cleared, stated.cleared)
    yield from _set(place, f"{key}.allocated", expected.allocated, stated.allocated)


def _fields(
    place: Place, key: str, expected: ByName, made: Mapping[str, str], rules: Rules
) -> Iterator[Fault]:
    """Differences of single fields; each stands at its own line where it was expected."""
    names = {name.text for name, _ in expected}
    for name, word in expected:
        wanted, got = word.text, made.get(name.text)
        if got != wanted:
            message = f"expected '{wanted}', got {_quoted(got)}{_because(rules.get(name.text))}."
            yield name.place.fault(f"{key}.{name.text}", message)
    for stated, got in made.items():
        if stated not in names:
            message = f"expected nothing, got '{got}'{_because(rules.get(stated))}."
            yield place.fault(f"{key}.{stated}", message)


def _quoted(text: str | None) -> str:
    return "nothing" if text is None else f"'{text}'"


def _because(origin: Origin | None) -> str:
    """The rule that made a value: `; parts/patient_from_pid.yaml:22 made it of PID-8.1 'M'`."""
    if origin is None:
        return ""
    made_of = f" of {origin.path} '{origin.raw}'" if origin.path else ""
    by = f" by {origin.made_by}" if origin.made_by else ""
    return f"; {origin.rule} made it{made_of}{by}"


def _word(place: Place, key: str, wanted: str, got: str) -> Iterator[Fault]:
    if wanted != got:
        yield place.fault(key, f"expected '{wanted}', got '{got}'.")


def _set(place: Place, key: str, expected: Sequence[Word], made: Sequence[str]) -> Iterator[Fault]:
    """Differences of two lists whose order says nothing."""
    for word in expected:
        if word.text not in made:
            yield word.place.fault(key, f"expected '{word.text}', got no such entry.")
    wanted = {word.text for word in expected}
    for text in made:
        if text not in wanted:
            yield place.fault(key, f"got '{text}', not expected.")


def _remarks(expected: ExpectedEnd, made: Translation) -> Iterator[Fault]:
    key = f"{expected.key}.remarks"
    said = Counter((remark.path, remark.text) for remark in made.warnings)
    for path, text in chain.from_iterable(expected.remarks):
        remark = (path.text, text.text)
        if said[remark] <= 0:
            message = f"expected '{text.text}', got no such remark."
            yield path.place.fault(f"{key}.{path.text}", message)
        said[remark] -= 1
    for where, told in (+said).elements():
        yield expected.place.fault(f"{key}.{where}", f"got '{told}', not expected.")


def _message(expected: ExpectedCall, call: Call, rules: Rules) -> Iterator[Fault]:
    """Differences field by field of what the hospital gets."""
    place, key = expected.place, f"{expected.key}.message"
    if expected.message is None:
        yield place.fault(key, "say what the hospital gets, one segment a line.")
        return
    place = expected.message.place
    wanted, got = expected.message.text.splitlines(), segments_of(call)
    names = [line[:3] for line in wanted]
    if names != [line[:3] for line in got]:
        told = " ".join(line[:3] for line in got)
        yield place.fault(key, f"expected the segments {' '.join(names)}, got {told}.")
        return
    for number, (one, other) in enumerate(zip(wanted, got, strict=True)):
        segment = _numbered(names, number)
        at = replace(place, line=place.line + number + 1)
        yield from _segment(at, key, segment, (one, other), rules)


def _numbered(names: Sequence[str], at: int) -> str:
    """`OBR`, and `OBR[2]` for the second of that name."""
    count = names[: at + 1].count(names[at])
    return names[at] if count == 1 else f"{names[at]}[{count}]"


def _segment(
    place: Place, key: str, segment: str, lines: tuple[str, str], rules: Rules
) -> Iterator[Fault]:
    first = 1 if segment == "MSH" else 0
    wanted, got = (line.split("|") for line in lines)
    for number, (one, other) in enumerate(zip_longest(wanted, got, fillvalue="")):
        if one != other:
            field = f"{segment}-{number + first}"
            by = next((o for name, o in rules.items() if _fills(name, field)), None)
            because = _because(by)
            yield place.fault(f"{key}.{field}", f"expected '{one}', got '{other}'{because}.")


def _fills(name: str, field: str) -> bool:
    """Whether a rule for `OBR-4.2` is one that fills `OBR-4`."""
    return name == field or name.startswith((f"{field}.", f"{field}["))
