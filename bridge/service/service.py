"""The service: the only place that knows every room. It builds them, starts and stops them.

Started from the far ends towards the doors (a door opens when all behind it stands), stopped the
other way round: no more is read, what is committed is answered, then the rest ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bridge.errors import BridgeError, StoreError
from bridge.listeners import fhir, health, http, push
from bridge.listeners.callers import Callers
from bridge.mapping.engine.sets import InUse
from bridge.metrics import Metrics
from bridge.notices import Notice, NoticeKind
from bridge.pipeline.delivery.acknowledge import Acknowledge
from bridge.pipeline.delivery.pauses import PAUSED_NOTE
from bridge.pipeline.delivery.probe import Probe
from bridge.pipeline.delivery.sweep import Sweep
from bridge.pipeline.delivery.timekeeper import ClockWatch, Timekeeper, redate_at_start
from bridge.pipeline.intake.keep import Intake
from bridge.pipeline.planning.work import Work
from bridge.reports import destinations as destination_report
from bridge.reports.messages import contract_report
from bridge.senders.acknowledgments import AcknowledgmentSender
from bridge.service.answers import answers
from bridge.service.control import ControlSocket, socket_path
from bridge.service.destinations import Destinations
from bridge.service.doors import MllpDoors
from bridge.service.ids import ids
from bridge.service.parts import CheckedParts
from bridge.service.reactor import start_reactor, stop_reactor
from bridge.service.reload import Reload
from bridge.service.watch import Watch
from bridge.service.web import WebServer
from bridge.settings import Settings
from bridge.store.contract import Store
from bridge.store.open import open_store, place_of

#: seconds the MLLP door has to answer what is committed (beside it the HTTP door has five), and
#: then deliveries under way to end: together below the ten in which a stop ends
DOOR_GRACE = 2.0
DELIVERY_GRACE = 2.0
#: seconds within which something handed in counts as senders waiting
BUSY_SECONDS = 0.05

FULL = "the disk of the store has less free than store.free_bytes"
FAILING = "the store cannot be written"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a started service listens."""

    #: the first MLLP listener's, and those of all by their names
    mllp: tuple[str, int]
    http: tuple[str, int]
    listeners: Mapping[str, tuple[str, int]]


