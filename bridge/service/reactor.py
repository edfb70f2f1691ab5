"""Twisted's reactor as a guest of the asyncio loop that the service runs in.

It is not installed as Twisted's global reactor: a door is handed the one it shall use.
"""

from __future__ import annotations

import asyncio
from functools import cache, partial
from typing import Any, cast

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.logger import ILogObserver, globalLogBeginner

from bridge import logs


class GuestReactor(AsyncioSelectorReactor):
    """A reactor that leaves the loop running when it stops; asyncio owns the loop."""

    def addReader(self, reader: Any) -> None:  # noqa: N802 - Twisted's name
        """Read without the log context that the stock reactor puts round every read.

        Nobody here looks at that context, and setting it costs as much as the reading.
        """
        if reader not in self._readers:
            super().addReader(reader)  # type: ignore[no-untyped-call] # Twisted's
            if reader in self._readers:
                read = partial(self._readOrWrite, reader, True)
                self._asyncioEventloop.add_reader(self._readers[reader], read)

    def crash(self) -> None:
        """End the reactor only: the stock one stops the loop here, and answers in flight."""
        super(AsyncioSelectorReactor, self).crash()


def start_reactor(loop: asyncio.AbstractEventLoop) -> GuestReactor:
    """Run a reactor on `loop`; signals stay asyncio's."""
    _observe_twisted()
    reactor = GuestReactor(loop)
    reactor.startRunning(installSignalHandlers=False)
    return reactor


@cache
def _observe_twisted() -> None:
    """Take Twisted's log, once in a process.

    Until an observer is set, Twisted prints failures with their messages, and those can hold
    patient data.
    """
    globalLogBeginner.beginLoggingTo(
        [cast(ILogObserver, logs.observe)], redirectStandardIO=False, discardBuffer=True
    )


def stop_reactor(reactor: GuestReactor) -> None:
    """Drop what is still connected and end the reactor's threads; the loop goes on."""
    reactor.fireSystemEvent("shutdown")
