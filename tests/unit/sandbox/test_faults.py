"""Which request meets a fault, and what is said of a plan that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import DoorError
from bridge.sandbox.faults import (
    FaultKind,
    FaultRule,
    Match,
    Met,
    Plan,
    PlayedFault,
    When,
    read_header,
    read_plan,
    read_rules,
)

LOST = PlayedFault(kind=FaultKind.LOST)
RESET = PlayedFault(kind=FaultKind.RESET)
POST = Met("POST", "/zauto-api/patients", "p1", "zauto_test_00000000")


def plan(*rules: FaultRule) -> Plan:
    made = Plan()
    made.add(rules)
    return made


@given(st.integers(0, 5), st.integers(1, 5), st.integers(0, 20))
def test_a_rule_lets_some_through_and_then_plays_so_often(
    skip: int, times: int, requests: int
) -> None:
    rules = plan(FaultRule(fault=LOST, skip=skip, times=times))
    met = [rules.take(POST) is LOST for _ in range(requests)]
    assert met == [skip <= number < skip + times for number in range(requests)]


def test_a_rule_without_an_end_is_played_again_and_again() -> None:
    rules = plan(FaultRule(fault=LOST, times=None))
    assert [rules.take(POST) for _ in range(5)] == [LOST] * 5


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": "PUT"}, False),
        ({"path": "/zauto-api/pat"}, True),
        ({"path": "/api"}, False),
        ({"external_id": "p1"}, True),
        ({"external_id": "p2"}, False),
        ({"client": "zauto_test_00000000"}, True),
        ({"client": ""}, False),
    ],
)
def test_a_rule_is_for_the_requests_it_names(match: dict[str, str], fits: bool) -> None:
    assert (plan(FaultRule(fault=LOST, match=Match(**match))).take(POST) is LOST) is fits


def test_a_rule_that_is_used_up_leaves_the_request_to_the_next() -> None:
    rules = plan(FaultRule(fault=LOST), FaultRule(fault=RESET))
    assert [rules.take(POST) for _ in range(3)] == [LOST, RESET, None]


def test_a_rule_that_still_skips_keeps_the_request_from_the_next() -> None:
    rules = plan(FaultRule(fault=LOST, skip=1), FaultRule(fault=RESET))
    assert [rules.take(POST) for _ in range(3)] == [None, LOST, RESET]


def test_a_cleared_plan_plays_nothing() -> None:
    rules = plan(FaultRule(fault=LOST, times=None))
    rules.clear()
    assert (rules.take(POST), rules.shown()) == (None, [])


def test_a_plan_tells_its_rules_and_how_often_each_fitted() -> None:
    rules = plan(FaultRule(fault=LOST, match=Match(method="POST"), skip=2))
    rules.take(POST)
    expected = {"fault": {"kind": "lost"}, "match": {"method": "POST"}, "skip": 2, "fitted": 1}
    assert rules.shown() == [expected]


@pytest.mark.parametrize(
    ("fault", "has_effect"),
    [
        ({"kind": "status"}, False),
        ({"kind": "status", "when": "after"}, True),
        ({"kind": "reset"}, False),
        ({"kind": "lost"}, True),
        ({"kind": "lost", "when": "before"}, False),
    ],
)
def test_a_fault_says_whether_the_request_has_its_effect(
    fault: dict[str, Any], has_effect: bool
) -> None:
    assert PlayedFault.model_validate(fault).has_effect is has_effect


def test_a_plan_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(
        "- match: {method: POST, path: /zauto-api/patients}\n"
        "  times: null\n"
        "  fault: {kind: delay, seconds: 2.5, when: before}\n"
    )
    (rule,) = read_plan(file)
    assert rule.times is None
    assert rule.fault == PlayedFault(kind=FaultKind.DELAY, seconds=2.5, when=When.BEFORE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- {fault: {kind: explode}}", "0.fault.kind"),
        ("- {fault: {kind: lost, wenn: after}}", "0.fault.wenn"),
        ("- {skip: 1}", "0.fault"),
        ("fault: {kind: lost}", "the plan"),
        ("- [", "cannot be read as a plan"),
    ],
)
def test_a_plan_that_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(text)
    with pytest.raises(DoorError) as raised:
        read_plan(file)
    assert str(raised.value).startswith(str(file))
    assert told in str(raised.value)


def test_a_plan_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DoorError, match=r"gone\.yaml: cannot be read"):
        read_plan(tmp_path / "gone.yaml")


def test_rules_are_checked_wherever_they_come_from() -> None:
    with pytest.raises(DoorError, match=r"rules: 0\.times"):
        read_rules([{"fault": {"kind": "lost"}, "times": 0}], "rules")


def test_a_header_holds_a_kind_or_an_object() -> None:
    assert read_header("lost") == LOST
    assert read_header('{"kind": "cut", "bytes": 7}') == PlayedFault(kind=FaultKind.CUT, bytes=7)


@pytest.mark.parametrize("text", ["", "explode", "{", '{"kind": "lost", "x": 1}', "[]"])
def test_a_header_that_is_wrong_is_told(text: str) -> None:
    with pytest.raises(DoorError, match="x-sandbox-fault: "):
        read_header(text)
