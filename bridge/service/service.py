"""The service: the only place that knows every room. It starts them and stops them."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import structlog

from bridge.listeners import fhir, health, http, push
from bridge.metrics import Metrics
from bridge.pipeline.delivery.timekeeper import Timekeeper, redate_at_start
from bridge.service.answers import answers
from bridge.service.background import BackgroundWork
from bridge.service.control import ControlSocket, socket_path
from bridge.service.doors import Addresses, Doors, MllpDoors
from bridge.service.parts import CheckedParts
from bridge.service.pipeline import Pipeline
from bridge.service.reactor import GuestReactor, start_reactor, stop_reactor
from bridge.service.readiness import not_ready
from bridge.service.status import ServiceStatus
from bridge.service.web import WebServer
from bridge.settings import Settings
from bridge.store.contract import Store
from bridge.store.open import open_store, place_of

#: seconds the MLLP door has to answer what is committed (beside it the HTTP door has five), and
#: then deliveries under way to end: together below the ten in which a stop ends
DOOR_GRACE = 2.0
DELIVERY_GRACE = 2.0


class Service:
    """One bridge, from settings to doors."""

    def __init__(self, settings: Settings, parts: CheckedParts) -> None:
        self.settings = settings
        self._parts = parts
        self._clock = Timekeeper(time.time, time.monotonic)
        self._metrics = Metrics(parts.sets.message_types)
        self.background = BackgroundWork()
        self._reloading: set[asyncio.Task[Any]] = set()
        self._stopping = AsyncExitStack()

    async def start(self) -> Addresses:
        """Start from the far ends towards the doors: a door opens when all behind it stands.

        What `stop` does, in the reverse order, is named behind the part that it ends.
        """
        settings, stopping = self.settings, self._stopping
        url, free_bytes = settings.store.url, settings.store.free_bytes
        store = self.store = open_store(url, free_bytes=free_bytes, clock=self._clock)
        stopping.push_async_callback(store.close)
        await self._recover(store)
        reactor = start_reactor(asyncio.get_running_loop())
        stopping.callback(stop_reactor, reactor)
        pipeline = self.pipeline = Pipeline(
            store, settings, self._parts, reactor, self._clock, self._metrics
        )
        stopping.push_async_callback(pipeline.close)
        await pipeline.reload.take_up()
        for name, work in pipeline.endless():
            self.background.begin(name, work)
        stopping.push_async_callback(pipeline.stop, DELIVERY_GRACE)
        stopping.push_async_callback(self.background.stop)
        doors = self.doors = self._build_doors(reactor)
        self.status = ServiceStatus(pipeline, doors.mllp, self.background)
        control = ControlSocket(socket_path(place_of(url)), answers(self.status))
        await control.start()
        stopping.push_async_callback(control.stop)
        self._measure(store)
        stopping.push_async_callback(doors.stop, DOOR_GRACE)
        return await doors.start()

    async def stop(self) -> None:
        """Stop in the reverse order: no more is read, what is committed is answered, then the
        rest ends."""
        await self._stopping.aclose()

    def reload_soon(self) -> None:
        """Take the files of certificates and mappings as they are now, as SIGHUP asks."""
        self.doors.mllp.reload()
        task = asyncio.create_task(self.pipeline.reload.reload(), name="reloading mappings")
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    async def _recover(self, store: Store) -> None:
        """Take up what the last run left, whatever ended it."""
        now, quiet = self._clock(), self.settings.zauto.quiet_seconds
        log = structlog.get_logger()
        await store.run(lambda tx: redate_at_start(tx, now, quiet))
        recovered = await store.run(lambda tx: tx.recover(now, quiet))
        log.info("store open", recovered=recovered)
        mended = await store.run(lambda tx: tx.mend_aliases())
        if any(mended):
            log.error("store damaged", mended=mended.mended, lost=mended.lost)

    def _build_doors(self, reactor: GuestReactor) -> Doors:
        settings, pipeline = self.settings, self.pipeline
        mllp = MllpDoors(
            settings,
            pipeline.intake,
            reactor=reactor,
            clock=self._clock,
            new_id=pipeline.new_id,
            callers=pipeline.callers,
        )
        app = http.make_app(
            [
                fhir.door(pipeline.intake, settings.fhir, settings.http, self._clock),
                push.door(pipeline.intake, settings.orders, settings.http),
            ],
            health.door(
                lambda: not_ready(self.store, self.background.ended()), self._metrics.render
            ),
        )
        return Doors(mllp, WebServer(http.server_config(app, settings.http)))

    def _measure(self, store: Store) -> None:
        """Let metrics read what is counted elsewhere."""
        metrics = self._metrics
        metrics.watch_store(lambda: store.read(lambda view: view.tally()), clock=self._clock)
        metrics.watch_parked(lambda: store.read(lambda view: view.parked_by_cause()))
        metrics.watch_remarks(lambda: store.read(lambda view: view.remark_totals()))
        metrics.watch_certificates(self.doors.mllp.days_left)
