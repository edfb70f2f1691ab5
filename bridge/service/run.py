"""Run the service until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import cast

import structlog
from twisted.logger import ILogObserver, globalLogBeginner

from bridge import logs
from bridge.service.parts import read_parts
from bridge.service.service import Addresses, Service
from bridge.settings import Settings


async def run(settings: Settings, started: Callable[[Addresses], None]) -> None:
    """Start, tell the addresses, and stop on SIGTERM or SIGINT.

    Raises BridgeError (settings, mappings, store, doors) when it cannot start.
    """
    log = structlog.get_logger()
    # Until an observer is set, Twisted prints failures with their messages, and those can hold
    # patient data.
    globalLogBeginner.beginLoggingTo(
        [cast(ILogObserver, logs.observe)], redirectStandardIO=False, discardBuffer=True
    )
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    service = Service(settings, read_parts(settings))
    try:
        addresses = await service.start()
        started(addresses)
        await told.wait()
        log.info("stopping")
    finally:
        await service.stop()
    log.info("stopped")
