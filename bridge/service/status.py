"""The status of a running service: what it answers of its parts when a person or program asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.errors import BridgeError
from bridge.notices import Notice, NoticeKind
from bridge.reports.destinations import (
    Readiness,
    destination_notices,
    resumed,
    stalled_notices,
)
from bridge.reports.status import DeviationRow, deviation_rows
from bridge.service.background import BackgroundWork
from bridge.service.doors import MllpDoors
from bridge.service.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """Asks the parts of one service."""

    pipeline: Pipeline
    mllp: MllpDoors
    background: BackgroundWork

    def condition(self, *, reveal: bool = False) -> Readiness:
        """What decides whether the bridge does its work: what is paused, what each destination
        takes, whether messages are acknowledged, and work that a fault of the bridge ended."""
        store, destinations = self.pipeline.store, self.pipeline.destinations
        return Readiness.of(
            destinations.pausing.pauses,
            reveal=reveal,
            destinations=destinations.rows(),
            resumed=store.read(resumed),
            acknowledging=store.has_room and store.failing_since is None,
            ended=self.background.ended(),
        )

    def notices(self) -> Iterator[Notice]:
        """What a person should know, worst first, without patient data."""
        store, destinations = self.pipeline.store, self.pipeline.destinations
        if not store.has_room:
            yield Notice(NoticeKind.DISK_FULL)
        elif (since := store.failing_since) is not None:
            yield Notice(NoticeKind.CANNOT_WRITE, since=since)
        for work in self.background.ended():
            yield Notice(NoticeKind.WORK_ENDED, name=work)
        yield from destination_notices(destinations.rows())
        if destinations.zauto is None:
            yield Notice(NoticeKind.ZAUTO_NOT_SET_UP)
        else:
            yield from destinations.zauto.notices()
        yield from stalled_notices(self.pipeline.acknowledge.stalled())
        yield from self.pipeline.reload.notices()
        yield from self.mllp.notices()
        if self.pipeline.settings.hospital.port is None:
            yield Notice(NoticeKind.HOSPITAL_NOT_SET_UP)

    def contract(self) -> list[DeviationRow]:
        """What ZautoAI answered that its document does not say."""
        zauto = self.pipeline.destinations.zauto
        return [] if zauto is None else deviation_rows(zauto.contract())

    async def ask_zauto(self, question: Mapping[str, Any]) -> Any:
        """Ask ZautoAI for a person; raises BridgeError where there is no answer."""
        zauto = self.pipeline.destinations.zauto
        if zauto is None:
            raise BridgeError("ZautoAI is not set up (zauto.base_url, client_id, client_secret)")
        return await zauto.ask(question)
