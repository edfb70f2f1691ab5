"""The doors of a service: each MLLP listener of the settings and the HTTP server."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bridge.listeners.callers import Callers
from bridge.listeners.mllp import MllpListener
from bridge.listeners.partials import Partials
from bridge.listeners.replies import Hl7Intake
from bridge.listeners.tls import Certificates
from bridge.notices import Notice, NoticeKind
from bridge.pipeline.channels import channels_by_listener
from bridge.reports.status import ListenerRow
from bridge.service.reactor import GuestReactor
from bridge.service.web import WebServer
from bridge.settings import Settings

log = structlog.get_logger()

#: days before a certificate ends from which on people are told
TELL_DAYS = 30
_DAY = 86_400.0
#: files that are open beside connections: the store, calls to ZautoAI, the HTTP door
_OTHER_FILES = 512


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a started service listens."""

    #: the first MLLP listener's, and those of all by their names
    mllp: tuple[str, int]
    http: tuple[str, int]
    listeners: Mapping[str, tuple[str, int]]


class MllpDoors:
    """All MLLP listeners of one service."""

    def __init__(
        self,
        settings: Settings,
        intake: Hl7Intake,
        *,
        reactor: GuestReactor,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        callers: Callers | None = None,
    ) -> None:
        """`callers` learns by which connection messages come that are answered later. Raises
        DoorError where certificates cannot be read."""
        self._clock = clock
        partials = Partials(settings.limits.partial_frames)
        channels = channels_by_listener(settings)
        self.listeners = {
            name: MllpListener(
                channels[name][0],
                section,
                settings.limits,
                intake,
                reactor=reactor,
                clock=reactor,
                new_id=new_id,
                partials=partials,
                callers=callers,
                certificates=Certificates(section.tls) if section.tls else None,
            )
            for name, section in settings.mllp_listeners().items()
        }

    async def start(self) -> Mapping[str, tuple[str, int]]:
        """Listen; returns the address of each by its name. Raises DoorError."""
        _allow_files(sum(each.settings.connections for each in self.listeners.values()))
        return {name: await each.start() for name, each in self.listeners.items()}

    async def stop(self, grace: float) -> None:
        """Close all of them side by side."""
        await asyncio.gather(*(each.stop(grace) for each in self.listeners.values()))

    def reload(self) -> None:
        """Read all certificates again."""
        for certificates in self._certificates().values():
            certificates.reload()

    def days_left(self) -> Mapping[str, float]:
        """Days until the certificate of each listener with TLS ends, negative when it has."""
        now = self._clock()
        return {name: (each.ends_at - now) / _DAY for name, each in self._certificates().items()}

    def report(self) -> list[ListenerRow]:
        """Each listener, for people and programs."""
        days = self.days_left()
        return [
            ListenerRow(
                listener=name,
                connections=each.connected,
                tls=each.certificates is not None,
                certificate_days_left=round(days[name], 1) if name in days else None,
            )
            for name, each in self.listeners.items()
        ]

    def notices(self) -> list[Notice]:
        """Certificates that end soon, or have ended."""
        return [
            Notice(NoticeKind.CERTIFICATE_ENDED, name=name)
            if days < 0
            else Notice(NoticeKind.CERTIFICATE_ENDS, name=name, number=round(days))
            for name, days in self.days_left().items()
            if days < TELL_DAYS
        ]

    def _certificates(self) -> Mapping[str, Certificates]:
        found = {name: each.certificates for name, each in self.listeners.items()}
        return {name: each for name, each in found.items() if each is not None}


class Doors:
    """All doors by which messages come in."""

    def __init__(self, mllp: MllpDoors, web: WebServer) -> None:
        self.mllp = mllp
        self._web = web

    async def start(self) -> Addresses:
        """Listen; raises DoorError, and doors that are open by then are for `stop` to close."""
        listening = await self.mllp.start()
        return Addresses(listening["mllp"], await self._web.start(), listening)

    async def stop(self, grace: float) -> None:
        """Close them side by side, so that none takes messages while another is waited for."""
        await asyncio.gather(self.mllp.stop(grace), self._web.stop())


def _allow_files(connections: int) -> None:
    """Raise the process's own limit of open files as far as it may; many start with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        log.warning("fewer connections than set: raise the limit of open files", files=allowed)
