"""Sentences with places for parameters: filled for a person, or readable as they stand in docs.

A place is a name in braces. `{number:visit}` is a count with its noun, in the plural unless it is
one; `{number:message needs|messages need}` gives both. A part in square brackets is left out where
one of its parameters is empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_OPTIONAL = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")
_PLACE = re.compile(r"\{(\w+)\}")
_COUNTED = re.compile(r"\{number:([\w ]+)(?:\|([\w ]+))?\}")


def fill(
    template: str,
    *,
    number: int,
    present: Callable[[str], bool],
    shown: Callable[[str], str],
) -> str:
    """The sentence; `present` says whether a parameter is not empty, `shown` how it reads."""

    def optional(part: re.Match[str]) -> str:
        return part[1] if all(map(present, names(part[1]))) else ""

    def counted(place: re.Match[str]) -> str:
        noun = place[1] if number == 1 else _plural(place)
        return f"{number} {noun}"

    text = _COUNTED.sub(counted, _OPTIONAL.sub(optional, template))
    return _PLACE.sub(lambda place: shown(place[1]), text)


def names(template: str) -> list[str]:
    """The parameters that a sentence names."""
    return _PLACE.findall(_COUNTED.sub("{number}", template))


def readable(template: str) -> str:
    """The sentence for a page: parameters in italics, optional parts as they are, links
    untouched."""
    text = _OPTIONAL.sub(lambda part: part[1], template)
    text = _COUNTED.sub(lambda place: f"*number* {_plural(place)}", text)
    return _PLACE.sub(lambda place: f"*{place[1].replace('_', ' ')}*", text)


def _plural(place: re.Match[str]) -> str:
    return place[2] or f"{place[1]}s"
