"""A text becomes a tree with places, or a fault with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Fault
from bridge.yamlfile import (
    Items,
    Node,
    Place,
    Table,
    Word,
    decoded,
    place_of,
    read,
    read_table,
    reading,
    text_of,
    texts,
    values,
)


@pytest.fixture(params=["SafeLoader", "CSafeLoader"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers; libyaml's is not part of every build of it."""
    if not hasattr(yaml, request.param):
        pytest.skip("this PyYAML was built without libyaml")
    monkeypatch.setattr(reading, "_Loader", getattr(yaml, request.param))


def tree(text: str) -> Node:
    faults: list[Fault] = []
    root = read(text, "f.yaml", faults)
    assert faults == []
    assert root is not None
    return root


def faults_of(data: bytes) -> list[str]:
    faults: list[Fault] = []
    text = decoded(data, "f.yaml", faults)
    if text is not None:
        read(text, "f.yaml", faults)
    return [str(fault) for fault in faults]


def test_every_key_and_value_has_its_place() -> None:
    root = tree('a: x\nb:\n  - "1"\n  - c: 2\n')
    assert isinstance(root, Table)
    assert root.entries["b"].key_place == Place("f.yaml", 2, 1)
    assert place_of(root, ("b",)) == Place("f.yaml", 2, 1)
    assert place_of(root, ("b", 1, "c")) == Place("f.yaml", 4, 8)
    assert place_of(root, ("b", 1, "c"), of_key=True) == Place("f.yaml", 4, 5)
    # what is not there is at what is nearest to it
    assert place_of(root, ("b", 7)) == Place("f.yaml", 2, 1)
    assert place_of(root, ("z", "y")) == Place("f.yaml", 1, 1)


@pytest.mark.parametrize(
    ("written", "text", "value"),
    [
        ("NO", "NO", "NO"),
        ("off", "off", "off"),
        ("trueness", "trueness", "trueness"),
        ("true", "true", True),
        ("false", "false", False),
        ("'true'", "true", "true"),
        ("1_000", "1_000", 1000),
        ("012", "012", 10),
        ("'012'", "012", "012"),
        ("2.50", "2.50", 2.5),
        ("1990-01-01", "1990-01-01", "1990-01-01"),
        ("2024-13-45", "2024-13-45", "2024-13-45"),
        ("0b", "0b", "0b"),
        ("0_", "0_", 0),
        ("0b_", "0b_", "0b_"),
        ("9" * 5000, "9" * 5000, "9" * 5000),
        ("=", "=", "="),
        ("null", "null", None),
        ("~", "~", None),
        ("", "", None),
        ("''", "", ""),
        ("|\n  x\n  y\n", "x\ny\n", "x\ny\n"),
    ],
)
def test_a_word_is_text_or_what_it_means(written: str, text: str, value: Any) -> None:
    root = tree(f"a: {written}")
    assert texts(root) == {"a": text}
    assert values(root) == {"a": value}
    if isinstance(value, bool):
        assert values(root)["a"] is value


