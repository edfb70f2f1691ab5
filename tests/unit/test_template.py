"""Sentences with places for parameters."""

from __future__ import annotations

import pytest

from bridge.template import fill, names, readable


def filled(template: str, number: int = 0, **values: str) -> str:
    return fill(
        template,
        number=number,
        present=lambda name: bool(number if name == "number" else values.get(name)),
        shown=lambda name: values.get(name, ""),
    )


@pytest.mark.parametrize(
    ("template", "number", "sentence"),
    [
        ("{number:visit} re-pointed", 1, "1 visit re-pointed"),
        ("{number:visit} re-pointed", 0, "0 visits re-pointed"),
        ("{number:message needs|messages need} a person", 1, "1 message needs a person"),
        ("{number:message needs|messages need} a person", 2, "2 messages need a person"),
        ("paused[, {number:message} waiting]", 0, "paused"),
        ("paused[, {number:message} waiting]", 2, "paused, 2 messages waiting"),
    ],
)
def test_a_count_has_its_noun(template: str, number: int, sentence: str) -> None:
    assert filled(template, number) == sentence


def test_a_part_is_left_out_where_one_of_its_parameters_is_empty() -> None:
    assert filled("no[ {what}][ at {place} of {whom}]", what="id", place="PID-3") == "no id"


def test_what_a_parameter_holds_is_no_template() -> None:
    assert filled("{said}[: {why}]", said="[{why}]", why="{said}") == "[{why}]: {said}"


def test_on_a_page_parameters_are_in_italics_and_links_stay() -> None:
    text = "{number:visit} of [{other_issuer}], see [more](page.md)"
    assert readable(text) == "*number* visits of *other issuer*, see [more](page.md)"
    assert names(text) == ["number", "other_issuer"]
