"""Tasks: how what carries work on rests until there is some, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

import structlog

from bridge.errors import StoreError


async def rest(woken: asyncio.Event, seconds: float) -> None:
    """Return when it is set, or after so many seconds.

    Not `asyncio.wait_for`: up to Python 3.11 that swallows a cancellation that comes with the
    waking.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()


async def repeat(look: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Look every so many seconds until cancelled; a store that cannot be written is logged."""
    log = structlog.get_logger()
    while True:
        try:
            await look()
        except StoreError as error:
            log.error("store cannot be written", error=type(error).__name__)
        await asyncio.sleep(seconds)


async def finish(under_way: Collection[asyncio.Task[None]], grace: float) -> None:
    """Give what is under way this many seconds, then cancel it."""
    if under_way:
        _, late = await asyncio.wait(under_way, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
