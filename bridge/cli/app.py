"""The command line: one command a verb, each with an example in its help."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bridge import __version__, logs
from bridge.cli import (
    check,
    codes,
    fixture,
    look,
    merges,
    pause,
    remarks,
    replay,
    sandbox,
    serve,
    translate,
    whatif,
    zauto,
)
from bridge.cli.confine import confine
from bridge.cli.coverage import command as coverage
from bridge.cli.demo import command as demo
from bridge.cli.mapping.command import mapping_app
from bridge.cli.status import StatusCode, StatusUnknown
from bridge.cli.tables import say
from bridge.errors import BridgeError, MappingError
from bridge.visible import visible

app = typer.Typer(
    name="bridge",
    help="Connects hospital systems that speak HL7 v2 and FHIR to ZautoAI.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        say(f"bridge {__version__}")
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
app.command("remarks")(remarks.remarks)
app.command("merges")(merges.merges)
app.command("pause")(pause.pause)
app.command("resume")(pause.resume)
app.command("demo")(demo.demo)


def main() -> None:
    """Run a command; an expected error is one sentence on standard error and exits 1,
    of `bridge status` 2.

    Any other error is a fault of the bridge: it is logged by type and frames, because its message
    and the traceback's lines can hold patient data.
    """
    confine()
    logs.configure("WARNING")
    try:
        # not `app()`: Typer would put its own hook for uncaught exceptions in place of ours
        typer.main.get_command(app)()
    except MappingError as error:
        for fault in error.faults:
            say(str(fault), error=True)
        count = len(error.faults)
        sys.exit(f"bridge: {count} fault{'' if count == 1 else 's'} in the mappings")
    except StatusUnknown as error:
        say(f"bridge: {error}", error=True)
        sys.exit(StatusCode.STOPPED)
    except BridgeError as error:
        sys.exit(visible(f"bridge: {error}", lines=True))
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - Python would print its message
        logs.crashed(error)
        sys.exit("bridge: a fault inside the bridge ended this command; the line above shows where")
