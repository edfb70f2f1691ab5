"""The JSON Schema takes what the checker takes, and marks what an editor can see is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.language import rule_words, words
from bridge.mapping.language.declared import Declared
from bridge.mapping.language.schema import schema_of
from bridge.zauto.catalogue import Catalogue

SHIPPED = Path(__file__).parents[4] / "mappings"
FILES = sorted(
    file
    for file in SHIPPED.glob("*/*.yaml")
    if file.parent.name != "zauto" and not file.stem.endswith("_test")
)
SITES = sorted((SHIPPED.parent / "conf/sites").glob("*/*/*.yaml"))
MODELS = [
    one
    for one in (vars(words) | vars(rule_words)).values()
    if isinstance(one, type) and issubclass(one, Declared)
]
PART = "source: hl7v2\nresource: patients\nid: {from: PID-3}\nfields:\n  "


class _AsAnEditor(yaml.SafeLoader):
    """Reads keys as they are written, as YAML 1.2 does where JSON is meant."""


def _table(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
    return {str(key.value): loader.construct_object(value, deep=True) for key, value in node.value}


_AsAnEditor.add_constructor("tag:yaml.org,2002:map", _table)


@pytest.fixture(scope="module")
def schema(compiled: Callable[..., Mappings], zauto: Catalogue) -> dict[str, Any]:
    return schema_of(zauto, compiled().folders)


@pytest.fixture(scope="module")
def problems(schema: dict[str, Any]) -> Callable[[str], list[str]]:
    """What the schema finds wrong in a text."""
    validator = jsonschema_rs.Draft202012Validator(schema)

    def found(text: str) -> list[str]:
        read = yaml.load(text, Loader=_AsAnEditor)
        return [error.message for error in validator.iter_errors(read)]

    return found


Problems = Callable[[str], list[str]]


def test_it_is_a_schema_itself(schema: dict[str, Any]) -> None:
    jsonschema_rs.meta.validate(schema)


@pytest.mark.parametrize("file", FILES + SITES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_every_shipped_file_fits(problems: Problems, file: Path) -> None:
    assert problems(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "wrong",
    [
        PART + "fullNam: {from: PID-5}",
        PART + "fullName: {form: PID-5}",
        PART + "fullName: {from: PID.5}",
        PART + "fullName: {from: PID-5, as: person_nam}",
        PART + "fullName: {from: PID-5, constant: Dr}",
        PART + "gender: {from: PID-8.1, codes: gendr}",
        PART + "title: {site: currenzy}",
        PART + "title: {clear: false}",
        PART + "title: {constant: Dr, on: update}",
        PART.replace("patients", "patient") + "fullName: {from: PID-5}",
        PART.replace("hl7v2", "hl7") + "fullName: {from: PID-5}",
        PART + "title: {constant: Dr}\nfacts: {famly: {from: PID-5.1}}",
        "messages: [ADT^A04]\ncalls:\n  - upsert: patients\n    create: patients\n    use: x",
        "messages: [ADT^A04]\ncalls:\n  - upsert: patient\n    use: x",
        "messages: [ADT^A04]\ncalls: []",
        "rows: {}",
        "about: nothing else",
        "fields: {title: {form: PID-5}}",
        "calls: [{upsert: patients, use: x}]\nnothing: at all",
        "otherwise: keep\nrow: {1: Male}",
    ],
)
def test_what_an_editor_can_see_is_marked(problems: Problems, wrong: str) -> None:
    assert problems(wrong) != []


@pytest.mark.parametrize(
    "right",
    [
        PART + "title: [{from: PID-5.5}, {constant: Dr}]",
        PART + "title: {clear: true, when: [PV1-45, {path: PV1-2, not: [N]}]}",
        "rows: {1: Male, NO: Female}\notherwise: keep",
        "fields: {title: {constant: Dr}}\nsource: hl7v2",
        "facts: {family: {from: PID-5.1}}",
        "calls: [{upsert: patients, use: x}]",
        "otherwise: hold",
        "ignore: [ZBD]",
    ],
)
def test_what_is_right_is_not_marked(problems: Problems, right: str) -> None:
    assert problems(right) == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_word_says_something_to_an_editor(model: type[Declared]) -> None:
    assert all(each.description for each in model.model_fields.values())
