"""The group of commands about mappings."""

from __future__ import annotations

import typer

from bridge.cli.mapping import change, show, trial

mapping_app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

mapping_app.command("show")(show.show)
mapping_app.command("test")(trial.try_tests)
mapping_app.command("reload")(change.reload)
mapping_app.command("versions")(change.versions)
mapping_app.command("rollback")(change.rollback)


@mapping_app.callback()
def _mapping() -> None:
    """Work on mappings: show them, run their tests, reload them, bring earlier ones back.

    Example: bridge mapping test
    """
