"""Sweep: what time alone brings about.

What was held too long is parked for a person. An application acknowledgment that could not be sent
for as long is given up. A record about which a request went unanswered is read a second time. Of
codes without a row that nobody waits for, those met long ago are forgotten.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bridge.causes import Cause, CauseKind
from bridge.errors import Damaged
from bridge.pipeline.delivery.second_read import add_second_read
from bridge.pipeline.tasks import repeat
from bridge.store.contract import Store, Transaction
from bridge.zauto.catalogue import Catalogue

#: seconds between two sweeps
EVERY = 30.0
#: messages and deliveries in one transaction: senders wait for its commit too
BATCH = 100
HOUR = 3600.0
#: codes without a row, which nobody waits for, that are kept: as many as `bridge codes` lists
MOST_CODES = 1_000
#: counts of remarks that are kept, a sender, path and code each
MOST_REMARKS = 1_000
#: seconds ahead that nothing is put off for
_NEVER_LATER = 86_400.0


class Sweep:
    """Sweeps until cancelled."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        *,
        hold_hours: float,
        clock: Callable[[], float],
        planned: Callable[[], None],
    ) -> None:
        """`planned` tells deliver of work."""
        self._store = store
        self._catalogue = catalogue
        self._hold_seconds = hold_hours * HOUR
        self._hours = f"{hold_hours:g}"
        self._clock = clock
        self._planned = planned
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Sweep until cancelled."""
        await repeat(self.once, EVERY)

    async def once(self) -> None:
        """Do all that is due, batch by batch."""
        while await self._store.run(self._park):
            pass
        while await self._store.run(self._look_again):
            self._planned()
        await self._store.run(lambda tx: tx.forget_codes(MOST_CODES))
        await self._store.run(lambda tx: tx.forget_remarks(MOST_REMARKS))
        await self._store.run(self._abandon)

    def _abandon(self, tx: Transaction) -> None:
        now = self._clock()
        cause = Cause(CauseKind.NOT_SENT_IN_TIME, name=self._hours)
        abandoned = tx.abandon_acknowledgments(now - self._hold_seconds, cause, now)
        if abandoned:
            self._log.warning("application acknowledgments given up", count=abandoned)

    def _park(self, tx: Transaction) -> bool:
        now = self._clock()
        parked = tx.park_long_held(now - self._hold_seconds, self._hours, now, BATCH)
        if parked:
            self._log.warning("held for too long", parked=parked)
        return parked >= BATCH

    def _look_again(self, tx: Transaction) -> bool:
        now = self._clock()
        due = tx.take_again(now, now + _NEVER_LATER, BATCH)
        for again in due:
            try:
                add_second_read(tx, self._catalogue, again, now)
            except Damaged:
                # nothing can be made of it, and it must not keep others from being read again
                self._log.error("damaged record not read again", message=again.message_id)
        return bool(due)
