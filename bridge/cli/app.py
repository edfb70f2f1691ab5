"""The command line: one command a verb, each with an example in its help."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bridge import __version__
from bridge.cli import (
    check,
    codes,
    fixture,
    look,
    merges,
    pause,
    replay,
    sandbox,
    serve,
    translate,
    whatif,
    zauto,
)
from bridge.cli.coverage import command as coverage
from bridge.cli.demo import command as demo
from bridge.cli.mapping.command import mapping_app
from bridge.errors import BridgeError, MappingError

app = typer.Typer(
    name="bridge",
    help="Connects hospital systems that speak HL7 v2 and FHIR to ZautoAI.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"bridge {__version__}")
        raise typer.Exit


@app.callback()
def _bridge(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Connects hospital systems that speak HL7 v2 and FHIR to ZautoAI."""


app.command("run")(serve.run)
app.add_typer(sandbox.sandbox_app)
app.command("replay")(replay.replay)
app.command("translate")(translate.translate)
app.command("coverage")(coverage.coverage)
app.command("whatif")(whatif.whatif)
app.command("check")(check.check)
app.command("fixture")(fixture.fixture)
app.command("status")(look.status)
app.add_typer(look.messages_app, name="messages")
app.add_typer(zauto.zauto_app, name="zauto")
app.add_typer(mapping_app, name="mapping")
app.command("codes")(codes.codes)
app.command("merges")(merges.merges)
app.command("pause")(pause.pause)
app.command("resume")(pause.resume)
app.command("demo")(demo.demo)


def main() -> None:
    """Run a command; what goes wrong on purpose is told in a sentence and exits 1."""
    try:
        app()
    except MappingError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)  # noqa: T201 - this is the command line
        count = len(error.faults)
        sys.exit(f"bridge: {count} fault{'' if count == 1 else 's'} in the mappings")
    except BridgeError as error:
        sys.exit(f"bridge: {error}")
    except BrokenPipeError:
        sys.exit(0)
