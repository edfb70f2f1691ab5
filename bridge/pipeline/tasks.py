"""Tasks: how what carries work on rests until there is some, and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress


async def rest(woken: asyncio.Event, seconds: float) -> None:
    """Return when it is set, or after so many seconds.

    Not `asyncio.wait_for`: up to Python 3.11 that swallows a cancellation that comes with the
    waking.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()


async def finish(under_way: Collection[asyncio.Task[None]], grace: float) -> None:
    """Give what is under way this many seconds, then cancel it."""
    if under_way:
        _, late = await asyncio.wait(under_way, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
