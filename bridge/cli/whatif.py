"""`bridge whatif`: what a change of the mappings would do, tried on past traffic."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bridge.cli.options import AsJson, Config, settings_of
from bridge.cli.since import Paths, Since, check_chosen, seconds_of, view_of
from bridge.cli.tables import console, lines, print_json, say, short, table
from bridge.errors import BridgeError, MappingError
from bridge.message import Protocol
from bridge.settings import Settings
from bridge.yamlfile import nearest

if TYPE_CHECKING:  # what only this command needs is loaded when it runs
    from bridge.store.contract import View
    from bridge.study.whatif.run import Replacement
    from bridge.study.whatif.sides import Labelled, Pair

#: exit codes
DIFFERS, FAILED = 1, 2
_TITLES = {
    "call": "calls",
    "field": "fields",
    "holds": "held for",
    "problems": "problems",
    "remarks": "remarks",
    "taken": "taken",
}
_SIGNS = {"added": "new", "removed": "gone", "changed": "changed"}


Changed = Annotated[
    Path,
    typer.Option(
        "--mappings",
        metavar="DIR",
        help="The changed mappings: a site's folder, read in place of that site's; or, where it "
        "holds zauto/, a whole set, read in place of the shipped one.",
    ),
]
OfSite = Annotated[
    str | None,
    typer.Option("--site", metavar="NAME", help="Whose it is, where channels name several sites."),
]
Allowed = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="NAME",
        help="A difference that is meant: patients.gender, all of patients, holds, problems, "
        "remarks or taken. It is shown and does not count. May be said several times.",
    ),
]
Values = Annotated[
    bool, typer.Option("--reveal", help="Show the values of examples, which are patient data.")
]


def whatif(
    mappings: Changed,
    paths: Paths = None,
    since: Since = None,
    site: OfSite = None,
    allow: Allowed = None,
    reveal: Values = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed mappings would do otherwise, tried on past traffic.

    Messages go through the present and the changed mappings in the order they came, under the same
    settings; nothing is sent or kept. Of the values in examples the form is shown, x for a letter
    and 9 for a digit. Exits 0 where nothing differs but what is allowed, 1 where something does,
    2 where nothing could be compared: wrong mappings, no message.

    Example: bridge whatif --mappings conf/sites/new --since 24h --allow patients.gender
    """
    with _failing():
        settings = settings_of(config)
        change = _change(mappings, site, settings)
        report = _report(change, paths or [], since, allow or [], reveal, settings)
    if as_json:
        print_json(report)
    else:
        _show(console(), report)
    raise typer.Exit(DIFFERS if report["differs"] else 0)


@contextmanager
def _failing() -> Iterator[None]:
    """Tell what is wrong, and exit with a code of its own: a gate must not take it for a
    difference."""
    try:
        yield
    except MappingError as error:
        for fault in error.faults:
            say(str(fault), error=True)
        raise typer.Exit(FAILED) from error
    except BridgeError as error:
        say(f"bridge: {error}", error=True)
        raise typer.Exit(FAILED) from error


def _change(folder: Path, site: str | None, settings: Settings) -> Replacement:
    from bridge.study.whatif.run import Replacement

    if not folder.is_dir():
        raise BridgeError(f"no such folder: {folder}")
    sites = settings.sites()
    if site is not None and site not in sites:
        known = ", ".join(filter(None, sites)) or "no site"
        raise BridgeError(f"--site {site}: the channels name {known}")
    change = Replacement(folder, sites[0] if site is None else site)
    if site is None and len(sites) > 1 and not change.whole:
        named = ", ".join(name or '""' for name in sites)
        raise BridgeError(f"say with --site which site {folder} is for: {named}")
    return change


