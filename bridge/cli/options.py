"""Options that several commands share, and reading the settings they name."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.causes import CauseKind
from bridge.errors import BridgeError
from bridge.settings import Settings, load

if TYPE_CHECKING:
    from bridge.cli.reach import Reach

#: read when no other is named, and done without when absent
USUAL_CONFIG = Path("conf/bridge.yaml")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Settings file; environment variables BRIDGE_SECTION__KEY override it. "
        f"Without it {USUAL_CONFIG} is read, if there is one.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Reveal = Annotated[
    bool,
    typer.Option("--reveal", help="Show patient data; the service logs that it was asked for."),
]


def cause_named(text: str) -> CauseKind:
    """The cause of this name; raises BridgeError, with the nearest one where there is one."""
    word = text.strip().lower().replace("-", "_")
    if word in set(CauseKind):
        return CauseKind(word)
    near = get_close_matches(word, list(CauseKind), 1)
    meant = f"did you mean '{near[0]}'?" if near else "docs/reference/causes.md lists all of them"
    raise BridgeError(f"--cause: '{text}' is not a cause; {meant}")


def settings_of(config: Path | None) -> Settings:
    """The settings a command works with; raises SettingsError."""
    if config is None and USUAL_CONFIG.exists():
        config = USUAL_CONFIG
    return load(config)


def reach_of(settings: Settings) -> Reach:
    """The way to the service or its store."""
    # importing what the service is made of takes a while, which other commands need not wait for
    from bridge.cli.reach import Reach

    return Reach(settings)
