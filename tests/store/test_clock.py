"""A clock that is set back delays nothing for as long as it was wrong."""

from __future__ import annotations

from bridge.delivery import Step, Target
from bridge.store.contract import Store
from tests.store.samples import a_call, plan

YEAR = 365 * 86_400.0


async def test_what_came_while_the_clock_was_ahead_is_claimed(store: Store) -> None:
    (delivery_id,) = await store.run(lambda tx: plan(tx, a_call(), at=YEAR))

    heads = await store.run(lambda tx: tx.claim(Target.ZAUTO, 100.0, 10))

    assert [head.id for head in heads] == [delivery_id]


async def test_the_longest_wait_a_far_end_asks_for_is_kept(store: Store) -> None:
    (delivery_id,) = await store.run(lambda tx: plan(tx, a_call(), at=100.0))
    await store.run(lambda tx: tx.claim(Target.ZAUTO, 100.0, 10))
    await store.run(
        lambda tx: tx.postpone(delivery_id, Step.APPLY, due_at=100.0 + 3960.0, attempts=0)
    )

    assert not await store.run(lambda tx: tx.claim(Target.ZAUTO, 100.0, 10))
    assert await store.run(lambda tx: tx.claim(Target.ZAUTO, 4060.0, 10))
