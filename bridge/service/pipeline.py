"""The way of a message through one service: its parts, built so that each wakes the next."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

from bridge.listeners.callers import Callers
from bridge.mapping.engine.sets import InUse
from bridge.metrics import Metrics
from bridge.pipeline.delivery.acknowledge import Acknowledge
from bridge.pipeline.delivery.probe import Probe
from bridge.pipeline.delivery.sweep import Sweep
from bridge.pipeline.delivery.timekeeper import ClockWatch, Timekeeper
from bridge.pipeline.intake.keep import Intake
from bridge.pipeline.planning.work import Work
from bridge.senders.acknowledgments import AcknowledgmentSender
from bridge.service.destinations import Destinations
from bridge.service.ids import ids
from bridge.service.parts import CheckedParts
from bridge.service.reactor import GuestReactor
from bridge.service.reload import Reload
from bridge.service.watch import Watch
from bridge.settings import Settings
from bridge.store.contract import Store

#: seconds within which something handed in counts as senders waiting
BUSY_SECONDS = 0.05


@dataclass(eq=False)
class Pipeline:
    """Intake, translation, delivery and acknowledgment, and what looks after them."""

    store: Store
    settings: Settings
    parts: CheckedParts
    reactor: GuestReactor
    clock: Timekeeper
    metrics: Metrics

    def __post_init__(self) -> None:
        store, settings, clock, metrics = self.store, self.settings, self.clock, self.metrics
        catalogue, reactor = self.parts.catalogue, self.reactor
        mappings = self.mappings = InUse(self.parts.sets)
        new_id = self.new_id = ids(clock)
        callers = self.callers = Callers()
        self.destinations = Destinations(store, settings, catalogue, reactor, clock, metrics)
        engines = self._engines = AcknowledgmentSender(reactor=reactor)
        self.acknowledge = Acknowledge(
            store, settings, connections=callers, engines=engines, clock=clock, new_id=new_id
        )
        callers.called = self.acknowledge.wake
        self.work = Work(
            store,
            mappings,
            catalogue,
            settings,
            clock=clock,
            metrics=metrics,
            busy=self._is_busy,
            planned=self.wake,
        )
        self.intake = Intake(
            store,
            settings,
            takes=mappings.takes,
            clock=clock,
            new_id=new_id,
            metrics=metrics,
            wake=self.work.wake,
        )
        self.reload = Reload(
            store, settings, self.parts, mappings, clock, self._note_mappings, metrics.reloaded
        )

    def endless(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """What must go on while the service runs, by its name for people."""
        store, settings, clock = self.store, self.settings, self.clock
        yield "translation", self.work.run()
        for target, deliver in self.destinations.delivers.items():
            yield f"delivery to {target}", deliver.run()
        yield "probing the store", Probe(store, clock).run()
        catalogue, hours = self.parts.catalogue, settings.zauto.hold_hours
        sweep = Sweep(store, catalogue, hold_hours=hours, clock=clock, planned=self.wake)
        yield "sweeping", sweep.run()
        yield "acknowledging", self.acknowledge.run()
        quiet = settings.zauto.quiet_seconds
        clock_watch = ClockWatch(store, clock, self.destinations, quiet_seconds=quiet)
        yield "watching the clock", clock_watch.run()
        if settings.mappings.watch_seconds:
            watch = Watch(settings, self.reload.reload, self.reload.is_pinned)
            yield "watching mappings", watch.run()

    def wake(self) -> None:
        """There may be something to deliver."""
        self.destinations.wake()
        self.acknowledge.wake()

    async def stop(self, grace: float) -> None:
        """Give calls and acknowledgments under way this many seconds."""
        await asyncio.gather(self.destinations.stop(grace), self.acknowledge.stop(grace))

    async def close(self) -> None:
        """Close the connections."""
        self._engines.close()
        await self.destinations.close()

    def _note_mappings(self) -> None:
        """Tell those who know something of the sets in use, and have released messages taken."""
        sets = self.mappings.sets
        self.metrics.message_types |= sets.message_types
        if self.destinations.zauto is not None:
            self.destinations.zauto.far_end.same_authorities = sets.same_authorities
        self.work.wake()

    def _is_busy(self) -> bool:
        # A clock that was set back must not look like senders waiting.
        return 0.0 <= self.clock() - self.intake.taken_at < BUSY_SECONDS
