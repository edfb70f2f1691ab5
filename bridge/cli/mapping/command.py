"""The group of commands about mappings."""

from __future__ import annotations

import typer

from bridge.cli.mapping import trial

mapping_app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

mapping_app.command("test")(trial.try_tests)


@mapping_app.callback()
def _mapping() -> None:
    """Work on mappings: run the tests beside them.

    Example: bridge mapping test
    """
