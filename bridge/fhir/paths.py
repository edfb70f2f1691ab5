"""Paths into a FHIR resource: a small strict subset of FHIRPath, parsed once at load.

    path      = part *( "." part )
    part      = element / "where(" path " = " literal ")" / "first()"
              / "extension(" string ")" / "ofType(" type ")"     each may be followed by "[" n "]"
    literal   = string in single quotes / true / false / whole number

As in FHIRPath every step takes a list and gives a list, lists flatten, and what is absent gives
nothing. Four things are settled for mappings where FHIRPath would need a model of all types:

- `where(a.b = 'x')` keeps an item when any of its values at `a.b` equals the literal (FHIRPath
  compares whole collections, so that a second coding would hide the first).
- A choice element is named without its type (`deceased`, `extension('url').value`) or with
  `ofType` (`deceased.ofType(dateTime)`, which is the JSON key `deceasedDateTime`).
- `$this` as the first part is the item of the list that a call is made for each of.
- A capitalised first part is the resource type: `Patient.birthDate` gives nothing for others.

Element names are checked against R4 and R5 as far as the types are known, which is everywhere but
in extensions and contained resources.

The JSON siblings that hold a primitive's extensions (`_birthDate`, R4 json.html) are reached as
`birthDate.extension('url')` and are otherwise invisible, as are nulls in lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple, TypeAlias

from bridge.errors import PathError
from bridge.fhir.elements import CHOICES, OPEN, RESOURCE_TYPES, TYPES, names_in, types_of

#: what one part of a path does to the values so far
Step: TypeAlias = Callable[[list[Any]], list[Any]]
Literal: TypeAlias = str | bool | int

FUNCTIONS = ("where", "first", "extension", "ofType")
#: the item of the list that a call is made for each of (FHIRPath 2.0, 5.2)
THIS = "$this"
_ANYTHING = frozenset({"Resource"})

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<name>\$this\b|[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>[0-9]+)"
    r"|(?P<string>'(?:[^'\\]|\\.)*')"
    r"|(?P<mark>[.()\[\]=])"
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}


@dataclass(frozen=True, slots=True)
class FhirPath:
    """A parsed path; equal to another with the same text."""

    text: str
    steps: tuple[Step, ...] = field(compare=False, repr=False)

    def values(self, resource: dict[str, Any]) -> list[Any]:
        """Values found, in document order: JSON scalars and objects, never null or empty."""
        found: list[Any] = [resource]
        for step in self.steps:
            found = step(found)
        return [value for value in found if _says_something(value)]


def parse(text: str) -> FhirPath:
    """Compile a path; raises PathError saying what is wrong and, where it can, what is right."""
    return _Parser(text).whole()


class Token(NamedTuple):
    kind: str
    text: str
    column: int


def tokens(text: str) -> Iterator[Token]:
    """The words and marks of a path; raises PathError for what is neither."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unexpected_character(text, at)
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match.group(), at + 1)
        at = match.end()
    yield Token("end", "the end", len(text) + 1)


def _unexpected_character(text: str, at: int) -> PathError:
    if text[at] == '"':
        return PathError(f"'{text}': text stands in single quotes", text.replace('"', "'"))
    if text[at] == "'":
        return PathError(f"'{text}': the quote at column {at + 1} is not closed", text + "'")
    return PathError(f"'{text}': unexpected '{text[at]}' at column {at + 1}")


class _Cursor:
    """The tokens of one path from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._left = list(tokens(text))[::-1]

    @property
    def next(self) -> Token:
        """The one that is to be taken."""
        return self._left[-1]

    def ahead(self, *texts: str) -> bool:
        """Whether these come next."""
        return tuple(token.text for token in self._left[: -len(texts) - 1 : -1]) == texts

    def take(self, wanted: str) -> str:
        """The next token's text, which must be of the kind or be the mark that is wanted."""
        kind, text, _ = self.next
        if wanted not in (kind, text) or kind == "end":
            raise self.expected(_SPOKEN.get(wanted, f"'{wanted}'"))
        self._left.pop()
        return text

    def expected(self, wanted: str) -> PathError:
        """An error that says what stands next instead."""
        kind, text, column = self.next
        got = text if kind in ("end", "string") else f"'{text}'"
        return self.error(f"at column {column}: expected {wanted}, got {got}")

    def error(self, message: str, near: Sequence[str] = ()) -> PathError:
        """An error of this path, with the first of what comes near to it."""
        return PathError(f"'{self.text}': {message}", near[0] if near else None)


