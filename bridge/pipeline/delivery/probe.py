"""Probe: write the time from time to time.

So a disk that fails, or works again, is known although nobody sends anything; and the next start
notices when the clock was set back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bridge.errors import StoreError
from bridge.store.contract import Store

#: seconds between two changes; each is one commit of a few hundred bytes
EVERY = 10.0


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
        try:
            await self._store.run(lambda tx: tx.note_time(self._clock()))
        except StoreError as error:
            if not self._failing:
                self._log.error("store cannot be written", error=type(error).__name__)
            self._failing = True
        else:
            if self._failing:
                self._log.info("store can be written again")
            self._failing = False
