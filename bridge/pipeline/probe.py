"""Probe: write a small change from time to time.

So that a disk that fails, or works again, is known although nobody sends anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bridge.errors import StoreError
from bridge.store.contract import Store

#: seconds between two changes; each is one commit of a few hundred bytes
EVERY = 10.0
#: name of the note that is written: when the store was last probed, seconds since the epoch
PROBED_NOTE = "probed"


class Probe:
    """Probes the store until cancelled."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._failing = False
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Probe until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(EVERY)

    async def once(self) -> None:
        """Commit one change; the store remembers whether it worked, and the log has each turn."""
        now = f"{self._clock():.0f}"
        try:
            await self._store.run(lambda tx: tx.put_note(PROBED_NOTE, now))
        except StoreError as error:
            if not self._failing:
                self._log.error("store cannot be written", error=type(error).__name__)
            self._failing = True
        else:
            if self._failing:
                self._log.info("store can be written again")
            self._failing = False
