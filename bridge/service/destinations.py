"""The destinations of a running service: built, paused, tried again at once, and stopped."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from twisted.internet.interfaces import IReactorTCP

from bridge.delivery import Target
from bridge.hl7v2.grammar import check_structure
from bridge.metrics import Metrics
from bridge.pipeline.channels import channel_names
from bridge.pipeline.delivery.deliver import Deliver
from bridge.pipeline.delivery.hospital import ToHospital
from bridge.pipeline.delivery.pauses import PAUSED_NOTE, Destination, Pauses, Selection
from bridge.pipeline.delivery.pausing import is_known, numbers, waits
from bridge.pipeline.delivery.zauto import ToZauto
from bridge.reports import destinations as report
from bridge.senders.mllp import MllpSender
from bridge.service.zauto import ZautoEnd
from bridge.settings import Settings
from bridge.store.contract import Store, Transaction, View
from bridge.zauto.catalogue import Catalogue


class Destinations:
    """ZautoAI and the hospital, as far as they are set up."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        catalogue: Catalogue,
        *,
        reactor: IReactorTCP,
        clock: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        """Takes up what was counted, closed and paused before the last stop."""
        self._store = store
        self._settings = settings
        self._catalogue = catalogue
        self._clock = clock
        self._metrics = metrics
        self._log = structlog.get_logger()
        self.delivers: dict[Target, Deliver] = {}
        self._ends: list[ToZauto | ToHospital] = []
        self.zauto = self._zauto()
        self._hospital = self._to_hospital(reactor)
        self._set_pauses(Pauses.read(store.read(lambda view: view.note(PAUSED_NOTE))))

    def wake(self) -> None:
        """There may be something to deliver."""
        for deliver in self.delivers.values():
            deliver.wake()

    async def stop(self, grace: float) -> None:
        """Give deliveries under way this many seconds."""
        await asyncio.gather(*(each.stop(grace) for each in self.delivers.values()))

    async def close(self) -> None:
        """Close the connections."""
        if self._hospital is not None:
            self._hospital.close()
        if self.zauto is not None:
            await self.zauto.close()

    async def pause(self, paused: bool, selection: Selection) -> None:
        """Stop or let go delivery, of all or of a selection; kept over a restart."""
        self._check(selection)
        pauses = self._changed(paused, selection)
        # Before what waited for it is ready, else that would be paused again.
        self._set_pauses(pauses)

        def keep(tx: Transaction) -> None:
            tx.put_note(PAUSED_NOTE, pauses.note())
            for target in Target:
                tx.end_waits(target, self._clock(), paused_only=True)

        await self._store.run(keep)
        self.wake()
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
            await self._store.run(lambda tx: self._end_waits(tx, selection, reason))
        self.wake()
        self._log.warning(
            "waits ended",
            target=_target(selection),
            resource=selection.resource,
            channel=selection.channel,
        )

    async def _try_some(self, selection: Selection) -> None:
        """End the waits of single deliveries; what stops all calls, or a resource's, goes on."""
        now = self._clock()
        for target in Target:
            find = partial(waits, target=target, now=now, selection=selection)
            heads = await asyncio.to_thread(self._store.read, find)
            await self._store.run(partial(_end_waits_of, heads=heads, target=target, now=now))

    def _end_waits(self, tx: Transaction, selection: Selection, reason: str) -> None:
        now = self._clock()
        destination, resource = selection.destination, selection.resource
        if destination is not Destination.HOSPITAL and self.zauto is not None:
            self.zauto.far_end.resume(tx, now, resource, limited=bool(reason))
        if destination is not Destination.ZAUTOAI and not resource:
            tx.end_waits(Target.HOSPITAL, now)
        if reason:
            tx.put_note(report.RESUMED_NOTE, report.resumed_note(now, reason))

    def knows(self, patient: str) -> bool:
        """Whether a pause of this patient is of somebody who was seen before."""
        return self._store.read(lambda view: is_known(view, patient))

    def move(self, view: View, seconds: float) -> None:
        """The clock was set by so many seconds, and what the store keeps was moved."""
        if self.zauto is not None:
            self.zauto.far_end.calls.shift(view, seconds)
            self.zauto.far_end.take_up_stops(view)
        for deliver in self.delivers.values():
            deliver.health.take_up(view)

    def rows(self) -> list[dict[str, Any]]:
        """Each destination: whether it is paused, takes nothing, or is not called."""
        return [self._row(each) for each in Destination]

    def budget(self) -> dict[str, Any] | None:
        """Calls used, the limit, the wait of a new registration, and when all have gone."""
        if self.zauto is None:
            return None
        waiting = self._store.read(lambda view: view.waiting(Target.ZAUTO))
        deliver = self.delivers[Target.ZAUTO]
        return self.zauto.budget(waiting, moving=not deliver.paused and not deliver.health.trouble)

    def _row(self, destination: Destination) -> dict[str, Any]:
        now, deliver = self._clock(), self.delivers.get(destination.target)
        closed = {}
        if destination is Destination.ZAUTOAI and self.zauto is not None:
            closed = dict(self.zauto.far_end.breakers.all(now))
        due = self._store.read(lambda view: view.next_due(destination.target))
        return report.destination_row(
            self._settings,
            destination,
            self.pauses,
            closed=closed,
            trouble=deliver.health.trouble if deliver else None,
            next_try=None if due is None else max(due, now),
        )

    def _zauto(self) -> ZautoEnd | None:
        zauto = self._settings.zauto
        if not (zauto.base_url and zauto.client_id and zauto.client_secret):
            return None
        made = ZautoEnd(
            self._settings,
            self._catalogue,
            self._store,
            clock=self._clock,
            jitter=_jitter,
            settled=self._metrics.settled,
        )
        self._store.read(made.take_up)
        self._add(made.far_end, zauto.connections)
        self._metrics.watch_budget(made.gauge)
        self._metrics.watch_contract(made.contract)
        return made

    def _to_hospital(self, reactor: IReactorTCP) -> MllpSender | None:
        if self._settings.hospital.port is None:
            return None
        sender = MllpSender(self._settings.hospital, reactor=reactor)
        end = ToHospital(
            sender.send,
            jitter=_jitter,
            settled=self._metrics.settled,
            check_structure=check_structure,
        )
        self._add(end, 1)
        return sender

    def _add(self, end: ToZauto | ToHospital, concurrency: int) -> None:
        self._ends.append(end)
        deliver = Deliver(
            self._store, end, concurrency=concurrency, clock=self._clock, metrics=self._metrics
        )
        self._store.read(deliver.health.take_up)
        self.delivers[end.target] = deliver

    def _set_pauses(self, pauses: Pauses) -> None:
        self.pauses = pauses
        for each in Destination:
            if each.target in self.delivers:
                self.delivers[each.target].paused = each in pauses.destinations
        for end in self._ends:
            end.pauses = pauses

    def _changed(self, paused: bool, selection: Selection) -> Pauses:
        """The pauses once a selection is paused or resumed; of one patient's numbers no more than
        one stays."""
        pauses = self.pauses
        if selection.patient and pauses.patients:
            same = self._store.read(lambda view: numbers(view, selection.patient))
            pauses = replace(pauses, patients=pauses.patients - same)
        return pauses.paused(selection) if paused else pauses.resumed(selection)

    def _check(self, selection: Selection) -> None:
        """Raise BridgeError where a selection cannot be; a channel that left the settings while it
        was paused can be resumed."""
        channels = channel_names(self._settings) | self.pauses.channels
        selection.check(self._catalogue.resources.keys(), channels)


def _end_waits_of(tx: Transaction, heads: frozenset[int], target: Target, now: float) -> None:
    tx.end_waits_of(heads, target, now)


def _target(selection: Selection) -> str:
    """What a selection is of, for the log: that it is of one patient, but not which."""
    if selection.by_message:
        return "patient" if selection.patient else "channel"
    return str(selection.destination or "all")


def _jitter() -> float:
    """Waits differ by up to a fifth, so that lanes that failed together do not retry together; none
    is shorter than the far end asked for."""
    return random.uniform(1.0, 1.2)
