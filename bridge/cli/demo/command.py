"""`bridge demo`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.tables import console, lines
from bridge.errors import BridgeError

#: the samples of a working copy; a wheel carries none
SAMPLES = Path(__file__).resolve().parents[3] / "samples"
#: exit code of what a signal ended (128 and SIGINT), as shells know it
INTERRUPTED = 130


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")
    ] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Show each file, call and message to the hospital as well."),
    ] = False,
    samples: Annotated[
        Path,
        typer.Option(
            "--samples",
            help="Folder of messages with an expected.yaml; else the repository's samples.",
            show_default=False,
        ),
    ] = SAMPLES,
) -> None:
    """Show the bridge at work on the samples.

    Prints how many messages ended how, then each that was not delivered with its reason. Exits 1
    when something did not end as expected.yaml beside the samples says.

    Example: bridge demo --all
    """
    if not samples.is_dir():
        raise BridgeError(
            f"there are no samples at {samples}: an installed package has none; run this in a "
            "working copy of the repository, or name a folder with --samples"
        )
    try:
        as_expected = asyncio.run(_demonstrate(samples.resolve(), keep, everything))
    except asyncio.CancelledError:
        raise typer.Exit(INTERRUPTED) from None
    if not as_expected:
        raise typer.Exit(1)


async def _demonstrate(samples: Path, keep: bool, everything: bool) -> bool:
    """The whole demonstration; whether it ended as expected. A signal cancels it."""
    from bridge.cli.demo import show
    from bridge.demo import expected
    from bridge.demo.perform import Performance
    from bridge.demo.stage import staged

    _cancelled_by_signals()
    out = console()
    must = expected.read(samples / expected.FILE)
    with out.status("starting sandbox, hospital and bridge") as spinner:
        async with staged() as stage:
            played = await Performance(stage, samples).play(
                lambda folder: spinner.update(f"replaying {folder.relative_to(samples)}")
            )
            differences = list(expected.differences(must, played))
            show.show_summary(out, played)
            show.show_verdict(out, differences, played, samples / expected.FILE)
            show.show_unusual(out, played)
            if everything:
                show.show_all(out, stage, played)
            else:
                lines(out, f"\n{_command()} demo --all shows each file, call and message.")
            if keep:
                show.show_ways_in(out, stage, _command())
                spinner.update("running; Ctrl-C stops everything")
                await _interrupted()
            spinner.update("stopping")
    return not differences


async def _interrupted() -> None:
    """Wait for the signal, which is the usual end of what was to be kept."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


def _command() -> str:
    """How this command was called, for others to be called likewise."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "bridge" else "python -m bridge"


def _cancelled_by_signals() -> None:
    """SIGINT and SIGTERM cancel this task, once: stopping everything must not be disturbed."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None

    def cancel() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, cancel)
