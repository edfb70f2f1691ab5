"""`bridge run` and `bridge sandbox`: what keeps running."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import Config, settings_of

#: the key the sandbox pushes orders with: the same variable that the bridge takes it from
PUSH_KEY = "BRIDGE_ORDERS__API_KEY"


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
    from bridge.service.run import run as run_service
    from bridge.service.service import Addresses

    configure(log_level)

    def started(addresses: Addresses) -> None:
        host, port = addresses.mllp
        typer.echo(f"MLLP listens on {host}:{port}")
        host, port = addresses.http
        typer.echo(f"HTTP listens on http://{host}:{port} (FHIR under /fhir, orders under /orders)")

    asyncio.run(run_service(settings, started))


Port = Annotated[int, typer.Option("--port", help="0 takes a free one.")]
Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
State = Annotated[
    Path | None,
    typer.Option("--state", help="File that keeps its records; without it they are lost."),
]
Client = Annotated[
    str | None,
    typer.Option("--client", metavar="ID:SECRET", help="Let this client in (tests only)."),
]
NoLimits = Annotated[
    bool, typer.Option("--no-limits", help="No call limits, and no headers about them.")
]
PushTo = Annotated[
    str | None,
    typer.Option(
        "--push-to",
        metavar="URL",
        help=f"The bridge that orders are pushed to, with the key in {PUSH_KEY}.",
    ),
]
Folder = Annotated[
    Path | None, typer.Option("--mappings", help="Folder of mappings with zauto/ in it.")
]


def sandbox(
    port: Port = 8090,
    host: Host = "127.0.0.1",
    state: State = None,
    client: Client = None,
    no_limits: NoLimits = False,
    push_to: PushTo = None,
    mappings: Folder = None,
) -> None:
    """Run a stand-in for ZautoAI's API, for trials and tests.

    It is made from the catalogue in mappings/zauto/. Without --client a client is made and its
    secret printed, once. Orders are pushed by POST /sandbox/push/prescriptions and
    /sandbox/push/services.

    Example: bridge sandbox --port 8090 --push-to http://127.0.0.1:8080
    """
    from bridge.sandbox.accounts import Credentials
    from bridge.sandbox.limits import Limits
    from bridge.sandbox.push import Partner
    from bridge.sandbox.serve import Sandbox, serve
    from bridge.shipped import mappings_folder
    from bridge.zauto.catalogue import load

    catalogue = load((mappings or mappings_folder()) / "zauto")

    def announce(made: Sandbox) -> None:
        typer.echo(f"ZautoAI's sandbox listens on {made.url}")
        if made.client is not None and client is None:
            typer.echo(f"client id      {made.client.client_id}")
            typer.echo(f"client secret  {made.client.client_secret}")

    asyncio.run(
        serve(
            catalogue,
            host=host,
            port=port,
            file=state,
            client=Credentials(*_pair(client)) if client else None,
            limits=None if no_limits else Limits(),
            partner=Partner(push_to, os.environ.get(PUSH_KEY)) if push_to else None,
            announce=announce,
        )
    )


def _pair(text: str) -> tuple[str, str]:
    name, colon, secret = text.partition(":")
    if not (name and colon and secret):
        raise typer.BadParameter("must be ID:SECRET", param_hint="--client")
    return name, secret
