"""Past traffic for a command: which of it is meant, and the view it is read through."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from bridge.errors import BridgeError
from bridge.settings import Settings
from bridge.store.contract import View
from bridge.store.open import open_view, place_of

_SPAN = re.compile(r"(\d{1,6})\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[PATH]...", help="Files or folders of HL7 and JSON, in the order of their paths."
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="SPAN",
        help="What the store kept in this time up to now, 30m, 24h or 7d, in place of files. It is "
        "only read, also while the service runs.",
    ),
]


def seconds_of(span: str) -> int:
    """How long `7d` is; raises BridgeError."""
    match = _SPAN.fullmatch(span.strip())
    if match is None:
        raise BridgeError(f"--since {span}: write a number and s, m, h, d or w, such as 24h or 7d")
    return int(match[1]) * _SECONDS[match[2]]


def check_chosen(paths: list[Path] | None, since: str | None) -> None:
    """Either files or the store; raises BridgeError."""
    if bool(paths) == bool(since):
        raise BridgeError(
            "name files or folders, or say --since 7d for what the store kept; not both"
            if paths
            else "name files or folders, or say --since 7d for what the store kept"
        )


def view_of(settings: Settings) -> View:
    """The store, to be read only; raises BridgeError where there is none."""
    file = place_of(settings.store.url)
    if not file.exists():
        raise BridgeError(f"there is no store at {file}: name its settings with --config")
    return open_view(settings.store.url)
