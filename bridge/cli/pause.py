"""`bridge pause` and `bridge resume`: delivery stops and goes on, the doors stay open."""

from __future__ import annotations

import typer

from bridge.cli.options import Config, settings_of
from bridge.cli.reach import Reach


def pause(config: Config = None) -> None:
    """Stop delivery; messages are still taken, kept and acknowledged.

    Holds over a restart, until 'bridge resume'.

    Example: bridge pause
    """
    Reach(settings_of(config)).pause(True)
    typer.echo("Delivery is paused; what is under way ends. Let go: bridge resume")


def resume(config: Config = None) -> None:
    """Let delivery go on.

    Example: bridge resume
    """
    Reach(settings_of(config)).pause(False)
    typer.echo("Delivery goes on.")
