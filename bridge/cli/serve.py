"""`bridge run`: the service."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from bridge.cli.options import Config, settings_of
from bridge.cli.tables import say


class LogLevel(StrEnum):
    """What a line of the log must at least be."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def run(
    config: Config = None,
    log_level: Annotated[
        LogLevel, typer.Option("--log-level", case_sensitive=False, help="Least that is logged.")
    ] = LogLevel.INFO,
) -> None:
    """Run the bridge until SIGTERM.

    Opens the MLLP and HTTP doors and prints their addresses, delivers what is kept, and answers
    the other commands. Its log goes to standard error, one JSON object a line.

    Example: bridge run --config conf/bridge.yaml
    """
    settings = settings_of(config)
    from bridge.logs import configure
    from bridge.service.doors import Addresses
    from bridge.service.run import run as run_service

    configure(log_level)

    def started(addresses: Addresses) -> None:
        for name, (host, port) in addresses.listeners.items():
            called = "" if name == "mllp" else f" ({name})"
            say(f"MLLP listens on {host}:{port}{called}")
        host, port = addresses.http
        say(f"HTTP listens on http://{host}:{port} (FHIR under /fhir, orders under /orders)")

    asyncio.run(run_service(settings, started))
