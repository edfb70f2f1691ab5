"""What is expected of the samples is read strictly, and every difference from it is named."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.demo.expected import Difference, differences, read
from bridge.demo.played import Ended, Played, PlayedDelivery, Received
from bridge.errors import BridgeError

CREATED = ("POST", "patients", 201)
ADMITTED = Ended(
    sample="adt/one.hl7",
    index=0,
    message_type="ADT^A01",
    answer="AA",
    status="delivered",
    why="",
    waited_for="",
    done=(PlayedDelivery("patients", "4711", "delivered", (CREATED,)),),
    received=(),
)
EXPECTED = "adt: {one.hl7: {answer: AA, status: delivered, calls: [POST patients 201]}}"
ORDERED = replace(
    ADMITTED,
    sample="orders/one.json",
    answer="202",
    done=(),
    received=(Received(b"MSH|^~\\&|A|B|||||RDE^O11|7|P|2.5.1\rRXE||M1^Aspirin\r", ()),),
)


def played(*ended: Ended, **changes: Any) -> Played:
    journal = Counter(call for each in ended for done in each.done for call in done.calls)
    whole = Played(ended, {"quarantined": 0}, journal, (), 1.0)
    return replace(whole, **changes)


@pytest.fixture
def differing(tmp_path: Path) -> Any:
    """What differs between a file with this text and what was played."""

    def compare(text: str, what: Played) -> list[Difference]:
        file = tmp_path / "expected.yaml"
        file.write_text(text, encoding="utf-8")
        return list(differences(read(file), what))

    return compare


def test_what_ended_as_expected_differs_in_nothing(differing: Any) -> None:
    assert differing(EXPECTED, played(ADMITTED)) == []


@pytest.mark.parametrize(
    ("change", "what", "expected", "actual"),
    [
        ({"answer": "AE"}, "answer", "AA", "AE"),
        ({"status": "parked", "why": "no name"}, "status", "delivered", "parked (no name)"),
        ({"waited_for": "Patient/1"}, "waited", "false", "true"),
        ({"done": ()}, "calls", "[POST patients 201]", "[]"),
        ({"received": ORDERED.received}, "messages to the hospital", "0", "1"),
    ],
)
def test_each_difference_is_named_with_both_sides(
    differing: Any, change: dict[str, Any], what: str, expected: str, actual: str
) -> None:
    found = differing(EXPECTED, played(replace(ADMITTED, **change)))
    assert found == [Difference("adt/one.hl7", what, expected, actual)]


def test_a_sample_that_is_not_listed_is_told_as_it_can_be_written(differing: Any) -> None:
    (found,) = differing("", played(ADMITTED))
    assert found.where == "adt/one.hl7"
    assert found.actual == "{answer: AA, status: delivered, calls: [POST patients 201]}"
    assert differing(f"adt: {{one.hl7: {found.actual}}}", played(ADMITTED)) == []


def test_a_listed_sample_that_is_not_there_is_told(differing: Any) -> None:
    assert differing(EXPECTED, played()) == [Difference("adt/one.hl7", "messages", "1", "0")]


def test_a_file_of_several_messages_has_a_list(differing: Any) -> None:
    text = "adt: {one.hl7: [{answer: AA, status: suppressed}, {answer: AE, status: suppressed}]}"
    quiet = replace(ADMITTED, status="suppressed", done=())
    found = differing(text, played(quiet, replace(quiet, index=1)))
    assert found == [Difference("adt/one.hl7 (message 2)", "answer", "AE", "AA")]


def test_a_field_of_a_message_to_the_hospital_is_compared_by_its_path(differing: Any) -> None:
    text = "orders: {one.json: {answer: 202, status: delivered, sends: [{%s}]}}"
    good = text % "MSH-9: RDE^O11, RXE-2.2: Aspirin"
    assert differing(good, played(ORDERED)) == []
    found = differing(text % "RXE-2.2: Ibuprofen, RXE-3: 1", played(ORDERED))
    assert found == [
        Difference("orders/one.json", "RXE-2.2", "Ibuprofen", "Aspirin"),
        Difference("orders/one.json", "RXE-3", "1", "nothing"),
    ]


def test_the_sandbox_must_have_seen_the_calls_the_bridge_tells_of(differing: Any) -> None:
    (found,) = differing(EXPECTED, played(ADMITTED, journal=Counter({CREATED: 2})))
    assert (found.where, found.what, found.actual) == (
        "sandbox's journal",
        "POST patients 201",
        "2",
    )


def test_a_message_at_the_hospital_that_nobody_ordered_is_told(differing: Any) -> None:
    (found,) = differing(EXPECTED, played(ADMITTED, stray=ORDERED.received))
    assert (found.where, found.actual) == ("hospital", "RDE^O11")


def test_what_is_neither_kept_nor_in_quarantine_is_told(differing: Any) -> None:
    lost = replace(ADMITTED, answer="no answer", status="quarantined", done=())
    text = "adt: {one.hl7: {answer: no answer, status: quarantined}}"
    (found,) = differing(text, played(lost))
    assert (found.what, found.actual) == ("quarantine", "empty")
    assert differing(text, played(lost, status={"quarantined": 1})) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("adt: {one.hl7: {answer: AA, status: delivred}}", "adt / one.hl7 / status: must be"),
        (
            "adt: {one.hl7: {answer: AA, status: held, call: []}}",
            "adt / one.hl7 / call: is not a key here. Did you mean 'calls'?",
        ),
        ("adt: {one.hl7: {answer: AA, status: held, sends: [{PDI-3: 1}]}}", "PDI"),
        ("adt: [", "is not YAML"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(differing: Any, text: str, told: str) -> None:
    with pytest.raises(BridgeError, match=r"expected\.yaml:\d+:\d+: ") as error:
        differing(text, played())
    assert told in str(error.value)
