"""Every kind of file is read alike: what is a fault in one of them is a fault in all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge import settings
from bridge.demo import expected
from bridge.errors import BridgeError, Fault, MappingError
from bridge.mapping.folders import read_folder
from bridge.mapping.language.load import load
from bridge.mapping.language.sites import Sources, read_site
from bridge.sandbox.faults import read_plan
from bridge.settings import Site
from bridge.study.cases.parse import parse_cases
from bridge.zauto import catalogue

ROOT = Path(__file__).parents[3]
CATALOGUE = catalogue.load(ROOT / "mappings/zauto")


def _settings(file: Path) -> None:
    settings.load(file, {})


def _catalogue(file: Path) -> None:
    catalogue.load(file.parent)


def _mappings(file: Path) -> None:
    load([ROOT / "mappings", file.parent.parent], CATALOGUE, Site())


def _tests(file: Path) -> None:
    faults: list[Fault] = []
    folder = read_folder(file.parent.parent, faults)
    for mapping, name, text in folder.tests():
        parse_cases(text, name, mapping, faults)
    if faults:
        raise MappingError(faults)


def _site(file: Path) -> None:
    faults: list[Fault] = []
    read_site(file.parent.parent, file.parent.name, Sources((), Site()), faults)
    if faults:
        raise MappingError(faults)


def _plan(file: Path) -> None:
    read_plan(file)


def _expected(file: Path) -> None:
    expected.read(file)


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name, a right one, and a table in it as it is written there."""

    file: str
    text: str
    #: key and value of one of its tables, on a line of their own
    line: str
    #: what a slip of the pen in that key is told
    slip: str
    meant: str
    read: Callable[[Path], None]


KINDS = {
    "settings": Kind(
        "bridge.yaml", "mllp:\n  port: 2575\n", "port: 2575", "prot", "port", _settings
    ),
    "catalogue": Kind(
        "zauto/wards.yaml",
        "name: wards\npath: /w\nfields:\n  id: {required: true}\ntitle: Ward\n",
        "title: Ward",
        "titel",
        "title",
        _catalogue,
    ),
    "mapping": Kind(
        "hl7v2/none.yaml",
        "messages: [ZZZ^Z01]\nnothing: none of it is kept\n",
        "nothing: none of it is kept",
        "nothin",
        "nothing",
        _mappings,
    ),
    "part": Kind(
        "parts/ward.yaml",
        "source: hl7v2\nresource: patients\nid: {from: PID-3.1}\n",
        "resource: patients",
        "resorce",
        "resource",
        _mappings,
    ),
    "codes": Kind("codes/sex.yaml", "rows:\n  M: Male\n", "rows:", "row", "rows", _mappings),
    "tests": Kind(
        "hl7v2/none_test.yaml",
        "tests:\n  - name: one\n    message: x\n",
        "name: one",
        "nam",
        "name",
        _tests,
    ),
    "site": Kind("lakeside/site.yaml", "country: AE\n", "country: AE", "contry", "country", _site),
    "plan": Kind(
        "plan.yaml", "- fault: {kind: lost}\n  times: 2\n", "times: 2", "tims", "times", _plan
    ),
    "expected": Kind(
        "expected.yaml",
        "adt:\n  one.hl7:\n    answer: AA\n    status: delivered\n",
        "answer: AA",
        "anwser",
        "answer",
        _expected,
    ),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def told(kind: Kind, folder: Path, data: bytes) -> str:
    """What is said of a file with these bytes; "" where it is right."""
    file = folder / "there" / kind.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    found = ""
    try:
        kind.read(file)
    except BridgeError as error:
        found = str(error)
    shutil.rmtree(folder / "there")
    assert not found or str(file) in found
    return found


def at(kind: Kind, text: str) -> str:
    """`:3:5:` of the last place of the kind's line in a text."""
    before = text[: text.rindex(kind.line)]
    return f":{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}:"


def test_a_right_one_is_taken_with_and_without_a_byte_order_mark(
    kind: Kind, tmp_path: Path
) -> None:
    assert told(kind, tmp_path, kind.text.encode()) == ""
    assert told(kind, tmp_path, b"\xef\xbb\xbf" + kind.text.encode()) == ""
    assert told(kind, tmp_path, kind.text.replace("\n", "\r\n").encode()) == ""


@pytest.mark.parametrize("quoted", [False, True])
def test_a_key_that_stands_twice_is_a_fault(kind: Kind, quoted: bool, tmp_path: Path) -> None:
    key, _, value = kind.line.partition(":")
    before = kind.text[: kind.text.index(kind.line)]
    indent = " " * (len(before) - before.rfind("\n") - 1)
    first = f'"{key}":{value or " {}"}' if quoted else f"{key}:{value or ' {}'}"
    text = kind.text.replace(kind.line, f"{first}\n{indent.replace('-', ' ')}{kind.line}")
    found = told(kind, tmp_path, text.encode())
    assert f"{at(kind, text)} " in found
    assert f"'{key}' stands twice; keep one" in found


def test_a_slip_of_the_pen_is_told_with_its_place_and_what_is_meant(
    kind: Kind, tmp_path: Path
) -> None:
    key = kind.line.partition(":")[0]
    found = told(kind, tmp_path, kind.text.replace(f"{key}:", f"{kind.slip}:").encode())
    place = at(kind, kind.text)
    (line,) = [each for each in found.splitlines() if "Did you mean" in each]
    assert f"{place} " in line
    assert f"{kind.slip}" in line
    assert line.endswith(f"Did you mean '{kind.meant}'?")


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"<<: {x: y}\n", ":1:1: a merge key ('<<') is not taken"),
        (b"a: &b c\n", ":1:4: "),
        (b"a: &b c\n", "an anchor is not taken"),
        (b"a: *b\n", "an alias is not taken"),
        (b"a: !b c\n", "a tag is not taken"),
        (b"a: !!python/object:os.system x\n", "a tag is not taken"),
        (b"a:\n\tb: c\n", ":2:1: is not YAML: a tab; indent with blanks."),
        (b"a: [\n", ":2:1: is not YAML: "),
        (b"a: b\n---\nc: d\n", ":2:1: a second document begins here"),
        (b"? [a]\n: b\n", ":1:3: a key must be one word."),
        (b"a: \x00\n", ":1:4: holds the character U+0000"),
        (b"a: b\nc: \xfc\n", ":2:4: is not UTF-8 here; save it as UTF-8."),
        (b"\xff\xfea\0:\0", ":1:1: is not UTF-8 but UTF-16"),
        (b"[" * 100_000, ":1:101: is nested more than 100 deep."),
        (b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", ":3:5: "),
    ],
)
def test_what_a_reader_of_the_file_cannot_see_is_a_fault(
    kind: Kind, data: bytes, fault: str, tmp_path: Path
) -> None:
    assert fault in told(kind, tmp_path, data)


@pytest.mark.parametrize("data", [b"word\n", b"- word\n", b"- [word]\n", b"'a: b'\n"])
def test_another_shape_of_file_is_a_fault(kind: Kind, data: bytes, tmp_path: Path) -> None:
    assert ":1:" in told(kind, tmp_path, data)


def test_an_empty_file_says_nothing_where_nothing_need_be_said(kind: Kind, tmp_path: Path) -> None:
    found = told(kind, tmp_path, b"# nothing yet\n")
    assert (found == "") is (kind in (KINDS["settings"], KINDS["expected"]))
