"""`bridge mapping reload`, `versions` and `rollback`: other mappings, without a restart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.options import AsJson, Config, reach_of, settings_of
from bridge.cli.tables import console, print_json, print_rows, say, table, when
from bridge.errors import BridgeError, DoorError

if TYPE_CHECKING:
    from bridge.cli.reach import Reach
    from bridge.reports.lists import VersionRow


def reload(config: Config = None, as_json: AsJson = False) -> None:
    """Have the running service take the files of mappings as they are now.

    Wrong ones are refused: every fault is told, the present mappings stay, and the exit is 1.
    What was pinned by 'bridge mapping rollback' is pinned no longer.

    Example: bridge mapping reload
    """
    _tell(_asked(reach_of(settings_of(config)), {"ask": "reload"}), as_json)


def rollback(
    hash: Annotated[
        str,
        typer.Argument(
            metavar="[HASH]",
            help="The mappings to use, by the beginning of their hash; without it those before.",
            show_default=False,
        ),
    ] = "",
    site: Annotated[
        str | None,
        typer.Option(
            "--site",
            metavar="SITE",
            help="Whose mappings; needed where several sites are in use.",
            show_default=False,
        ),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Bring earlier mappings back, as the store keeps them; the files are left as they are.

    They stay, over a restart too, until 'bridge mapping reload' takes the files again.

    Example: bridge mapping rollback
    """
    question = {"ask": "rollback", "hash": hash, "site": site}
    _tell(_asked(reach_of(settings_of(config)), question), as_json)


def versions(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 20,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the mappings that were in use, the latest first: hash, site, since when.

    Each message keeps the hash of the mappings it was translated with ('bridge messages show').

    Example: bridge mapping versions
    """
    settings = settings_of(config)
    rows, zone = reach_of(settings).versions(limit), settings.site.time_zone
    columns = ("hash", "site", "first used", "now")
    nothing = "No mappings were in use yet."
    print_rows(rows, as_json, nothing, columns, lambda row: _cells(row, zone))


def _cells(row: VersionRow, zone: str) -> tuple[str, ...]:
    return row.hash, _sites(row.sites), when(row.first_used_at, zone), _now(row)


def _asked(reach: Reach, question: dict[str, Any]) -> dict[str, Any]:
    try:
        return reach.change_mappings(question)
    except DoorError as error:
        raise BridgeError(
            f"{error}: 'bridge run' reads the files when it starts; name its settings with --config"
        ) from error


def _tell(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(report)
    elif report["taken"]:
        _tell_taken(report["sets"])
    else:
        _tell_refused(report["faults"])
    if not report["taken"]:
        raise typer.Exit(1)


def _tell_taken(sets: list[dict[str, Any]]) -> None:
    for each in sets:
        name = each["site"] or "shipped mappings"
        if each["changed"]:
            files = ", ".join(each["files"]) or "settings of the site"
            say(f"{name}: {each['before']} -> {each['hash']} ({files})")
        else:
            say(f"{name}: {each['hash']}, as before")


def _tell_refused(faults: list[dict[str, Any]]) -> None:
    out = console()
    rows = [
        (
            f"{fault['file']}:{fault['line']}:{fault['column']}",
            fault["key"],
            fault["message"],
            fault["suggestion"] or "",
        )
        for fault in faults
    ]
    out.print(table("refused; the present mappings stay", ("where", "key", "fault", "meant"), rows))


def _sites(sites: Sequence[str]) -> str:
    return ", ".join(site or "(shipped)" for site in sites)


def _now(row: VersionRow) -> str:
    told = [f"{site or '(shipped)'} pinned" for site in row.pinned_by]
    others = [site for site in row.in_use_by if site not in row.pinned_by]
    return ", ".join([*told, *(f"{site or '(shipped)'} in use" for site in others)])
