"""The counts of calls in the store, as several processes keep them."""

from __future__ import annotations

from bridge.delivery import Target
from bridge.pipeline.delivery.ledger import CallLedger
from bridge.store.contract import Transaction
from bridge.zauto.budget import HOUR
from tests.unit.pipeline.bench import LATE, Bench


def ledger(*, kept: bool = True) -> CallLedger:
    return CallLedger(Target.ZAUTO, kept=kept, late=LATE)


def steps(bench: Bench) -> list[int]:
    """How many calls were counted, step by step."""
    counts = bench.store.read(lambda view: view.call_counts(Target.ZAUTO))
    return [calls for _, calls in counts.steps]


async def reserved(bench: Bench, calls: CallLedger, now: float = 0.0) -> bool:
    return await bench.store.run(lambda tx: calls.reserve(tx, now))


async def test_one_process_counts_without_reading_again(bench: Bench) -> None:
    mine = ledger()
    assert [await reserved(bench, mine) for _ in range(3)] == [True] * 3
    await bench.store.run(lambda tx: mine.count(tx, 0.0))
    assert await reserved(bench, mine)
    assert steps(bench) == [5]


async def test_where_another_counted_nothing_is_reserved_until_it_is_read(bench: Bench) -> None:
    mine, other = ledger(), ledger()
    assert await reserved(bench, other)
    assert not await reserved(bench, mine)
    assert steps(bench) == [1]
    counts = bench.store.read(mine.read)
    assert [calls for _, calls in counts.steps] == [1]
    assert await reserved(bench, mine)


async def test_a_request_that_leaves_is_counted_whoever_else_counts(bench: Bench) -> None:
    """But what the other counted is not known by it."""
    mine, other = ledger(), ledger()

    def job(tx: Transaction) -> None:
        other.count(tx, 0.0)
        mine.count(tx, 0.0)

    await bench.store.run(job)
    assert steps(bench) == [2]
    assert not await reserved(bench, mine)


async def test_steps_of_more_than_an_hour_ago_are_forgotten(bench: Bench) -> None:
    mine = ledger()
    await reserved(bench, mine, 0.0)
    await reserved(bench, mine, HOUR)
    assert steps(bench) == [1, 1]
    await reserved(bench, mine, 2 * HOUR)
    assert steps(bench) == [1, 1]


async def test_without_a_limit_nothing_is_counted(bench: Bench) -> None:
    mine = ledger(kept=False)
    assert await reserved(bench, mine)
    await bench.store.run(lambda tx: mine.count(tx, 0.0))
    assert steps(bench) == []
