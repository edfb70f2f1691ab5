"""The destinations of a running service: built, woken, reported, and stopped."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTCP

from bridge.delivery import Target
from bridge.hl7v2.grammar import check_structure
from bridge.metrics import Metrics
from bridge.pipeline.delivery.deliver import Deliver
from bridge.pipeline.delivery.hospital import ToHospital
from bridge.pipeline.delivery.pauses import Destination
from bridge.pipeline.delivery.zauto import ToZauto
from bridge.reports import destinations as report
from bridge.reports.status import BudgetReport
from bridge.senders.mllp import MllpSender
from bridge.service.pausing import Pausing
from bridge.service.zauto import ZautoEnd
from bridge.settings import Settings
from bridge.store.contract import Store, View
from bridge.zauto.catalogue import Catalogue


@dataclass(eq=False)
class Destinations:
    """ZautoAI and the hospital, as far as they are set up.

    What was counted, closed and paused before the last stop is taken up.
    """

    store: Store
    settings: Settings
    catalogue: Catalogue
    reactor: IReactorTCP
    clock: Callable[[], float]
    metrics: Metrics

    def __post_init__(self) -> None:
        self.delivers: dict[Target, Deliver] = {}
        self._ends: list[ToZauto | ToHospital] = []
        self.zauto = self._zauto()
        self._hospital = self._to_hospital()
        resources = self.catalogue.resources.keys()
        self.pausing = Pausing(
            self.store, self.settings, resources, self.delivers, self._ends, self.clock
        )

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

    def move(self, view: View, seconds: float) -> None:
        """The clock was set by so many seconds, and what the store keeps was moved."""
        if self.zauto is not None:
            self.zauto.far_end.calls.shift(view, seconds)
            self.zauto.far_end.take_up_stops(view)
        for deliver in self.delivers.values():
            deliver.health.take_up(view)

    def rows(self) -> list[report.DestinationRow]:
        """Each destination: whether it is paused, takes nothing, or is not called."""
        return [self._row(each) for each in Destination]

    def budget(self) -> BudgetReport | None:
        """Calls used, the limit, the wait of a new registration, and when all have gone."""
        if self.zauto is None:
            return None
        waiting = self.store.read(lambda view: view.waiting(Target.ZAUTO))
        deliver = self.delivers[Target.ZAUTO]
        return self.zauto.budget(waiting, moving=not deliver.paused and not deliver.health.trouble)

    def _row(self, destination: Destination) -> report.DestinationRow:
        now, deliver = self.clock(), self.delivers.get(destination.target)
        breakers = {}
        if destination is Destination.ZAUTOAI and self.zauto is not None:
            breakers = dict(self.zauto.far_end.breakers.all(now))
        due = self.store.read(lambda view: view.next_due(destination.target))
        return report.destination_row(
            self.settings,
            destination,
            self.pausing.pauses,
            breakers=breakers,
            trouble=deliver.health.trouble if deliver else None,
            next_try=None if due is None else max(due, now),
        )

    def _zauto(self) -> ZautoEnd | None:
        zauto = self.settings.zauto
        if not (zauto.base_url and zauto.client_id and zauto.client_secret):
            return None
        made = ZautoEnd(
            self.settings, self.catalogue, self.store, self.clock, _jitter, self.metrics.settled
        )
        self.store.read(made.take_up)
        self._add(made.far_end, zauto.connections)
        self.metrics.watch_budget(made.gauge)
        self.metrics.watch_contract(made.contract)
        return made

    def _to_hospital(self) -> MllpSender | None:
        if self.settings.hospital.port is None:
            return None
        sender = MllpSender(self.settings.hospital, reactor=self.reactor)
        end = ToHospital(
            sender.send,
            jitter=_jitter,
            settled=self.metrics.settled,
            check_structure=check_structure,
        )
        self._add(end, 1)
        return sender

    def _add(self, end: ToZauto | ToHospital, concurrency: int) -> None:
        self._ends.append(end)
        deliver = Deliver(
            self.store, end, concurrency=concurrency, clock=self.clock, metrics=self.metrics
        )
        self.store.read(deliver.health.take_up)
        self.delivers[end.target] = deliver


def _jitter() -> float:
    """Waits differ by up to a fifth, so that lanes that failed together do not retry together; none
    is shorter than the far end asked for."""
    return random.uniform(1.0, 1.2)
