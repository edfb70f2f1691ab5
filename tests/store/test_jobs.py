"""Jobs: commit together, fail alone, and say when nothing can be kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import StoreBusy, StoreUnusable
from bridge.message import Status
from bridge.store.contract import Store, Transaction, View
from bridge.store.open import open_store, open_view
from bridge.store.records import Kept
from tests.patience import PATIENCE
from tests.store.samples import keep


async def test_a_job_returns_what_it_returned(store: Store) -> None:
    assert await store.run(lambda tx: ("any", "thing")) == ("any", "thing")


async def test_a_job_that_raises_undoes_only_itself(store: Store) -> None:
    def sour(tx: Transaction) -> None:
        keep(tx)
        tx.put_note("sour", "yes")
        raise LookupError("no")

    jobs: list[Callable[[Transaction], object]] = [keep, sour, keep, sour, keep]
    results = await asyncio.gather(*map(store.run, jobs), return_exceptions=True)
    assert [type(each) for each in results] == [Kept, LookupError, Kept, LookupError, Kept]
    assert store.read(lambda view: view.tally()).messages == {Status.WAITING: 3}
    assert store.read(lambda view: view.note("sour")) is None


async def test_a_job_may_raise_what_a_future_cannot_carry(store: Store) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await store.run(lambda tx: next(iter(())))


async def test_jobs_of_one_group_see_each_other_in_order(store: Store) -> None:
    async def count_after_keeping() -> int:
        return await store.run(lambda tx: (keep(tx), len(tx.messages()))[1])

    seen = await asyncio.gather(*(count_after_keeping() for _ in range(8)))
    assert seen == list(range(1, 9))


async def test_a_read_sees_one_moment(store: Store) -> None:
    begun, kept = threading.Event(), threading.Event()

    def twice(view: View) -> tuple[int, int]:
        before = len(view.messages())
        begun.set()
        kept.wait(PATIENCE)
        return before, len(view.messages())

    reading = asyncio.ensure_future(asyncio.to_thread(store.read, twice))
    await asyncio.to_thread(begun.wait, 10)
    await store.run(keep)
    kept.set()
    assert await reading == (0, 0)
    assert len(store.read(lambda view: view.messages())) == 1


async def test_a_waiter_that_gave_up_harms_nobody(store: Store) -> None:
    impatient = asyncio.ensure_future(store.run(keep))
    await asyncio.sleep(0)
    impatient.cancel()
    kept = await store.run(keep)
    assert store.read(lambda view: view.message(kept.id)) is not None


async def test_nothing_waits_when_nothing_was_handed_in(store: Store) -> None:
    await store.run(keep)
    assert store.pressure == 0


async def test_what_waits_is_finished_before_closing(reopen: Callable[[], Store]) -> None:
    store = reopen()
    waiting = [asyncio.ensure_future(store.run(keep)) for _ in range(50)]
    await asyncio.sleep(0)
    await store.close()
    ids = [(await each).id for each in waiting]
    again = reopen()
    assert again.read(lambda view: len(view.messages(limit=100))) == len(ids) == 50
    await again.close()


async def test_a_closed_store_keeps_nothing(reopen: Callable[[], Store]) -> None:
    store = reopen()
    await store.close()
    await store.close()
    with pytest.raises(StoreBusy, match="closing"):
        await store.run(keep)


async def test_below_the_watermark_nothing_new_is_kept_but_work_goes_on(url: str) -> None:
    store = open_store(url, free_bytes=2**62, clock=lambda: 0.0)
    try:
        with pytest.raises(StoreBusy, match="free space"):
            await store.run(keep)
        with pytest.raises(StoreBusy, match="free space"):
            await store.run(lambda tx: tx.quarantine("default", "peer", "junk", b"x", 1.0))
        await store.run(lambda tx: tx.put_note("paused", "yes"))
        assert store.read(lambda view: view.tally()).messages == {}
    finally:
        await store.close()


async def test_a_view_reads_beside_a_running_store_and_after_it(
    reopen: Callable[[], Store], url: str
) -> None:
    store = reopen()
    await store.run(keep)
    assert len(open_view(url).messages()) == 1
    await store.close()
    assert len(open_view(url).messages()) == 1


@pytest.mark.parametrize("address", ["mongodb://host/db", "bridge.db", ""])
def test_a_url_of_an_unknown_kind_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="No store is known"):
        open_store(address, free_bytes=0, clock=lambda: 0.0)
    with pytest.raises(StoreUnusable, match="No store is known"):
        open_view(address)
