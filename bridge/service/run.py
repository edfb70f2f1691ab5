"""Run the service until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable

import structlog

from bridge.service.doors import Addresses
from bridge.service.parts import read_parts
from bridge.service.service import Service
from bridge.settings import Settings

#: seconds in which a stop ends, by force if it must; supervisors kill after ten
STOP_SECONDS = 9.0


async def run(settings: Settings, started: Callable[[Addresses], None]) -> None:
    """Start, tell the addresses, stop on SIGTERM or SIGINT; SIGHUP has mappings and certificates
    read again.

    Raises BridgeError (settings, mappings, store, doors) when it cannot start.
    """
    log = structlog.get_logger()
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    service = Service(settings, read_parts(settings))
    try:
        addresses = await service.start()
        loop.add_signal_handler(signal.SIGHUP, service.reload_soon)
        started(addresses)
        await told.wait()
        log.info("stopping")
        _end_in(STOP_SECONDS)
    finally:
        await service.stop()
    log.info("stopped")


def _end_in(seconds: float) -> None:
    """End the process after this long, whatever holds it.

    The look-up of a name holds a thread that nobody can end and Python waits for. What was
    acknowledged is on the disk by then, and what was in flight is verified after the next start.
    """
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()
