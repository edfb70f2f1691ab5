"""What does not fit a model is named by its place, with the nearest right word."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from bridge.errors import Fault
from bridge.yamlfile import Way, dotted, fit, known_at, nearest, read, values


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hour: int = Field(default=1, ge=1)
    minute: float = Field(default=1, gt=0, le=60)


class Door(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    colour: Colour = Colour.RED
    limits: Literal["documented", "off"] | Limits = "documented"
    parts: dict[str, Limits | tuple[Limits, ...]] = {}
    open: bool = False
    codes: tuple[Annotated[str, Field(pattern="^[a-z]+$")], ...] = ()


def _shown(way: Way) -> str:
    return dotted(way) or "the file"


def faults_of(text: str, kind: Any = list[Door]) -> list[str]:
    faults: list[Fault] = []
    root = read(text, "f.yaml", faults)
    assert root is not None
    assert (fit(kind, root, values(root), faults, _shown) is None) is bool(faults)
    return [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("- {name: a, colour: green, parts: {Zeta: {hour: 2}, z: [{hour: 3}]}}", []),
        (
            "- {nmae: a}",
            ["1:3: 0.name: is missing", "1:4: 0.nmae: is not a key here. Did you mean"],
        ),
        ("- {name: a, Colour: red}", ["1:13: 0.Colour: is not a key here. Did you mean 'colour'?"]),
        ("- {name: a, qqqq: 1}", ["1:13: 0.qqqq: is not a key here; there are name, colour, "]),
        ("- {name: a, colour: grren}", ["1:21: 0.colour: must be 'red' or 'green'. Did you mean"]),
        ("- {name: 12}", ["1:10: 0.name: must be text; put what looks like a number in quotes"]),
        ("- {name: }", ["0.name: must be text"]),
        ("- name: a\n  open: maybe", ["2:9: 0.open: must be true or false"]),
        (
            "- {name: a, limits: {our: 1}}",
            ["0.limits.our: is not a key here. Did you mean 'hour'?"],
        ),
        ("- {name: a, limits: of}", ["'documented' or 'off', or must hold keys with values. Did"]),
        ("- {name: a, limits: {hour: 0}}", ["1:28: 0.limits.hour: must be at least 1"]),
        ("- {name: a, limits: {minute: 61}}", ["0.limits.minute: must be at most 60"]),
        ("- {name: a, limits: {minute: 0}}", ["0.limits.minute: must be more than 0"]),
        ("- {name: a, limits: {hour: x}}", ["0.limits.hour: must be a whole number"]),
        ("- {name: a, parts: {x: {hour: y}}}", ["1:31: 0.parts.x.hour: must be a whole number"]),
        ("- {name: a, parts: {x: [{our: 1}]}}", ["1:26: 0.parts.x.0.our: is not a key here. Did"]),
        (
            "- {name: a, parts: {x: 1}}",
            ["0.parts.x: must hold keys with values, or must be a list"],
        ),
        ("- {name: a, codes: [b, C]}", ["1:24: 0.codes.1: must be text that matches ^[a-z]+$"]),
        ("- a", ["1:3: 0: must hold keys with values"]),
        ("name: a", ["1:1: the file: must be a list"]),
    ],
)
def test_a_misfit_is_named_with_its_place_and_the_nearest_word(
    text: str, faults: list[str]
) -> None:
    found = faults_of(text)
    assert len(found) == len(faults)
    for fault, part in zip(found, faults, strict=True):
        assert fault.startswith("f.yaml:1:") or "\n" in text
        assert part in fault


@pytest.mark.parametrize("key", ["name", "colour", "limits", "parts", "open", "codes"])
@pytest.mark.parametrize("shape", ["{}", "[{}]", "{{x: {}}}", "[[{}]]"])
def test_no_value_is_ever_repeated(key: str, shape: str) -> None:
    written = shape.format("Zx9-hunter2")
    found = faults_of(f"- {{name: a, {key}: {written}}}") if key != "name" else []
    assert not any("hunter2" in fault for fault in found)


def test_the_keys_known_at_a_place_are_found_through_lists_tables_and_choices() -> None:
    assert known_at(list[Door], (0, "limits")) == ("hour", "minute")
    assert known_at(dict[str, Door], ("x", "parts", "y", 3)) == ("hour", "minute")
    assert known_at(Door, ("name",)) == ()
    assert known_at(Door, ("nothing", "there")) == ()


@pytest.mark.parametrize(
    ("word", "near"), [("limts", "limits"), ("LIMITS", "limits"), ("zzz", None), ("", None)]
)
def test_the_nearest_word_is_like_it_whatever_its_case(word: str, near: str | None) -> None:
    assert nearest(word, ["limits", "open"]) == near
