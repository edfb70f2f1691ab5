"""The destinations of a running service: built, paused, tried again at once, and stopped."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import structlog
from twisted.internet.interfaces import IReactorTCP

from bridge.delivery import Target
from bridge.errors import BridgeError
from bridge.hl7v2.grammar import check_structure
from bridge.metrics import Metrics
from bridge.pipeline import destination_report as report
from bridge.pipeline.deliver import Deliver
from bridge.pipeline.pauses import PAUSED_NOTE, Destination, Pauses
from bridge.pipeline.to_hospital import ToHospital
from bridge.pipeline.to_zauto import ToZauto
from bridge.senders.mllp import MllpSender
from bridge.service.zauto import ZautoEnd
from bridge.settings import Settings
from bridge.store.contract import Store, Transaction
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

    async def pause(
        self, paused: bool, *, destination: Destination | None = None, resource: str = ""
    ) -> None:
        """Stop or let go delivery, of all or of what is named; kept over a restart."""
        self._refuse_unknown(destination, resource)
        change = self.pauses.paused if paused else self.pauses.resumed
        pauses = change(destination, resource)
        # Before what waited for it is ready, else that would be paused again.
        self._set_pauses(pauses)

        def keep(tx: Transaction) -> None:
            tx.put_note(PAUSED_NOTE, pauses.note())
            tx.end_waits(Target.ZAUTO, self._clock(), paused_only=True)

        await self._store.run(keep)
        self.wake()
        self._log.info(
            "delivery paused" if paused else "delivery resumed",
            paused=paused,
            target=str(destination or "all"),
            resource=resource,
        )

    async def try_now(
        self, *, destination: Destination | None = None, resource: str = "", reason: str = ""
    ) -> None:
        """Make calls at once that wait for their next attempt; a wait after a 429 ends only with
        a reason, which is kept."""
        self._refuse_unknown(destination, resource)
        now = self._clock()

        def end_waits(tx: Transaction) -> None:
            if destination is not Destination.HOSPITAL and self.zauto is not None:
                self.zauto.far_end.resume(tx, now, resource, limited=bool(reason))
            if destination is not Destination.ZAUTOAI and not resource:
                tx.end_waits(Target.HOSPITAL, now)
            if reason:
                tx.put_note(report.RESUMED_NOTE, report.resumed_note(now, reason))

        await self._store.run(end_waits)
        self.wake()
        self._log.warning("waits ended", target=str(destination or "all"), resource=resource)

    def rows(self) -> list[dict[str, Any]]:
        """Each destination: whether it is paused, takes nothing, or is not called."""
        return [self._row(each) for each in Destination]

    def budget(self) -> dict[str, Any] | None:
        """Calls used, the limit, the wait of a new registration, and when all have gone."""
        if self.zauto is None:
            return None
        waiting = self._store.read(lambda view: view.waiting(Target.ZAUTO))
        deliver = self.delivers[Target.ZAUTO]
        return self.zauto.budget(waiting, moving=not deliver.paused and not deliver.trouble)

    def _row(self, destination: Destination) -> dict[str, Any]:
        now, deliver = self._clock(), self.delivers.get(destination.target)
        closed = {}
        if destination is Destination.ZAUTOAI and self.zauto is not None:
            closed = dict(self.zauto.far_end.closings.all(now))
        due = self._store.read(lambda view: view.next_due(destination.target))
        return report.destination_row(
            self._settings,
            destination,
            self.pauses,
            closed=closed,
            trouble=deliver.trouble if deliver else None,
            next_try=None if due is None else max(due, now),
        )

    def _zauto(self) -> ZautoEnd | None:
        zauto = self._settings.zauto
        if not (zauto.base_url and zauto.client_id and zauto.client_secret):
            return None
        made = ZautoEnd(
            self._settings,
            self._catalogue,
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
        self.delivers[end.target] = Deliver(
            self._store, end, concurrency=concurrency, clock=self._clock, metrics=self._metrics
        )

    def _set_pauses(self, pauses: Pauses) -> None:
        self.pauses = pauses
        for each in Destination:
            if each.target in self.delivers:
                self.delivers[each.target].paused = each in pauses.destinations
        if self.zauto is not None:
            self.zauto.far_end.paused = pauses.resources

    def _refuse_unknown(self, destination: Destination | None, resource: str) -> None:
        """Raise BridgeError where ZautoAI has no such resource."""
        if resource and destination is Destination.HOSPITAL:
            raise BridgeError("the hospital has no resources: leave --destination out")
        if resource and resource not in self._catalogue:
            known = ", ".join(sorted(self._catalogue.resources))
            raise BridgeError(f"there is no resource '{resource}'; there are {known}")


def _jitter() -> float:
    """Waits differ by up to a fifth, so that lanes that failed together do not retry together; none
    is shorter than the far end asked for."""
    return random.uniform(1.0, 1.2)