class _Parser:
    """Recursive descent over the tokens of one path; `_types` is what the next part stands on."""

    def __init__(self, text: str) -> None:
        self._cursor = _Cursor(text)
        self._types = frozenset(RESOURCE_TYPES)

    def whole(self) -> FhirPath:
        steps = self._path()
        if self._cursor.next.kind != "end":
            raise self._cursor.expected("'.' or the end")
        return FhirPath(self._cursor.text, steps)

    def _path(self) -> tuple[Step, ...]:
        steps = [*self._root()]
        while True:
            steps += self._indexes()
            if self._cursor.next.text != ".":
                return tuple(steps)
            self._cursor.take(".")
            steps += self._part()

    def _root(self) -> list[Step]:
        if self._cursor.next.text == THIS:
            self._types = _ANYTHING
            return [_element(self._cursor.take("name"))]
        if self._cursor.next.kind == "name" and self._cursor.next.text[0].isupper():
            return [self._only(self._cursor.take("name"))]
        return self._part()

    def _part(self) -> list[Step]:
        """An element or a function; an element takes what depends on its name along with it."""
        name = self._cursor.take("name")
        if self._cursor.next.text == "(":
            return [self._function(name)]
        self._refuse_sibling(name)
        self._descend(name)
        if self._cursor.ahead(".", "ofType", "("):
            type_name = self._argument_of("ofType", "name")
            self._only(type_name)
            return [_choice(name, type_name)]
        if self._cursor.ahead(".", "extension", "("):
            self._types = _ANYTHING
            return [_extensions_of(name, _unquoted(self._argument_of("extension", "string")))]
        return [_choices(name) if name in CHOICES else _element(name)]

    def _descend(self, name: str) -> None:
        if self._types & OPEN:
            return
        types = frozenset(of for on in self._types for of in types_of(on, name))
        if not types:
            raise self._no_element(name)
        self._types = types

    def _only(self, type_name: str) -> Step:
        self._types = frozenset({type_name}) if type_name in TYPES else _ANYTHING
        return _of_resource_type(type_name)

    def _function(self, name: str) -> Step:
        if name not in FUNCTIONS:
            near = get_close_matches(name, FUNCTIONS, n=1, cutoff=0.5)
            known = ", ".join(FUNCTIONS)
            raise self._cursor.error(f"unknown function '{name}()'; there are {known}", near)
        self._cursor.take("(")
        step = self._arguments(name)
        self._cursor.take(")")
        return step

    def _arguments(self, function: str) -> Step:
        if function == "where":
            return self._criterion()
        if function == "extension":
            self._types = _ANYTHING
            return _extensions(_unquoted(self._cursor.take("string")))
        if function == "ofType":
            return self._only(self._cursor.take("name"))
        return _index(0)

    def _criterion(self) -> Step:
        types = self._types
        steps = self._path()
        self._types = types
        self._cursor.take("=")
        return _where(steps, self._literal())

    def _literal(self) -> Literal:
        kind, text, column = self._cursor.next
        if kind == "string":
            return _unquoted(self._cursor.take("string"))
        if kind == "number":
            return int(self._cursor.take("number"))
        if text in ("true", "false"):
            return self._cursor.take("name") == "true"
        message = f"at column {column}: expected text in single quotes, got {text}"
        raise self._cursor.error(message, [f"'{text}'"] if kind == "name" else ())

    def _indexes(self) -> list[Step]:
        steps = []
        while self._cursor.next.text == "[":
            self._cursor.take("[")
            steps.append(_index(int(self._cursor.take("number"))))
            self._cursor.take("]")
        return steps

    def _argument_of(self, function: str, kind: str) -> str:
        for text in (".", function, "("):
            self._cursor.take("name" if text == function else text)
        argument = self._cursor.take(kind)
        self._cursor.take(")")
        return argument

    def _refuse_sibling(self, name: str) -> None:
        if name.startswith("_"):
            message = f"'{name}' is not an element; a primitive's extension is read with"
            raise self._cursor.error(message, [f"{name.lstrip('_')}.extension('url')"])

    def _no_element(self, name: str) -> PathError:
        known = sorted(each for on in self._types for each in names_in(on))
        near = get_close_matches(name, known, n=1)
        place = " or ".join(sorted(self._types))
        return self._cursor.error(f"{place} has no element '{name}'", near)


_SPOKEN = {"name": "a name", "string": "text in single quotes", "number": "a whole number"}


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    text = match.group(1)
    return chr(int(text[1:], 16)) if len(text) == 5 else _ESCAPED.get(text, text)


def _says_something(value: Any) -> bool:
    return value is not None and value != "" and value != {} and not isinstance(value, list)


def _element(name: str) -> Step:
    def step(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                _collect(value.get(name), found)
        return found

    return step


def _reading(*reads: Callable[[dict[str, Any]], Any]) -> Step:
    """What these read of each object, one after the other."""

    def step(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in (each for each in values if isinstance(each, dict)):
            for read in reads:
                _collect(read(value), found)
        return found

    return step


def _choices(name: str) -> Step:
    return _reading(lambda value: _chosen(value, name))


def _chosen(value: dict[str, Any], name: str) -> Any:
    if name in value:
        return value[name]
    for key in value:
        if key.startswith(name) and key[len(name)].isupper():
            return value[key]
    return None


def _choice(name: str, type_name: str) -> Step:
    key = name + type_name[0].upper() + type_name[1:]
    return _reading(
        lambda value: value.get(key), lambda value: _of_type(value.get(name), type_name)
    )


def _of_type(value: Any, type_name: str) -> list[Any]:
    """Resources of a type among the values of `contained` or `resource`."""
    items = value if isinstance(value, list) else [value]
    return [i for i in items if isinstance(i, dict) and i.get("resourceType") == type_name]


def _of_resource_type(type_name: str) -> Step:
    return lambda values: _of_type(values, type_name)


def _extensions(url: str) -> Step:
    read = _element("extension")
    return lambda values: [
        each for each in read(values) if isinstance(each, dict) and each.get("url") == url
    ]


def _extensions_of(name: str, url: str) -> Step:
    element, sibling, extensions = _element(name), _element(f"_{name}"), _extensions(url)
    return lambda values: extensions(element(values) + sibling(values))


def _where(steps: tuple[Step, ...], literal: Literal) -> Step:
    # True == 1 in Python, and is not in JSON
    kind = type(literal)

    def holds(value: Any) -> bool:
        found = [value]
        for step in steps:
            found = step(found)
        return literal in found and any(type(v) is kind and v == literal for v in found)

    return lambda values: [value for value in values if holds(value)]


def _index(number: int) -> Step:
    def step(values: list[Any]) -> list[Any]:
        present = [value for value in values if _says_something(value)]
        return present[number : number + 1]

    return step


def _collect(value: Any, found: list[Any]) -> None:
    if isinstance(value, list):
        found.extend(value)
    elif value is not None:
        found.append(value)
