"""Options that several commands share, and reading the settings they name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge.settings import Settings, load

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


def settings_of(config: Path | None) -> Settings:
    """The settings a command works with; raises SettingsError."""
    if config is None and USUAL_CONFIG.exists():
        config = USUAL_CONFIG
    return load(config)
