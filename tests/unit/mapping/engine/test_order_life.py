"""Whatever is pushed of a service, each charge is posted once and taken back once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mapping.engine.order_life import (
    Charge,
    OrderChange,
    PushedService,
    change_of,
    placer_number,
    transaction_id,
)
from bridge.order import OrderLine, OrderState

NEW = OrderLine("V1", "SRV-ECG")
CONTROLS = ["NW", "XO", "CA", "DC", "SC", "HD"]
PUSHES = st.lists(
    st.builds(
        PushedService,
        st.sampled_from(CONTROLS),
        st.sampled_from(["", "IP", "CM", "sample spilt"]),
        st.sampled_from(["", "0", "300", "300.00", "450.5", "on request", "NaN"]),
    ),
    max_size=12,
)


def changes(pushes: Sequence[PushedService], *, charges: bool = True) -> list[OrderChange]:
    made, line = [], NEW
    for said in pushes:
        change = change_of(line, said, charges=charges)
        if change is not None:
            made.append(change)
            line = change.line
    return made


@given(PUSHES)
def test_what_is_posted_is_what_was_charged_and_not_credited(pushes: list[PushedService]) -> None:
    open_charges: dict[int, str] = {}
    for change in changes(pushes):
        issue = change.line.issue
        if change.credit is not None:
            assert open_charges.pop(issue) == change.credit.amount
        if change.charge is not None:
            assert issue not in open_charges
            open_charges[issue] = change.charge.amount
        assert change.line.posted == open_charges.get(issue, "")


@given(PUSHES)
def test_no_two_charges_share_a_number_and_no_two_orders_do(pushes: list[PushedService]) -> None:
    made = changes(pushes)
    charged = [
        transaction_id(change.line, charge)
        for change in made
        for charge in (change.credit, change.charge)
        if charge is not None
    ]
    assert len(set(charged)) == len(charged)
    assert all(len(each) == 12 for each in charged)
    placed = [placer_number(change.line) for change in made if change.control == "NW"]
    assert len(set(placed)) == len(placed)
    assert all(len(each) == 16 for each in placed)


@given(PUSHES)
def test_a_push_that_is_repeated_at_once_says_nothing_new(pushes: list[PushedService]) -> None:
    line = NEW
    for said in pushes:
        change = change_of(line, said, charges=True)
        line = change.line if change else line
        again = change_of(line, said, charges=True)
        if said.control == "XO":
            assert again is not None
            assert (again.credit, again.charge) == (None, None)
        elif said.status or said.control in ("NW", "CA", "DC"):
            assert again is None


@given(PUSHES)
def test_without_charges_no_amount_is_sent_or_remembered(pushes: list[PushedService]) -> None:
    for change in changes(pushes, charges=False):
        assert (change.credit, change.charge, change.line.posted) == (None, None, "")


@given(PUSHES)
def test_a_status_and_a_price_that_cannot_be_read_charge_nothing(
    pushes: list[PushedService],
) -> None:
    line = NEW
    for said in pushes:
        change = change_of(line, said, charges=True)
        if change is not None and said.control in ("SC", "HD"):
            assert (change.credit, change.charge) == (None, None)
            assert change.line.posted == line.posted
        if change is not None and change.charge is not None:
            assert Decimal(change.charge.amount) == Decimal(said.price)
        line = change.line if change else line


@pytest.mark.parametrize(
    ("state", "said", "control", "after"),
    [
        # a change of what was never ordered here stays one, and the order is still to come
        (OrderState.UNPLACED, PushedService("XO", "", "300"), "XO", OrderState.UNPLACED),
        (OrderState.UNPLACED, PushedService("SC", "IP", "300"), "SC", OrderState.UNPLACED),
        (OrderState.UNPLACED, PushedService("NW", "", "300"), "NW", OrderState.PLACED),
        (OrderState.UNPLACED, PushedService("CA", "", "300"), "CA", OrderState.CANCELLED),
        (OrderState.PLACED, PushedService("SC", "CM", ""), "SC", OrderState.COMPLETED),
        (OrderState.PLACED, PushedService("DC", "", ""), "DC", OrderState.CANCELLED),
        (OrderState.COMPLETED, PushedService("SC", "IP", ""), "SC", OrderState.PLACED),
        (OrderState.COMPLETED, PushedService("XO", "", ""), "XO", OrderState.COMPLETED),
        (OrderState.COMPLETED, PushedService("CA", "", ""), "CA", OrderState.CANCELLED),
        # a number that was cancelled is used up
        (OrderState.CANCELLED, PushedService("SC", "CM", ""), "SC", OrderState.CANCELLED),
        (OrderState.CANCELLED, PushedService("SC", "IP", ""), "SC", OrderState.CANCELLED),
        (OrderState.CANCELLED, PushedService("XO", "", ""), "NW", OrderState.PLACED),
        (OrderState.CANCELLED, PushedService("NW", "", ""), "NW", OrderState.PLACED),
        (OrderState.COMPLETED, PushedService("NW", "", ""), "NW", OrderState.PLACED),
    ],
)
def test_how_far_an_order_is_follows_from_what_is_sent(
    state: OrderState, said: PushedService, control: str, after: OrderState
) -> None:
    change = change_of(replace(NEW, state=state), said, charges=True)
    assert change is not None
    assert (change.control, change.line.state) == (control, after)
    again = control == "NW" and state in (OrderState.CANCELLED, OrderState.COMPLETED)
    assert change.line.issue == (2 if again else 1)


def test_an_order_that_was_changed_first_is_charged_once_when_it_is_placed() -> None:
    changed, placed = changes([PushedService("XO", "", "300"), PushedService("NW", "", "300")])
    assert changed.charge == Charge(1, "300")
    assert (placed.control, placed.charge) == ("NW", None)
