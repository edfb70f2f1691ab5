"""The vendor's document, read when the tests run: what it lists, what it shows, what it publishes.

It is a web page flattened to text: the items of a list stand in one line without anything
between them, and a code block runs into the heading behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
FILE = ROOT.parent / "shared/api/zautoai-integration-api.txt"
#: which field an enum of the document is of
ENUM_FIELDS = {"PatientType": "patientType", "VisitStatus": "status"}
#: which resource a record under that title is of, where no path stands above it
TEST_RECORDS = {
    "Test Patient": "/zauto-api/patients",
    "Test Provider": "/zauto-api/providers",
    "Test Visit": "/zauto-api/patient-visits",
}
ORDER_TITLES = {
    "Payload sent when prescriptions are issued for a visit.": "prescriptions",
    "Payload sent when services are scheduled or updated for a visit.": "services",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One JSON object that is shown."""

    #: the line above it
    title: str
    #: the nearest path named before it
    path: str
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One entry of a "Required Fields" list."""

    path: str
    name: str
    #: `string`, `number`; "" where none is given
    type: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of the "Standard Query Parameters"."""

    name: str
    #: 0 where none is given
    default: int
    most: int


@dataclass(frozen=True, slots=True)
class Published:
    """The document; each method finds everything of one kind in it."""

    text: str

    def endpoints(self) -> list[tuple[str, str]]:
        """Method and path of every endpoint written out."""
        prose = self.text.split("Integration Examples")[0]
        found = re.findall(r"\b(GET|POST|PUT|DELETE) (/[\w/-]+(?:\{id\})?)", prose)
        return list(dict.fromkeys(found))

    def bases(self) -> list[str]:
        """Paths given as the base of a resource."""
        return re.findall(r"^Base: (/[\w/-]+)", self.text, re.MULTILINE)

    def required(self) -> list[FieldLine]:
        """Every entry of every "Required Fields" list."""
        lists = re.finditer(r"^Required Fields\n(.+)", self.text, re.MULTILINE)
        return [line for found in lists for line in self._field_lines(found)]

    def _field_lines(self, found: re.Match[str]) -> Iterator[FieldLine]:
        path = self._path_before(found.start())
        for word, kind in re.findall(r"([a-z][A-Za-z]*)(?:\((\w+)\))?: ", found[1]):
            yield FieldLine(path, self._unglued(word), kind)

    def _path_before(self, position: int) -> str:
        named = re.findall(
            r"^(?:Endpoint: \w+|Base:) (/[\w/-]+)", self.text[:position], re.MULTILINE
        )
        return named[-1].rstrip("/") if named else ""

    def _unglued(self, word: str) -> str:
        """`fullName` of `numberfullName`: the name behind the last word of what stands before.

        Both halves stand alone elsewhere in the document, the second in small letters.
        """
        alone = set(re.findall(r"\w+", self.text))
        for cut in range(1, len(word)):
            before, name = word[:cut], word[cut:]
            if name[0].islower() and before in alone and name in alone:
                return name
        return word

    def parameters(self) -> list[Parameter]:
        """The "Standard Query Parameters"."""
        line = re.search(r"Standard Query Parameters\n(.+)", self.text)
        assert line, "the document no longer lists its query parameters"
        return [
            Parameter(name, _number(r"default: (\d+)", said), _number(r"max: (\d+)", said))
            for name, said in re.findall(r"(\w+): [^()]*\(([^)]*)\)", line[1])
        ]

    def searched(self) -> dict[str, list[str]]:
        """Path to the fields its list is searched by."""
        lists = re.finditer(r"(?:Search in |^Search Fields: )(.+)", self.text, re.MULTILINE)
        return {self._path_before(found.start()): found[1].split(", ") for found in lists}

    def ordered(self) -> dict[str, tuple[str, bool]]:
        """Path to the field its list is ordered by, and whether downwards."""
        lists = re.finditer(r"^Ordering: (\w+) \((\w+)\)", self.text, re.MULTILINE)
        return {
            self._path_before(found.start()): (found[1], found[2] == "descending")
            for found in lists
        }

    def enums(self) -> dict[str, list[str]]:
        """`PatientType`, `VisitStatus` to their values."""
        lists = re.findall(r'^([A-Z]\w+): ("[A-Z_]+"(?: \| "[A-Z_]+")+)', self.text, re.MULTILINE)
        return {name: re.findall(r"[A-Z_]+", values) for name, values in lists}

    def statuses(self) -> dict[int, str]:
        """The "HTTP Status Codes" with what they are for."""
        lines = re.findall(r"^- (\d{3}): (.+)", self.text, re.MULTILINE)
        return {int(status): words for status, words in lines}

    def error_codes(self) -> list[str]:
        """The "Common Error Codes"."""
        line = re.search(r"Common Error Codes\n(.+)", self.text)
        assert line, "the document no longer lists its error codes"
        return re.findall(r"[A-Z]+(?:_[A-Z]+)+(?=: )", line[1])

    def limits(self) -> dict[str, int]:
        """Requests allowed, by `hour` and `minute`."""
        lines = re.findall(r"^- \w+ Limit: (\d+) requests per (\w+)", self.text, re.MULTILINE)
        return {window: int(number) for number, window in lines}

    def limit_headers(self) -> dict[str, int]:
        """The rate limit headers with the number shown for each."""
        found = re.findall(r"^(X-RateLimit-\w+): (\d+)", self.text, re.MULTILINE)
        return {name: int(number) for name, number in found}

    def credential_formats(self) -> dict[str, str]:
        """`client_id` and `client_secret` to a regular expression of what is said of each."""
        found = re.findall(r"(client_\w+?): Format(zauto\S*?>)(?=client_|$)", self.text, re.M)
        return {name: _expression(shown) for name, shown in found}

    def queries(self) -> list[str]:
        """Paths that are shown with a query."""
        return re.findall(r"GET (/\S+\?\S+)", self.text)

    def envelope(self) -> dict[str, str]:
        """The keys of "Response Format" with what is said of each."""
        block = re.search(r"follow this structure:\n\{\n(.*?)\n\}", self.text, re.DOTALL)
        assert block, "the document no longer shows its envelope"
        return dict(re.findall(r'^"(\w+)": (.+?),?$', block[1], re.MULTILINE))

    def examples(self) -> list[Example]:
        """Every JSON object shown before the programs and in "Test Data"."""
        return list(self._examples())

    def _examples(self) -> Iterator[Example]:
        decoder = json.JSONDecoder()
        end = 0
        for found in re.finditer(r"(?:^|\})([^\n{}]+)\n(?=\{$)", self.text, re.MULTILINE):
            if found.start(1) < end:
                continue
            try:
                value, end = decoder.raw_decode(self.text, found.end())
            except ValueError:
                continue
            yield Example(found[1], self._path_before(found.start()), value)

    def example(self, title: str, path: str = "") -> dict[str, Any]:
        """The object shown under that title, below that path where several have the title."""
        (value,) = [
            one.value for one in self.examples() if one.title == title and path in ("", one.path)
        ]
        return value

    def program(self, language: str, following: str) -> str:
        """The published program of "Integration Examples"."""
        return self.text.split(f"{language} Example\n")[1].split(following)[0]


@cache
def published() -> Published:
    """The document; skips the module that asks where it is absent."""
    if not FILE.exists():
        pytest.skip(f"the vendor's document is not at {FILE}", allow_module_level=True)
    return Published(FILE.read_text(encoding="utf-8"))


def named(value: Any) -> str:
    """A test's name for what it takes from the document."""
    match value:
        case Example():
            return f"{value.title} {value.path}"
        case FieldLine():
            return f"{value.path} {value.name}"
        case Parameter():
            return value.name
        case tuple() | list():
            return " ".join(map(str, value))
    return str(value)


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def _expression(shown: str) -> str:
    """`zauto_<name>_<hex8>` as a regular expression."""
    named = shown.replace("<name>", r"[a-z0-9]+")
    return re.sub(r"<hex(\d+)>", r"[0-9a-f]{\1}", named)
