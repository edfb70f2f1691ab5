"""Pausing: deliveries that people pause, resume, and have tried again at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

import structlog

from bridge.delivery import Target
from bridge.pipeline.channels import channel_names
from bridge.pipeline.delivery.deliver import Deliver
from bridge.pipeline.delivery.hospital import ToHospital
from bridge.pipeline.delivery.pauses import PAUSED_NOTE, Destination, Pauses, Selection
from bridge.pipeline.delivery.pausing import is_known, numbers, waits
from bridge.pipeline.delivery.zauto import ToZauto
from bridge.reports.destinations import RESUMED_NOTE, resumed_note
from bridge.settings import Settings
from bridge.store.contract import Store, Transaction


@dataclass(eq=False)
class Pausing:
    """Holds what is paused, over a restart too, and has the destinations keep to it."""

    store: Store
    settings: Settings
    #: names of ZautoAI's resources
    resources: Collection[str]
    delivers: Mapping[Target, Deliver]
    ends: Collection[ToZauto | ToHospital]
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        self._log = structlog.get_logger()
        self._keep_to(Pauses.read(self.store.read(lambda view: view.note(PAUSED_NOTE))))

    async def pause(self, paused: bool, selection: Selection) -> None:
        """Stop or let go delivery, of all or of a selection; kept over a restart."""
        self._check(selection)
        pauses = self._changed(paused, selection)
        # Before what waited for it is ready, else that would be paused again.
        self._keep_to(pauses)

        def keep(tx: Transaction) -> None:
            tx.put_note(PAUSED_NOTE, pauses.note())
            for target in Target:
                tx.end_waits(target, self.clock(), paused_only=True)

        await self.store.run(keep)
        self._wake()
        self._log.info(
            "delivery paused" if paused else "delivery resumed",
            paused=paused,
            target=_target(selection),
            resource=selection.resource,
            channel=selection.channel,
        )

    async def try_now(self, selection: Selection, reason: str = "") -> None:
        """Make calls at once that wait for their next attempt, of a selection that was resumed; a
        wait after a 429 ends only with a reason, which is kept."""
        if selection.by_message:
            await self._try_some(selection)
        else:
            await self.store.run(lambda tx: self._end_waits(tx, selection, reason))
        self._wake()
        self._log.warning(
            "waits ended",
            target=_target(selection),
            resource=selection.resource,
            channel=selection.channel,
        )

    def knows(self, patient: str) -> bool:
        """Whether a pause of this patient is of somebody who was seen before."""
        return self.store.read(lambda view: is_known(view, patient))

    async def _try_some(self, selection: Selection) -> None:
        """End the waits of single deliveries; what stops all calls, or a resource's, goes on."""
        now = self.clock()
        for target in Target:
            find = partial(waits, target=target, now=now, selection=selection)
            heads = await asyncio.to_thread(self.store.read, find)
            await self.store.run(partial(_end_waits_of, heads=heads, target=target, now=now))

    def _end_waits(self, tx: Transaction, selection: Selection, reason: str) -> None:
        now = self.clock()
        destination, resource = selection.destination, selection.resource
        for end in self.ends:
            if isinstance(end, ToZauto) and destination is not Destination.HOSPITAL:
                end.resume(tx, now, resource, limited=bool(reason))
        if destination is not Destination.ZAUTOAI and not resource:
            tx.end_waits(Target.HOSPITAL, now)
        if reason:
            tx.put_note(RESUMED_NOTE, resumed_note(now, reason))

    def _wake(self) -> None:
        for deliver in self.delivers.values():
            deliver.wake()

    def _keep_to(self, pauses: Pauses) -> None:
        self.pauses = pauses
        for each in Destination:
            if each.target in self.delivers:
                self.delivers[each.target].paused = each in pauses.destinations
        for end in self.ends:
            end.pauses = pauses

    def _changed(self, paused: bool, selection: Selection) -> Pauses:
        """The pauses once a selection is paused or resumed; of one patient's numbers no more than
        one stays."""
        pauses = self.pauses
        if selection.patient and pauses.patients:
            same = self.store.read(lambda view: numbers(view, selection.patient))
            pauses = replace(pauses, patients=pauses.patients - same)
        return pauses.paused(selection) if paused else pauses.resumed(selection)

    def _check(self, selection: Selection) -> None:
        """Raise BridgeError where a selection cannot be; a channel that left the settings while it
        was paused can be resumed."""
        selection.check(self.resources, channel_names(self.settings) | self.pauses.channels)


def _end_waits_of(tx: Transaction, heads: frozenset[int], target: Target, now: float) -> None:
    tx.end_waits_of(heads, target, now)


def _target(selection: Selection) -> str:
    """What a selection is of, for the log: that it is of one patient, but not which."""
    if selection.by_message:
        return "patient" if selection.patient else "channel"
    return str(selection.destination or "all")
