"""What is typed becomes the order that ZautoAI's document shows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sandbox.orderform import MOST_LINES, OrderForm, empty_form, read_form
from bridge.zauto.contract import ORDERS


def read(more: bool = False, **typed: str) -> OrderForm:
    filled = {name.replace("__", "-"): value for name, value in typed.items()}
    return read_form({"kind": "services"} | filled, "k1", more=more)


@pytest.mark.parametrize(
    ("typed", "price"),
    [("300", 300), ("299.50", 299.5), ("-1", -1), ("1e3", 1000)],
)
def test_a_price_is_a_number(typed: str, price: Any) -> None:
    form = read(externalVisitId="v1", line__0__price=typed)
    assert form.errors == {}
    (line,) = form.payload()["Services"]
    assert line == {"externalServiceId": "", "name": "", "price": price, "status": ""}
    assert type(line["price"]) is type(price)


@pytest.mark.parametrize("typed", ["", "dear", "nan", "inf", "1,5"])
def test_what_is_no_number_is_an_error(typed: str) -> None:
    form = read(externalVisitId="v1", line__0__name="X-ray", line__0__price=typed)
    assert form.errors == {"line-0-price": "must be a number"}


def test_an_order_needs_a_visit_and_a_line() -> None:
    form = read(externalVisitId=" ", line__0__name=" ")
    assert list(form.errors) == ["externalVisitId", "line-0-externalServiceId"]
    assert form.label("line-0-externalServiceId") == "Services 1 externalServiceId"


def test_an_empty_line_is_left_out() -> None:
    form = read(externalVisitId="v1", line__0__price="", line__1__price="5")
    assert len(form.lines) == 2
    assert [line["price"] for line in form.payload()["Services"]] == [5]


def test_lines_are_added_up_to_a_limit() -> None:
    typed = {f"line-{number}-name": "x" for number in range(MOST_LINES + 5)}
    assert len(read(more=True, **typed).lines) == MOST_LINES
    assert len(read(more=True, line__0__name="x").lines) == 2


@given(st.sampled_from(sorted(ORDERS)), st.dictionaries(st.text(), st.text()))
def test_any_form_is_read(kind: str, typed: dict[str, str]) -> None:
    form = read_form(typed | {"kind": kind}, "k1", more=False)
    assert form.lines
    assert form.errors or form.payload()


def test_a_form_begins_with_one_line() -> None:
    (line,) = empty_form("prescriptions", "k1").lines
    assert set(line) == set(ORDERS["prescriptions"].fields)
