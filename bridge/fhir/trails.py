"""Which elements a resource holds, and which of them a FHIR path reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from bridge.fhir.elements import CHOICES
from bridge.fhir.paths import THIS, Token, tokens

#: names from the outside in: `("identifier", "type", "coding", "code")`; an extension is two,
#: `"extension"` and its url
Trail: TypeAlias = tuple[str, ...]


#: a key that names no element; its own words may be a patient's
NO_ELEMENT = "(no element)"
_NAME = re.compile("[A-Za-z][A-Za-z0-9]{0,63}")


def trails(text: str) -> tuple[Trail, ...]:
    """The elements that a path leads to, and before it those that its conditions ask.

    `communication.where(preferred = true).language` reads `communication.preferred` and
    `communication.language`. The path must be one that `paths.parse` takes; `$this` stays.
    """
    asked: list[Trail] = []
    end = _walk(list(tokens(text))[::-1], (), asked)
    return (*asked, end)


def _walk(left: list[Token], trail: Trail, asked: list[Trail]) -> Trail:
    """Follow parts until no dot stands behind one; `left` is the tokens, the next one last."""
    while True:
        name = left.pop().text
        if left[-1].text == "(":
            trail = _through(name, left, trail, asked)
        elif name[0].islower() or name == THIS:
            trail = (*trail, name)
        while left[-1].text == "[":
            del left[-3:]
        if left[-1].text != ".":
            return trail
        left.pop()


def _through(function: str, left: list[Token], trail: Trail, asked: list[Trail]) -> Trail:
    """Pass a function by; only `extension` leads on."""
    left.pop()
    if function == "where":
        asked.append(_walk(left, trail, asked))
        # "= literal"
        del left[-2:]
    elif function == "extension":
        trail = (*trail, "extension", left.pop().text[1:-1])
    elif function == "ofType":
        left.pop()
    left.pop()
    return trail


def present(resource: Mapping[str, Any]) -> set[Trail]:
    """The elements of a resource that say something, down to its primitives.

    A choice element goes by its name without the type, as in paths.
    """
    found: set[Trail] = set()
    _gather(resource, (), found)
    return found


def _gather(value: Any, trail: Trail, found: set[Trail]) -> None:
    if isinstance(value, list):
        for item in value:
            _gather(item, trail, found)
    elif isinstance(value, dict):
        _gather_element(value, trail, found)
    elif value is not None and value != "":
        found.add(trail)


def _gather_element(element: dict[str, Any], trail: Trail, found: set[Trail]) -> None:
    if trail[-1:] == ("extension",):
        trail = (*trail, str(element.get("url")))
        element = {name: value for name, value in element.items() if name != "url"}
    for key, value in element.items():
        # `_birthDate` holds what extends the primitive `birthDate` (R4 json.html)
        _gather(value, (*trail, _plain(key.removeprefix("_"))), found)


def _plain(key: str) -> str:
    """`deceased` for `deceasedBoolean`; what cannot be an element's name may be anything."""
    if not _NAME.fullmatch(key):
        return NO_ELEMENT
    for name in CHOICES:
        if key.startswith(name) and key[len(name) : len(name) + 1].isupper():
            return name
    return key
