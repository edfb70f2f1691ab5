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
from collections.abc import Callable, Iterator
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


class _Parser:
    """Recursive descent over the tokens of one path; `_types` is what the next part stands on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._types = frozenset(RESOURCE_TYPES)
        self._left = list(tokens(text))[::-1]

    def whole(self) -> FhirPath:
        steps = self._path()
        if self._next.kind != "end":
            raise self._expected("'.' or the end")
        return FhirPath(self._text, steps)

    def _path(self) -> tuple[Step, ...]:
        steps = [*self._root()]
        while True:
            steps += self._indexes()
            if self._next.text != ".":
                return tuple(steps)
            self._take(".")
            steps += self._part()

    def _root(self) -> list[Step]:
        if self._next.text == THIS:
            self._types = _ANYTHING
            return [_element(self._take("name"))]
        if self._next.kind == "name" and self._next.text[0].isupper():
            return [self._only(self._take("name"))]
        return self._part()

    def _part(self) -> list[Step]:
        """An element or a function; an element takes what depends on its name along with it."""
        name = self._take("name")
        if self._next.text == "(":
            return [self._function(name)]
        self._refuse_sibling(name)
        self._descend(name)
        if self._ahead(".", "ofType", "("):
            type_name = self._argument_of("ofType", "name")
            self._only(type_name)
            return [_choice(name, type_name)]
        if self._ahead(".", "extension", "("):
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
            raise PathError(
                f"'{self._text}': unknown function '{name}()'; there are {known}",
                near[0] if near else None,
            )
        self._take("(")
        step = self._arguments(name)
        self._take(")")
        return step

    def _arguments(self, function: str) -> Step:
        if function == "where":
            return self._criterion()
        if function == "extension":
            self._types = _ANYTHING
            return _extensions(_unquoted(self._take("string")))
        if function == "ofType":
            return self._only(self._take("name"))
        return _index(0)

    def _criterion(self) -> Step:
        types = self._types
        steps = self._path()
        self._types = types
        self._take("=")
        return _where(steps, self._literal())

    def _literal(self) -> Literal:
        kind, text, _ = self._next
        if kind == "string":
            return _unquoted(self._take("string"))
        if kind == "number":
            return int(self._take("number"))
        if text in ("true", "false"):
            return self._take("name") == "true"
        hint = f"'{text}'" if kind == "name" else None
        raise PathError(f"{self._where()}: expected text in single quotes, got {text}", hint)

    def _indexes(self) -> list[Step]:
        steps = []
        while self._next.text == "[":
            self._take("[")
            steps.append(_index(int(self._take("number"))))
            self._take("]")
        return steps

    def _argument_of(self, function: str, kind: str) -> str:
        for text in (".", function, "("):
            self._take("name" if text == function else text)
        argument = self._take(kind)
        self._take(")")
        return argument

    def _refuse_sibling(self, name: str) -> None:
        if name.startswith("_"):
            raise PathError(
                f"'{self._text}': '{name}' is not an element; a primitive's extension is read with",
                f"{name.lstrip('_')}.extension('url')",
            )

    @property
    def _next(self) -> Token:
        return self._left[-1]

    def _ahead(self, *texts: str) -> bool:
        return tuple(token.text for token in self._left[: -len(texts) - 1 : -1]) == texts

    def _take(self, wanted: str) -> str:
        """The next token's text, which must be of the kind or be the mark that is wanted."""
        kind, text, _ = self._next
        if wanted not in (kind, text) or kind == "end":
            raise self._expected(_SPOKEN.get(wanted, f"'{wanted}'"))
        self._left.pop()
        return text

    def _no_element(self, name: str) -> PathError:
        known = sorted(each for on in self._types for each in names_in(on))
        near = get_close_matches(name, known, n=1)
        place = " or ".join(sorted(self._types))
        return PathError(
            f"'{self._text}': {place} has no element '{name}'", near[0] if near else None
        )

    def _where(self) -> str:
        return f"'{self._text}': at column {self._next.column}"

    def _expected(self, wanted: str) -> PathError:
        kind, text, _ = self._next
        got = text if kind in ("end", "string") else f"'{text}'"
        return PathError(f"{self._where()}: expected {wanted}, got {got}")


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


def _choices(name: str) -> Step:
    def step(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                _collect(_chosen(value, name), found)
        return found

    return step


def _chosen(value: dict[str, Any], name: str) -> Any:
    if name in value:
        return value[name]
    for key in value:
        if key.startswith(name) and key[len(name)].isupper():
            return value[key]
    return None


def _choice(name: str, type_name: str) -> Step:
    key = name + type_name[0].upper() + type_name[1:]

    def step(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                _collect(value.get(key), found)
                _collect(_of_type(value.get(name), type_name), found)
        return found

    return step


def _of_type(value: Any, type_name: str) -> list[Any]:
    """Resources of a type among the values of `contained` or `resource`."""
    items = value if isinstance(value, list) else [value]
    return [i for i in items if isinstance(i, dict) and i.get("resourceType") == type_name]


def _of_resource_type(type_name: str) -> Step:
    return lambda values: _of_type(values, type_name)


def _extensions(url: str) -> Step:
    def step(values: list[Any]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if isinstance(value, dict):
                _collect(value.get("extension"), found)
        return [e for e in found if isinstance(e, dict) and e.get("url") == url]

    return step


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
