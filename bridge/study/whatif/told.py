"""What people and programs are told of a difference, as plain JSON values."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from bridge.message import shown_type
from bridge.study.whatif.difference import About, Comparison, Example, Point, names_of

_LONGEST_SHAPE = 40


def told(found: Comparison, allowed: frozenset[str], *, reveal: bool) -> dict[str, Any]:
    """All counts and examples; `differs` is whether there is a difference that is not allowed."""
    return {
        "messages": found.messages,
        "differing": found.differing,
        "unchanged": found.messages - found.differing,
        "untaken": found.untaken,
        "differs": bool(found.without(allowed)),
        "differences": [
            {
                "about": str(point.about),
                "what": point.what,
                "kind": str(point.kind),
                "messages": count,
                "allowed": bool(names_of(point) & allowed),
                "examples": [_example(e, reveal) for e in found.examples.get(point, ())],
            }
            for point, count in sorted(found.points.items(), key=_order)
        ],
    }


def _order(item: tuple[Point, int]) -> tuple[int, int, str]:
    point, count = item
    return list(About).index(point.about), -count, point.what


def _example(example: Example, reveal: bool) -> dict[str, Any]:
    return {
        "message": example.message,
        "message_type": shown_type(example.message_type),
        "present": example.present if reveal else shape(example.present),
        "changed": example.changed if reveal else shape(example.changed),
    }


def _hidden(character: str) -> str:
    if character in string.punctuation or character == " ":
        return character
    if character.isdecimal():
        return "9"
    return "X" if character.isupper() else "x"


def shape(value: Any) -> Any:
    """A value with `x` for each letter and `9` for each digit: what became of its form can be seen,
    and what it says cannot."""
    if isinstance(value, Mapping):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [shape(inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    hidden = "".join(map(_hidden, str(value)))
    return hidden if len(hidden) <= _LONGEST_SHAPE else f"{hidden[:_LONGEST_SHAPE]}…"
