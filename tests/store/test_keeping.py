"""Messages that wait together: each is kept, answered and refused as if it had come alone."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import StoreBusy
from bridge.message import Status, Verdict
from bridge.store.contract import Store, Transaction
from bridge.store.open import open_store
from bridge.store.records import Keeping, Kept, KeptMessage
from tests.patience import PATIENCE
from tests.store.samples import a_keeping, a_message, because, keep


async def together(store: Store, keepings: Sequence[Keeping], *more: Any) -> list[Any]:
    """What each came to, in one group; `more` are jobs in the same group behind them."""
    begun, gate = threading.Event(), threading.Event()
    held = asyncio.ensure_future(store.run(lambda tx: (begun.set(), gate.wait(PATIENCE))))
    await asyncio.to_thread(begun.wait, 10)
    waiting = [asyncio.ensure_future(store.keep(each)) for each in keepings]
    waiting += [asyncio.ensure_future(store.run(each)) for each in more]
    await asyncio.sleep(0)
    gate.set()
    _, *results = await asyncio.gather(held, *waiting, return_exceptions=True)
    return results


async def test_each_gets_its_own_id_and_acknowledgment_in_the_order_they_came(
    store: Store,
) -> None:
    keepings = [a_keeping(number) for number in range(100)]
    kept = await together(store, keepings)
    assert [each.id for each in kept] == sorted({each.id for each in kept})
    for one, asked in zip(kept, keepings, strict=True):
        found = store.read(lambda view, one=one: view.message(one.id))
        assert found is not None
        assert found.message == asked.message
        assert one.acknowledgment == found.acknowledgment == asked.acknowledgment
    assert store.read(lambda view: view.tally()).messages == {Status.WAITING: 100}


async def test_what_a_message_is_kept_with_is_found_again(store: Store) -> None:
    refused = a_keeping(
        1,
        status=Status.REJECTED,
        answer_code="AE",
        cause=because("no PID", Verdict.SENDER),
        identity=None,
    )
    _, kept = await together(store, [a_keeping(0), refused])
    found = store.read(lambda view: view.message(kept.id))
    assert found is not None
    told = (found.status, found.answer_code, found.reason, found.verdict, found.duplicates)
    assert told == (Status.REJECTED, "AE", "no PID", Verdict.SENDER, 0)


async def test_copies_that_wait_together_are_recognised(store: Store) -> None:
    first = a_keeping(1)
    copy = first._replace(acknowledgment=b"another")
    kept = await together(store, [a_keeping(0), first, copy, a_keeping(2)])
    assert [each.duplicate for each in kept] == [False, False, True, False]
    assert kept[2] == Kept(kept[1].id, first.acknowledgment, duplicate=True)


async def test_a_copy_of_what_was_kept_before_takes_no_other_message_with_it(
    store: Store,
) -> None:
    before = await store.keep(a_keeping(1))
    kept = await together(store, [a_keeping(0), a_keeping(1), a_keeping(2)])
    assert [each.duplicate for each in kept] == [False, True, False]
    assert kept[1].id == before.id
    assert store.read(lambda view: view.tally()).messages == {Status.WAITING: 3}


async def test_one_that_cannot_be_kept_fails_alone(store: Store) -> None:
    sour = a_keeping(1, message=a_message(control_id="no character: \ud800"))
    results = await together(store, [a_keeping(0), sour, a_keeping(2)])
    assert [type(each) for each in results] == [Kept, UnicodeEncodeError, Kept]
    assert store.read(lambda view: view.tally()).messages == {Status.WAITING: 2}


async def test_other_jobs_see_what_came_before_them(store: Store) -> None:
    def count(tx: Transaction) -> int:
        return len(tx.messages())

    results = await together(store, [a_keeping(0), a_keeping(1)], count, keep, count)
    assert (results[2], results[4]) == (2, 3)


async def test_below_the_watermark_none_is_kept(url: str) -> None:
    store = open_store(url, free_bytes=2**62, clock=lambda: 0.0)
    results = await together(store, [a_keeping(number) for number in range(3)])
    assert [type(each) for each in results] == [StoreBusy] * 3
    await store.close()


#: numbers of messages, some again and again; whether the sender's copies are recognised; a size
CAME = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), st.sampled_from([0, 0, 0, 70_000])), max_size=40
)


@settings(max_examples=25, deadline=None)
@given(came=CAME)
def test_it_makes_no_difference_whether_messages_wait_together(
    came: list[tuple[int, bool, int]],
) -> None:
    keepings = [
        a_keeping(
            number,
            message=a_message(control_id=f"C{number}", body=b"x" * size),
            identity=f"C{number}".encode() if recognised else None,
        )
        for number, recognised, size in came
    ]
    assert asyncio.run(_kept(keepings, at_once=True)) == asyncio.run(_kept(keepings, at_once=False))


async def _kept(keepings: list[Keeping], *, at_once: bool) -> tuple[list[Kept], list[KeptMessage]]:
    """What each came to, and what is in the store afterwards; ids by their rank."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/bridge.db", free_bytes=0, clock=lambda: 0.0)
        if at_once:
            kept = await together(store, keepings)
        else:
            kept = [await store.keep(each) for each in keepings]
        rank = {id_: number for number, id_ in enumerate(sorted({each.id for each in kept}))}
        found = store.read(lambda view: [view.message(id_) for id_ in rank])
        await store.close()
    ranked = [each._replace(id=rank[each.id]) for each in kept]
    return ranked, [replace(each, id=rank[each.id]) for each in found if each is not None]
