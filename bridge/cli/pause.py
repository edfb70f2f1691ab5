"""`bridge pause` and `bridge resume`: delivery stops and goes on, the doors stay open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bridge.cli.options import Config, reach_of, settings_of
from bridge.cli.status import paused_lines
from bridge.cli.tables import say
from bridge.errors import BridgeError, DoorError
from bridge.notices import sentence
from bridge.pipeline.delivery.pauses import Destination

if TYPE_CHECKING:
    from bridge.reports.destinations import PauseReport

OfDestination = Annotated[
    Destination | None,
    typer.Option(
        "--destination", metavar="NAME", help="Only deliveries to zautoai, or to the hospital."
    ),
]
OfResource = Annotated[
    str | None,
    typer.Option(
        "--resource",
        metavar="NAME",
        help="Only calls to ZautoAI for this resource, and what waits behind them: patients, "
        "patient-visits, providers …",
    ),
]
OfChannel = Annotated[
    str | None,
    typer.Option(
        "--channel",
        metavar="NAME",
        help="Only deliveries of messages that came in through this channel, and what waits behind "
        "them.",
    ),
]
OfPatient = Annotated[
    str | None,
    typer.Option(
        "--patient",
        metavar="ID",
        help="Only deliveries that concern this patient: the number as ZautoAI gets it, or one "
        "that was merged with it.",
    ),
]


def pause(
    destination: OfDestination = None,
    resource: OfResource = None,
    channel: OfChannel = None,
    patient: OfPatient = None,
    config: Config = None,
) -> None:
    """Stop delivery; messages are still taken, kept and acknowledged.

    Holds over a restart, until 'bridge resume'.

    Example: bridge pause --destination hospital
    """
    named = _named(destination=destination, resource=resource, channel=channel, patient=patient)
    settings = settings_of(config)
    answer = _asked(lambda: reach_of(settings).pause(True, **named))
    for notice in paused_lines(_with_typed(answer, named.get("patient", ""))):
        say(sentence(notice, settings.site.time_zone))
    if answer.unknown_patient:
        say("No message about this patient has come yet: check the number.")
    say("What is under way ends.")


def resume(
    destination: OfDestination = None,
    resource: OfResource = None,
    channel: OfChannel = None,
    patient: OfPatient = None,
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

    Without --destination, --resource, --channel and --patient everything that is paused goes on.
    A delivery whose request may still take effect waits until that is known.

    Example: bridge resume --now --destination zautoai
    """
    if reason and not now:
        raise BridgeError("--reason ends a wait after a 429: give --now with it")
    named = _named(destination=destination, resource=resource, channel=channel, patient=patient)
    settings = settings_of(config)
    reach = reach_of(settings)
    if now:
        answer = _asked(lambda: reach.resume_now(reason, **named))
    else:
        answer = _asked(lambda: reach.pause(False, **named))
    zone = settings.site.time_zone
    lines = [sentence(notice, zone) for notice in paused_lines(answer)]
    lines += _still_stopped(answer, zone) if now else []
    for line in lines or ["Delivery goes on."]:
        say(line)


def _named(**options: str | None) -> dict[str, str]:
    """The options that were given. An empty one is a mistake: without any, all is meant."""
    named = {name: value.strip() for name, value in options.items() if value is not None}
    for name, value in named.items():
        if not value:
            raise BridgeError(f"--{name} is empty; leave it out to mean everything")
    return named


def _with_typed(answer: PauseReport, patient: str) -> PauseReport:
    """The answer to a pause, with the number that was typed in place of one that is masked."""
    if not patient:
        return answer
    return answer.model_copy(update={"paused_patients": [patient, *answer.paused_patients[1:]]})


def _still_stopped(answer: PauseReport, zone: str) -> Iterator[str]:
    """Waits that only a reason ends."""
    for destination in answer.destinations:
        for stop in destination.stops:
            until = datetime.fromtimestamp(stop.until, ZoneInfo(zone))
            yield (
                f"{destination.name.words}: {stop.resource or 'all calls'} "
                f"stopped until {until:%H:%M:%S %Z}: {stop.reason}. "
                "To try before: bridge resume --now --reason TEXT"
            )


def _asked(ask: Callable[[], PauseReport]) -> PauseReport:
    try:
        return ask()
    except DoorError as error:
        raise BridgeError(
            f"{error}: start it with 'bridge run', or name its settings with --config"
        ) from error