class Service:
    """One bridge, from settings to doors."""

    def __init__(self, settings: Settings, parts: CheckedParts) -> None:
        self.settings = settings
        self._parts = parts
        self.mappings = InUse(parts.sets)
        self._clock = Timekeeper(time.time, time.monotonic)
        self._new_id = ids(self._clock)
        self._metrics = Metrics(parts.sets.message_types)
        self._callers = Callers()
        self._reloading: set[asyncio.Task[Any]] = set()
        self.doors: MllpDoors | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = contextlib.AsyncExitStack()
        self._log = structlog.get_logger()
        self.started_at = self._clock()

    async def start(self) -> Addresses:
        """Open the store, take up what was left, and open the doors."""
        settings = self.settings
        store = self.store = open_store(
            settings.store.url, free_bytes=settings.store.free_bytes, clock=self._clock
        )
        self._stopping.push_async_callback(store.close)
        await self._take_up(store)
        self._reactor = start_reactor(asyncio.get_running_loop())
        self._stopping.callback(stop_reactor, self._reactor)
        self.destinations = self._build_destinations(store)
        self.zauto = self.destinations.zauto
        self.acknowledge = self._build_acknowledge(store)
        self.work = Work(
            store,
            self.mappings,
            self._parts.catalogue,
            settings,
            clock=self._clock,
            metrics=self._metrics,
            busy=self._busy,
            planned=self.wake,
        )
        self.intake = self._build_intake(store)
        self.reload = self._build_reload(store)
        await self.reload.take_up()
        self._tasks = [self._kept_going("translation", self.work.run())]
        self._tasks += [
            self._kept_going(f"delivery to {target}", each.run())
            for target, each in self.destinations.delivers.items()
        ]
        self.probe = Probe(store, self._clock)
        self._tasks.append(self._kept_going("probing the store", self.probe.run()))
        self._tasks.append(self._kept_going("sweeping", self._sweep(store).run()))
        self._tasks.append(self._kept_going("acknowledging", self.acknowledge.run()))
        self._tasks.append(self._kept_going("watching the clock", self._watch(store).run()))
        self._watch_mappings()
        self._stopping.push_async_callback(self._end_work)
        self._measure(store)
        await self._answer_questions()
        return await self._open_doors()

    def _watch_mappings(self) -> None:
        if self.settings.mappings.watch_seconds:
            watch = Watch(self.settings, self.reload.reload, self.reload.is_pinned)
            self._tasks.append(self._kept_going("watching mappings", watch.run()))

    def _measure(self, store: Store) -> None:
        """Let metrics read what the store counts."""
        self._metrics.watch_store(lambda: store.read(lambda view: view.tally()), clock=self._clock)
        self._metrics.watch_parked(lambda: store.read(lambda view: view.parked_by_cause()))
        self._metrics.watch_remarks(lambda: store.read(lambda view: view.remark_totals()))

    async def stop(self) -> None:
        """Close the doors, end the work, close the store."""
        await self._stopping.aclose()

    def wake(self) -> None:
        """There may be something to deliver."""
        self.destinations.wake()
        self.acknowledge.wake()

    def reload_soon(self) -> None:
        """Take the files of certificates and mappings as they are now, as SIGHUP asks."""
        if self.doors:
            self.doors.reload()
        task = asyncio.create_task(self.reload.reload(), name="reloading mappings")
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    def condition(self, *, reveal: bool = False) -> dict[str, Any]:
        """What decides whether the bridge does its work: what is paused, what each destination
        takes, whether messages are acknowledged, and work that a fault of the bridge ended."""
        return {
            **self.destinations.pauses.report(reveal=reveal),
            "destinations": self.destinations.rows(),
            "resumed": self.store.read(destination_report.resumed),
            "acknowledging": self.store.has_room and self.store.failing_since is None,
            "ended": self._ended(),
        }

    def notices(self) -> Iterator[Notice]:
        """What a person should know, worst first, without patient data."""
        if not self.store.has_room:
            yield Notice(NoticeKind.DISK_FULL)
        elif (since := self.store.failing_since) is not None:
            yield Notice(NoticeKind.CANNOT_WRITE, since=since)
        for work in self._ended():
            yield Notice(NoticeKind.WORK_ENDED, name=work)
        yield from destination_report.destination_notices(self.destinations.rows())
        if self.zauto is None:
            yield Notice(NoticeKind.ZAUTO_NOT_SET_UP)
        else:
            yield from self.zauto.notices()
        yield from destination_report.stalled_notices(self.acknowledge.stalled())
        yield from self.reload.notices()
        if self.doors:
            yield from self.doors.notices()
        if self.settings.hospital.port is None:
            yield Notice(NoticeKind.HOSPITAL_NOT_SET_UP)

    def listeners(self) -> list[dict[str, Any]]:
        """The MLLP listeners: who is connected, and until when their certificates hold."""
        return self.doors.report() if self.doors else []

    def contract(self) -> list[dict[str, Any]]:
        """What ZautoAI answered that its document does not say."""
        return [] if self.zauto is None else contract_report(self.zauto.contract())

    async def ask_zauto(self, question: Mapping[str, Any]) -> Any:
        """Ask ZautoAI for a person; raises BridgeError where there is no answer."""
        if self.zauto is None:
            raise BridgeError("ZautoAI is not set up (zauto.base_url, client_id, client_secret)")
        return await self.zauto.ask(question)

    async def _take_up(self, store: Store) -> None:
        now, quiet = self._clock(), self.settings.zauto.quiet_seconds
        await store.run(lambda tx: redate_at_start(tx, now, quiet))
        recovered = await store.run(lambda tx: tx.recover(now, quiet))
        self._log.info("store open", recovered=recovered)
        mended = await store.run(lambda tx: tx.mend_aliases())
        if any(mended):
            self._log.error("store damaged", mended=mended.mended, lost=mended.lost)

    def _build_reload(self, store: Store) -> Reload:
        return Reload(
            store,
            self.settings,
            self._parts,
            self.mappings,
            clock=self._clock,
            changed=self._mappings_changed,
            counted=self._metrics.reloaded,
        )

    def _mappings_changed(self) -> None:
        """Tell those who know something of the sets in use, and have released messages taken."""
        sets = self.mappings.sets
        self._metrics.message_types |= sets.message_types
        if self.zauto is not None:
            self.zauto.far_end.same_authorities = sets.same_authorities
        self.work.wake()

    def _build_destinations(self, store: Store) -> Destinations:
        made = Destinations(
            store,
            self.settings,
            self._parts.catalogue,
            reactor=self._reactor,
            clock=self._clock,
            metrics=self._metrics,
        )
        self._stopping.push_async_callback(made.close)
        return made

    def _build_acknowledge(self, store: Store) -> Acknowledge:
        engines = AcknowledgmentSender(reactor=self._reactor)
        self._stopping.callback(engines.close)
        made = Acknowledge(
            store,
            self.settings,
            connections=self._callers,
            engines=engines,
            clock=self._clock,
            new_id=self._new_id,
        )
        self._callers.called = made.wake
        return made

    def _sweep(self, store: Store) -> Sweep:
        return Sweep(
            store,
            self._parts.catalogue,
            hold_hours=self.settings.zauto.hold_hours,
            clock=self._clock,
            planned=self.wake,
        )

    def _watch(self, store: Store) -> ClockWatch:
        quiet = self.settings.zauto.quiet_seconds
        return ClockWatch(store, self._clock, self.destinations, quiet_seconds=quiet)

    def _build_intake(self, store: Store) -> Intake:
        return Intake(
            store,
            self.settings,
            takes=self.mappings.takes,
            clock=self._clock,
            new_id=self._new_id,
            metrics=self._metrics,
            wake=self.work.wake,
        )

    async def _answer_questions(self) -> None:
        path = socket_path(place_of(self.settings.store.url))
        control = ControlSocket(path, answers(self))
        await control.start()
        self._stopping.push_async_callback(control.stop)

    async def _open_doors(self) -> Addresses:
        closing: list[Callable[[], Awaitable[None]]] = []
        self._stopping.push_async_callback(_close, closing)
        self.doors = doors = MllpDoors(
            self.settings,
            self.intake,
            reactor=self._reactor,
            clock=self._clock,
            new_id=self._new_id,
            callers=self._callers,
        )
        self._metrics.watch_certificates(doors.days_left)
        closing.append(lambda: doors.stop(DOOR_GRACE))
        listening = await doors.start()
        web = WebServer(http.server_config(self._app(), self.settings.http))
        http_address = await web.start()
        closing.append(web.stop)
        return Addresses(listening["mllp"], http_address, listening)

    def _app(self) -> Any:
        settings = self.settings
        return http.make_app(
            [
                fhir.door(self.intake, settings.fhir, settings.http, self._clock),
                push.door(self.intake, settings.orders, settings.http),
            ],
            health.door(self._not_ready, self._metrics.render),
        )

    def _not_ready(self) -> list[str]:
        try:
            self.store.read(lambda view: view.note(PAUSED_NOTE))
        except StoreError:
            return ["the store cannot be read"]
        if not self.store.has_room:
            return [FULL]
        if self.store.failing_since is not None:
            return [FAILING]
        return [f"{each} has stopped" for each in self._ended()]

    def _kept_going(self, what: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Work that never ends by itself; when a fault of ours ends it, that is told."""
        task = asyncio.create_task(work, name=what)
        task.add_done_callback(self._tell_of_end)
        return task

    def _tell_of_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._log.critical("work has stopped", exc_info=task.exception())

    def _ended(self) -> list[str]:
        return [task.get_name() for task in self._tasks if task.done()]

    async def _end_work(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(
            self.destinations.stop(DELIVERY_GRACE), self.acknowledge.stop(DELIVERY_GRACE)
        )

    def _busy(self) -> bool:
        # A clock that was set back must not look like senders waiting.
        return 0.0 <= self._clock() - self.intake.taken_at < BUSY_SECONDS


async def _close(doors: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Close doors side by side, so that none takes messages while another is waited for."""
    await asyncio.gather(*(close() for close in doors))
