"""`bridge pause` and `bridge resume`: delivery stops and goes on, the doors stay open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bridge.cli.options import Config, reach_of, settings_of
from bridge.cli.status import paused_lines
from bridge.cli.tables import say
from bridge.errors import BridgeError, DoorError
from bridge.pipeline.pauses import Destination

OfDestination = Annotated[
    Destination | None,
    typer.Option(
        "--destination", metavar="NAME", help="Only deliveries to zautoai, or to the hospital."
    ),
]
OfResource = Annotated[
    str,
    typer.Option(
        "--resource",
        metavar="NAME",
        help="Only calls to ZautoAI for this resource, and what waits behind them: patients, "
        "patient-visits, providers …",
    ),
]


def pause(
    destination: OfDestination = None, resource: OfResource = "", config: Config = None
) -> None:
    """Stop delivery; messages are still taken, kept and acknowledged.

    Holds over a restart, until 'bridge resume'.

    Example: bridge pause --destination hospital
    """
    named = _named(destination, resource)
    answer = _asked(lambda: reach_of(settings_of(config)).pause(True, **named))
    for line in paused_lines(answer):
        say(line)
    say("What is under way ends.")


def resume(
    destination: OfDestination = None,
    resource: OfResource = "",
    now: Annotated[
        bool,
        typer.Option(
            "--now",
            help="Try at once what waits for its next attempt. A wait after a 429 ends only with "
            "--reason.",
        ),
    ] = False,
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="TEXT", help="Why a wait after a 429 may end; kept."),
    ] = "",
    config: Config = None,
) -> None:
    """Let delivery go on; with --now, try at once what waits for its next attempt.

    Without --destination and --resource everything that is paused goes on. A delivery whose
    request may still take effect waits until that is known.

    Example: bridge resume --now --destination zautoai
    """
    if reason and not now:
        raise BridgeError("--reason ends a wait after a 429: give --now with it")
    settings, named = settings_of(config), _named(destination, resource)
    reach = reach_of(settings)
    if now:
        answer = _asked(lambda: reach.resume_now(reason, **named))
    else:
        answer = _asked(lambda: reach.pause(False, **named))
    lines = list(paused_lines(answer))
    lines += _still_stopped(answer, settings.site.time_zone) if now else []
    for line in lines or ["Delivery goes on."]:
        say(line)


def _named(destination: Destination | None, resource: str) -> dict[str, str]:
    named = {"destination": str(destination or ""), "resource": resource}
    return {key: value for key, value in named.items() if value}


def _still_stopped(answer: dict[str, Any], zone: str) -> Iterator[str]:
    """Waits that only a reason ends."""
    for destination in answer["destinations"]:
        for stop in destination["stops"]:
            until = datetime.fromtimestamp(stop["until"], ZoneInfo(zone))
            yield (
                f"{Destination(destination['name']).words}: {stop['resource'] or 'all calls'} "
                f"stopped until {until:%H:%M:%S %Z}: {stop['reason']}. "
                "To try before: bridge resume --now --reason TEXT"
            )


def _asked(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return ask()
    except DoorError as error:
        raise BridgeError(
            f"{error}: start it with 'bridge run', or name its settings with --config"
        ) from error