def _report(
    change: Replacement,
    paths: list[Path],
    since: str | None,
    allow: list[str],
    reveal: bool,
    settings: Settings,
) -> dict[str, Any]:
    from bridge.study.whatif.run import pair_of, whatif
    from bridge.study.whatif.told import told

    check_chosen(paths, since)
    pair = pair_of(settings, change)
    check_allowed(allow, pair)
    view = view_of(settings) if since else None
    messages = _kept(view, since) if view and since else _of_files(paths, pair, settings)
    found = whatif(messages, settings, change, view)
    if not found.messages:
        raise BridgeError("no message to compare: name other files, or a longer --since")
    return told(found, frozenset(allow), reveal=reveal)


def _kept(view: View, since: str) -> Iterator[Labelled]:
    from bridge.study.traffic import from_store

    start = time.time() - seconds_of(since)
    return ((str(kept.id), kept.message) for kept in from_store(view, start))


def _of_files(paths: Sequence[Path], pair: Pair, settings: Settings) -> Iterator[Labelled]:
    """What the door would take by either set of mappings."""
    from bridge.study.traffic import RefusedMessage, from_files

    def takes(channel: str, protocol: Protocol, kind: str) -> bool:
        return any(sets.takes(channel, protocol, kind) for sets in (pair.present, pair.changed))

    for part, message in from_files(paths, takes, settings, time.time):
        if not isinstance(message, RefusedMessage):
            yield f"{part.path} [{part.index}]" if part.index else str(part.path), message


def check_allowed(names: Sequence[str], pair: Pair) -> None:
    """Every name must be one of a call or field of either set; raises BridgeError."""
    from bridge.study.whatif.difference import About

    known = {str(about) for about in About} - {"call", "field"}
    for sets in (pair.present, pair.changed):
        for mappings in sets.by_site.values():
            known |= {name for mapping in mappings.all for name in _names_of(mapping)}
    for name in names:
        if name not in known:
            near = nearest(name, known)
            meant = f". Did you mean '{near}'?" if near else ""
            raise BridgeError(f"--allow {name}: no mapping fills it{meant}")


def _names_of(mapping: Any) -> Iterator[str]:
    from bridge.mapping.engine.reads import rules_of_call
    from bridge.study.whatif.compare import BESIDE

    for call in mapping.calls:
        yield call.resource
        yield from (f"{call.resource}.{name}" for name in rules_of_call(call))
        yield from (f"{call.resource}.facts.{fact.name}" for fact in call.facts)
        for name in BESIDE:
            yield f"{call.resource}.{name}"


def _show(out: Console, report: dict[str, Any]) -> None:
    lines(out, summary(report), style="bold")
    for about, title in _TITLES.items():
        found = [each for each in report["differences"] if each["about"] == about]
        rows = [(each["what"], *_counted(each)) for each in found]
        if rows:
            out.print()
            out.print(table("", (title, "", "messages", ""), rows))
    shown = [each for each in report["differences"] if each["about"] in ("call", "field")]
    examples = [row for each in shown for row in _examples(each)]
    if examples:
        out.print()
        columns = ("example", "message", "now", "changed")
        out.print(table("side by side", columns, examples))


def summary(report: dict[str, Any]) -> str:
    """The one sentence that matters."""
    count, differing = report["messages"], report["differing"]
    whole = f"{count} message{'' if count == 1 else 's'}"
    if report["untaken"]:
        whole += f" ({report['untaken']} of types that no mapping takes)"
    if not differing:
        return f"{whole}: nothing differs."
    allowed = "" if report["differs"] else ", all of it allowed"
    return f"{whole}: {differing} would come to something else{allowed}."


def _counted(each: dict[str, Any]) -> tuple[str, int, str]:
    return _SIGNS[each["kind"]], each["messages"], "allowed" if each["allowed"] else ""


def _examples(each: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (each["what"], example["message"], *map(_side, (example["present"], example["changed"])))
        for example in each["examples"]
        if (example["present"], example["changed"]) != (None, None)
    ]


def _side(value: Any) -> str:
    return "" if value is None else short(value)
