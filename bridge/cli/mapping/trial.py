"""`bridge mapping test`: run the tests that stand beside mappings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.confine import users_umask
from bridge.cli.options import Config, settings_of
from bridge.cli.tables import say
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.study.trial import Trial

SiteFolder = Annotated[
    str | None,
    typer.Option(
        "--site",
        metavar="SITE",
        help="A site's folder of mappings, or its name in mappings.sites; without it the sites "
        "that channels name.",
        show_default=False,
    ),
]


def try_tests(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME...]",
            help="Only tests of which one of these is a part of their name.",
            show_default=False,
        ),
    ] = None,
    site: SiteFolder = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write what is now as what is expected; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
) -> None:
    """Run the tests beside mappings; a test that fails is told with what differs.

    A test is a message and the calls it must become, in hl7v2/NAME_test.yaml and the like.
    Exit 1 where one fails. With --update each difference is shown, then written into its file.

    Example: bridge mapping test adt_registration
    """
    trials = run(settings_of(config), site, names or [])
    failed = [trial for trial in trials if trial.faults]
    _tell(trials, failed)
    if update:
        _update([trial for trial in failed if trial.ran], yes)
    if any(not (update and trial.ran) for trial in failed):
        raise typer.Exit(1)


def run(settings: Settings, site: str | None, names: Sequence[str]) -> list[Trial]:
    """The tests whose name holds one of `names`, each run.

    Raises MappingError for mappings or files of tests that are wrong.
    """
    from bridge.service.parts import read_parts
    from bridge.study.benches import benches, run_all

    settings = with_site(settings, site)
    trials = run_all(benches(read_parts(settings), settings), names)
    if not trials:
        raise BridgeError("there is no such test" if names else "there are no tests")
    return trials


def with_site(settings: Settings, site: str | None) -> Settings:
    """The settings with one site, of this name or folder, for all channels."""
    if site is None:
        return settings
    sites = settings.mappings.sites
    is_folder = not (sites / site).is_dir() and Path(site).is_dir()
    folder = Path(site) if is_folder else sites / site
    mappings = settings.mappings.model_copy(update={"sites": folder.parent, "site": folder.name})
    channels = tuple(each.model_copy(update={"site": ""}) for each in settings.channels)
    return settings.model_copy(update={"mappings": mappings, "channels": channels})


def _tell(trials: Sequence[Trial], failed: Sequence[Trial]) -> None:
    for trial in failed:
        typer.secho(f"{trial.name}", bold=True)
        for fault in trial.faults:
            say(f"  {fault}")
    passed = len(trials) - len(failed)
    say(f"{passed} passed, {len(failed)} failed")


def _update(failed: Sequence[Trial], yes: bool) -> None:
    """Write what was made into each file, from its last test to its first: lines move."""
    from bridge.study.cases.write import updated

    count = len(failed)
    if not count:
        return
    if not yes and not typer.confirm(f"Expect this from now on ({count} tests)?"):
        raise typer.Exit(1)
    for trial in reversed(failed):
        file = Path(trial.file.file)
        try:
            text = updated(file.read_text(encoding="utf-8"), trial.case, trial.made)
        except ValueError as error:
            raise BridgeError(f"{file}:{trial.case.place.line}: {error}") from error
        write_anew(file, text)
    say(f"{count} written; read them before you keep them")


def write_anew(file: Path, text: str) -> None:
    """Replace a file whole, so that it is never half written; make its folder where needed."""
    beside = file.with_name(f".{file.name}.new")
    with users_umask():
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
    beside.replace(file)
