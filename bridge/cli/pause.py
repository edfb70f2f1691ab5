"""`bridge pause` and `bridge resume`: delivery stops and goes on, the doors stay open."""

from __future__ import annotations

from bridge.cli.options import Config, reach_of, settings_of
from bridge.cli.tables import say
from bridge.errors import BridgeError, DoorError


def pause(config: Config = None) -> None:
    """Stop delivery; messages are still taken, kept and acknowledged.

    Holds over a restart, until 'bridge resume'.

    Example: bridge pause
    """
    _tell(config, paused=True)
    say("Delivery is paused; what is under way ends. Go on: bridge resume")


def resume(config: Config = None) -> None:
    """Let delivery go on.

    Example: bridge resume
    """
    _tell(config, paused=False)
    say("Delivery goes on.")


def _tell(config: Config, *, paused: bool) -> None:
    try:
        reach_of(settings_of(config)).pause(paused)
    except DoorError as error:
        raise BridgeError(
            f"{error}: start it with 'bridge run', or name its settings with --config"
        ) from error
