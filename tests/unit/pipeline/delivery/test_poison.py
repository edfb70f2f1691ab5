"""Poison messages: what gets no clear answer while others do is given up, and nothing else is."""

from __future__ import annotations

import pytest

from bridge.delivery import Kind, Outcome, Reason
from bridge.pipeline.delivery.poison import POISON, count_unclear, is_poison
from tests.unit.pipeline.bench import Bench

WRITTEN = Outcome(Kind.DELIVERED, Reason.ACCEPTED)
LOST = Outcome(Kind.UNKNOWN, Reason.NO_ANSWER)
UNCLEAR = [
    Reason.NO_ANSWER,
    Reason.SERVER_ERROR,
    Reason.UNREADABLE_ANSWER,
    Reason.NOT_THE_API,
]


async def run(bench: Bench, *outcomes: tuple[int, Outcome]) -> list[int]:
    """How often each delivery was unclear, as these outcomes come in."""
    return await bench.store.run(
        lambda tx: [count_unclear(tx, delivery_id, outcome) for delivery_id, outcome in outcomes]
    )


async def test_an_outage_makes_no_poison(bench: Bench) -> None:
    assert await run(bench, *[(7, LOST)] * (2 * POISON)) == [0] * (2 * POISON)


@pytest.mark.parametrize("reason", UNCLEAR)
async def test_it_counts_once_for_whatever_was_written_since(bench: Bench, reason: Reason) -> None:
    unclear = Outcome(Kind.UNKNOWN, reason)
    story = [(7, unclear), (8, WRITTEN), (9, WRITTEN), (7, unclear), (7, unclear)]
    assert await run(bench, *story) == [0, 0, 0, 1, 1]


async def test_a_clear_answer_counts_for_nothing(bench: Bench) -> None:
    refused = Outcome(Kind.PERMANENT, Reason.INVALID)
    assert await run(bench, (7, LOST), (8, WRITTEN), (7, refused), (7, LOST)) == [0, 0, 0, 1]


@pytest.mark.parametrize("reason", UNCLEAR)
def test_enough_is_enough(reason: Reason) -> None:
    outcome = Outcome(Kind.UNKNOWN, reason)
    assert is_poison(outcome, POISON)
    assert not is_poison(outcome, POISON - 1)


def test_a_clear_answer_ends_it_in_its_own_way() -> None:
    assert not is_poison(Outcome(Kind.TRANSIENT, Reason.LIMITED), POISON)
