"""Resting until there is work, and ending what is under way."""

from __future__ import annotations

import asyncio

import pytest

from bridge.pipeline.tasks import finish, rest


async def test_a_rest_ends_when_it_is_woken() -> None:
    woken = asyncio.Event()
    resting = asyncio.create_task(rest(woken, 3600))
    woken.set()
    await resting


async def test_a_rest_ends_after_its_time() -> None:
    await rest(asyncio.Event(), 0)


async def test_a_cancellation_that_comes_with_the_waking_is_not_lost() -> None:
    woken = asyncio.Event()
    resting = asyncio.create_task(rest(woken, 3600))
    await asyncio.sleep(0)
    woken.set()
    resting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await resting


async def test_what_is_late_is_cancelled_and_the_rest_let_end() -> None:
    going = asyncio.Event()
    going.set()
    early = asyncio.create_task(rest(going, 3600))
    late = asyncio.create_task(rest(asyncio.Event(), 3600))
    await finish({early, late}, 0.01)
    assert (early.cancelled(), late.cancelled()) == (False, True)


async def test_nothing_under_way_is_no_trouble() -> None:
    await finish(set(), 0)
