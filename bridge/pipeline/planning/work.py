"""Work: take what was kept, in commit order, through translate and plan.

A message is translated and planned in one transaction, so that what one message teaches (a
patient's reference, a visit) is known to the next, and a crash repeats nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog

from bridge.causes import Cause, CauseKind
from bridge.delivery import Translation
from bridge.errors import DamagedMessage, StoreError
from bridge.mapping.engine.sets import InUse
from bridge.message import Status
from bridge.metrics import Metrics
from bridge.pipeline.planning.plan import plan
from bridge.pipeline.planning.translate import translate
from bridge.remarks import Remark, RemarkCode
from bridge.settings import Settings
from bridge.store.contract import Store, Transaction
from bridge.store.messages import MessageView, identity_prefix
from bridge.store.records import KeptMessage
from bridge.zauto.catalogue import Catalogue

#: messages in one transaction: few while senders wait, because they wait for its commit too
BATCH = 32
BATCH_WHILE_BUSY = 4
#: while senders wait, this many times a batch's own time is left to them
YIELD_FACTOR = 4.0
#: seconds left for more to come in before a batch is begun: a transaction a message would halve
#: what can be acknowledged
GATHER_SECONDS = 0.02
STORE_RETRY_SECONDS = 1.0
#: the most that is left to senders at once, however slow a batch was or far the clock was set
LONGEST_YIELD = 1.0


class Work:
    """Translates and plans until cancelled."""

    def __init__(
        self,
        store: Store,
        mappings: InUse,
        catalogue: Catalogue,
        settings: Settings,
        *,
        clock: Callable[[], float],
        metrics: Metrics,
        busy: Callable[[], bool],
        planned: Callable[[], None],
    ) -> None:
        """`busy` says whether senders are waiting now; `planned` tells deliver of work."""
        self._store = store
        self._mappings = mappings
        self._catalogue = catalogue
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._busy = busy
        self._planned = planned
        self._woken = asyncio.Event()
        self._log = structlog.get_logger()

    def wake(self) -> None:
        """Something was kept."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._woken.clear()
            started = self._clock()
            try:
                done = await self.once()
            except StoreError as error:
                self._log.error("store cannot be written", error=type(error).__name__)
                await asyncio.sleep(STORE_RETRY_SECONDS)
                continue
            if not done:
                await self._rest()
            elif self._busy():
                taken = self._clock() - started
                await asyncio.sleep(min(taken * YIELD_FACTOR, LONGEST_YIELD))

    async def once(self) -> int:
        """Take one batch through; returns how many messages it held."""
        try:
            done = await self._store.run(self._batch)
        except DamagedMessage as error:
            done = await self._park_damaged(error)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one message must not end the service
            # A fault of ours in one message undid its whole batch: find the one, park it.
            self._log.exception("a batch failed", error=type(error).__name__)
            done = await self._one_by_one()
        if done:
            self._planned()
        return done

    async def _rest(self) -> None:
        await self._woken.wait()
        await asyncio.sleep(GATHER_SECONDS)

    def _batch(self, tx: Transaction) -> int:
        batch = tx.untranslated(BATCH_WHILE_BUSY if self._busy() else BATCH)
        for kept in batch:
            self._take(tx, kept)
        return len(batch)

    def _take_one(self, tx: Transaction, message_id: int) -> None:
        kept = tx.lease(message_id)
        if kept is not None:
            self._take(tx, kept)

    def _take(self, tx: Transaction, kept: KeptMessage) -> None:
        mappings = self._mappings.of(kept.message.channel)
        translation = translate(kept.message, mappings, self._settings, tx)
        if translation is not None and kept.message.control_id:
            translation = _with_reuse(tx, kept, translation)
        same = mappings.site.same_authorities
        plan(tx, kept, translation, self._catalogue, self._clock(), same)

    async def _one_by_one(self) -> int:
        try:
            batch = self._store.read(lambda view: view.untranslated(BATCH))
        except DamagedMessage as error:
            return await self._park_damaged(error)
        for kept in batch:
            try:
                await self._store.run(partial(self._take_one, message_id=kept.id))
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - as in `once`
                # The message is parked for a person, and the log names the place
                # without the message's content.
                self._log.exception("translation failed", message=kept.id)
                await self._store.run(partial(self._park, message_id=kept.id, error=error))
        return len(batch)

    async def _park_damaged(self, error: DamagedMessage) -> int:
        await self._store.run(partial(self._park, message_id=error.message_id, error=error))
        return 1

    def _park(self, tx: Transaction, message_id: int, error: Exception) -> None:
        cause = Cause(CauseKind.BRIDGE_FAULT, name=type(error).__name__)
        tx.mark(message_id, Status.PARKED, at=self._clock(), cause=cause)


def _with_reuse(view: MessageView, kept: KeptMessage, translation: Translation) -> Translation:
    """Remark on a control id that came before with other bytes: to its sender it is a message
    sent again, and it may wonder at two."""
    message = kept.message
    earlier = view.earlier(identity_prefix(message.control_id), message, kept.id)
    if earlier is None:
        return translation
    remark = Remark(RemarkCode.CONTROL_ID_REUSED, "MSH-10", str(earlier))
    return replace(translation, warnings=(remark, *translation.warnings))