def test_only_a_plain_null_is_null_among_texts() -> None:
    assert texts(tree("{a: null, b: 'null', c: ~}"), nulls=True) == {
        "a": None,
        "b": "null",
        "c": "~",
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufeff"])
def test_an_empty_text_is_null(text: str) -> None:
    assert values(tree(text)) is None


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"a: 1\nb: 2\na: 3\n", "3:1: a: 'a' stands twice; keep one (the first is in line 1)."),
        (b'"a": 1\na: 3\n', "2:1: a: 'a' stands twice"),
        (b"o:\n  a: 1\n  'a': 3\n", "3:3: o.a: 'a' stands twice"),
        (b"[{a: 1, a: 2}]", "1:9: 0.a: 'a' stands twice"),
        (b"a: &x {b: 1}\n", "1:4: &x: an anchor is not taken"),
        (b"a: *x\n", "1:4: *x: an alias is not taken"),
        (b"*x : 1\n", "1:1: *x: an alias is not taken"),
        (b"a: !!str 1\n", "1:4: tag:yaml.org,2002:str: a tag is not taken"),
        (b"a: !x!y 1\n", "1:4: is not YAML: a tag is not taken"),
        (b"o:\n  <<: {a: 1}\n", "2:3: o: a merge key ('<<') is not taken"),
        (b"? [a, b]\n: 1\n", "1:3: a key must be one word."),
        (b"? {a: b}\n: 1\n", "1:3: a key must be one word."),
        (b"? \n: 1\n", "1:2: a key is missing before ':'."),
        (b"a: 1\n---\nb: 2\n", "2:1: a second document begins here"),
        (b"a: {\n\tb: 1\n}: c", "is not YAML"),
        (b"a:\n\tb: 1\n", "2:1: is not YAML: a tab; indent with blanks."),
        (b"a: 1\n\tb: 1\n", "2:1: is not YAML: a tab; indent with blanks."),
        (b"a: |\n\tb\n", "2:1: is not YAML: a tab; indent with blanks."),
        (b"a: 1\n b: 2\n", "2:3: is not YAML: a ':' cannot stand here"),
        (b"a: b: c\n", "1:5: is not YAML: a ':' cannot stand here"),
        (b"a: 1\nb\n", "2:1: is not YAML: a key needs ': ' and a value."),
        (b"a: 1\nb: 'x\n", "2:4: is not YAML: a quote is opened and not closed."),
        (b'a: "x\n', "1:4: is not YAML: a quote is opened and not closed."),
        (b'a: "\\q"\n', "is not YAML: an escape that YAML does not have"),
        (b"a: @x\n", "1:4: is not YAML: a text that begins with this character"),
        (b"a: [1\nb: 2\n", "2:2: is not YAML: '[' is opened and not closed"),
        (b"a: {x: 1\nb: 2\n", "2:2: is not YAML: '{' is opened and not closed"),
        (b"a: [\n", "2:1: is not YAML: a value is missing."),
        (b"a: - b\n", "1:4: is not YAML: a '- ' cannot stand here"),
        (b"- a\nb: 1\n", "2:1: is not YAML: the line is not indented like those"),
        (b"a: 1\n...\nb: 2\n", "3:1: is not YAML: nothing may follow after '...'."),
        (b"a: \x00\n", "1:4: holds the character U+0000, which YAML does not take; remove it."),
        (b"a: 1\r\nb: \x07\n", "2:4: holds the character U+0007"),
        (b"a: 1\rb: \x07\n", "2:4: holds the character U+0007"),
        (b"a: x\xef\xbb\xbf\n", "1:5: holds the character U+FEFF"),
        (b"a: 1\nb: Z\xfcrich\n", "2:5: is not UTF-8 here; save it as UTF-8."),
        ("ä: ".encode() + b"\xff", "1:4: is not UTF-8 here"),
        ("a: 1".encode("utf-16"), "1:1: is not UTF-8 but UTF-16 or UTF-32"),
        ("a: 1".encode("utf-32"), "1:1: is not UTF-8 but UTF-16 or UTF-32"),
        (b"[" * 5000, "1:101: is nested more than 100 deep."),
        (b"{a: " * 5000, "is nested more than 100 deep."),
        (b"? " * 5000, "is nested more than 100 deep."),
        (b"".join(b"%sa:\n" % (b" " * n) for n in range(200)), "is nested more than 100 deep."),
    ],
)
def test_what_is_not_taken_is_a_fault_with_its_place(data: bytes, fault: str) -> None:
    (first, *_) = faults_of(data)
    assert first.startswith("f.yaml:")
    assert fault in first


def test_aliases_that_multiply_are_refused_and_never_written_out() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    found = faults_of("\n".join(lines).encode())
    assert len(found) == 30 + 29 * 9
    faults: list[Fault] = []
    assert read("\n".join(lines), "f.yaml", faults) is None


def test_an_alias_that_holds_itself_is_refused() -> None:
    faults: list[Fault] = []
    assert read("a: &x [*x]", "f.yaml", faults) is None
    assert [fault.column for fault in faults] == [4, 8]


def test_every_fault_is_told_at_once() -> None:
    assert len(faults_of(b"a: 1\na: 2\nb: {c: 1, c: 2}\n? [x]\n: y\nz: [\n")) == 4


def test_a_quoted_merge_key_is_a_word() -> None:
    assert texts(tree("'<<': x")) == {"<<": "x"}


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    faults: list[Fault] = []
    text = text_of(file, faults)
    assert (text, faults) == ("a: 1\nb: 2\n", [])
    # and of texts that were kept with it
    assert texts(tree("\ufeffa: 1")) == {"a": "1"}


@pytest.mark.parametrize("text", ["- a", "word", "", "'quoted'"])
def test_a_table_is_asked_for(text: str) -> None:
    faults: list[Fault] = []
    assert read_table(text, "f.yaml", faults) is None
    assert [str(fault) for fault in faults] == ["f.yaml:1:1: must hold keys with values."]


def test_keys_are_shown_as_the_reader_is_asked_to() -> None:
    faults: list[Fault] = []
    read("a: {s3cret: 1, s3cret: *s3cret}", "f.yaml", faults, lambda way: "a.…")
    assert [str(fault).partition(": a.…: ")[2][:9] for fault in faults] == [
        "an alias ",
        "a key sta",
    ]
    assert not any("s3cret" in str(fault) for fault in faults)


_SCALARS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_SCALARS, inner, max_size=3),
    max_leaves=8,
)


@given(_TREES)
def test_what_is_written_is_read_again(value: Any) -> None:
    text = yaml.safe_dump(value, default_style='"')
    assert texts(tree(text)) == value


@given(st.binary(max_size=60) | st.text("ab:-[]{}'\"\n\t &*!|#,?<", max_size=40).map(str.encode))
def test_whatever_comes_is_read_or_is_a_fault(data: bytes) -> None:
    faults: list[Fault] = []
    text = decoded(data, "f.yaml", faults)
    root = read(text, "f.yaml", faults) if text is not None else None
    assert root is not None or faults
    assert all(fault.line >= 1 and fault.column >= 1 for fault in faults)
    if root is not None and not faults:
        assert isinstance(root, Word | Items | Table)
        values(root)
