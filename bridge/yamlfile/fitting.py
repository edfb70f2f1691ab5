"""Fit what a file says into a model, and say of what does not fit where, why and what would.

No sentence repeats a value: a file of settings may hold a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from bridge.errors import Fault
from bridge.yamlfile.spelling import known_at, listed, nearest
from bridge.yamlfile.tree import Node, Show, Way, dotted
from bridge.yamlfile.values import place_of

T = TypeVar("T")

_NO_WORDS: Mapping[str, str] = {}
_UNKNOWN = "extra_forbidden"
#: what a kind of fault is called here; pydantic speaks to programmers
_SENTENCES: Mapping[str, str] = {
    _UNKNOWN: "is not a key here",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text; put what looks like a number in quotes",
    "path_type": "must be a path",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "model_type": "must hold keys with values",
    "model_attributes_type": "must hold keys with values",
    "dict_type": "must hold keys with values",
    "mapping_type": "must hold keys with values",
    "missing": "is missing",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_pattern_mismatch": "must be text that matches {pattern}",
    "less_than_equal": "must be at most {le}",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """One value or key that does not fit a model."""

    way: Way
    #: without a period
    message: str
    #: the nearest right word, where there is one
    suggestion: str | None
    #: the key is wrong and not its value
    of_key: bool = False

    def __str__(self) -> str:
        return (
            f"{self.message}. Did you mean '{self.suggestion}'?"
            if self.suggestion
            else self.message
        )

    def fault(self, root: Node, key: str) -> Fault:
        """The fault in the file it was read from; `key` is how its way is shown."""
        message = f"{self.message}." if self.suggestion else self.message
        place = place_of(root, self.way, of_key=self.of_key)
        return place.fault(key, message, self.suggestion)


def fit(
    kind: type[T], root: Node, value: Any, faults: list[Fault], show: Show = dotted
) -> T | None:
    """The model that `value`, which the tree says, fits into; None where it does not."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        found = misfits(error, kind, value)
    faults += [each.fault(root, show(each.way)) for each in found]
    return None


def misfits(
    error: ValidationError, kind: Any, value: Any, sentences: Mapping[str, str] = _NO_WORDS
) -> list[Misfit]:
    """What is wrong in `value`, a misfit a place; `sentences` are said in place of the usual."""
    found: dict[Way, list[Misfit]] = {}
    chosen: set[Way] = set()
    for each in error.errors(include_url=False):
        way, by_choice = _way(each, kind, value)
        if by_choice:
            chosen.add(way)
        found.setdefault(way, []).append(_misfit(each, way, kind, {**_SENTENCES, **sentences}))
    beaten = {way for way in chosen if any(_below(way, other) for other in found)}
    return [_together(each) for way, each in found.items() if way not in beaten]


def _below(way: Way, other: Way) -> bool:
    """Whether the other leads on from this one: of several kinds it was nearer to that one's."""
    return len(other) > len(way) and other[: len(way)] == way


def _way(error: ErrorDetails, kind: Any, value: Any) -> tuple[Way, bool]:
    """The way to what is wrong, and whether pydantic put into it as which of several kinds a
    value was read."""
    way: list[str | int] = []
    for number, part in enumerate(error["loc"], 1):
        held = _holds(value, part)
        missing = error["type"] == "missing" and number == len(error["loc"])
        # a default may be wrong, too, and is nowhere in the value
        if held or missing or part in known_at(kind, tuple(way)):
            way.append(part)
            value = value[part] if held else None
    return tuple(way), len(way) < len(error["loc"])


def _holds(value: Any, part: str | int) -> bool:
    if isinstance(value, list | tuple):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, Mapping) and part in value


def _misfit(error: ErrorDetails, way: Way, kind: Any, sentences: Mapping[str, str]) -> Misfit:
    facts = error.get("ctx", {})
    usual = sentences.get(error["type"], "").format(**facts)
    message = usual or error["msg"].removeprefix("Value error, ")
    if error["type"] == _UNKNOWN:
        known = known_at(kind, way[:-1])
        near = nearest(str(way[-1]), known)
        there_are = "" if near or not known else f"; there are {listed(known)}"
        return Misfit(way, f"{message}{there_are}", near, of_key=True)
    # pydantic lists them: `'event' or 'park'`
    expected = str(facts.get("expected", "")).split("'")[1::2]
    return Misfit(way, message, nearest(str(error["input"]), expected))


def _together(several: list[Misfit]) -> Misfit:
    """One misfit of those a value has as each of several kinds."""
    message = ", or ".join(dict.fromkeys(each.message for each in several))
    suggestion = next((each.suggestion for each in several if each.suggestion), None)
    return Misfit(several[0].way, message, suggestion, several[0].of_key)
