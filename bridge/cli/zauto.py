"""`bridge zauto`: check credentials and look at what ZautoAI holds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.options import AsJson, Config, Reveal, reach_of, settings_of
from bridge.cli.tables import console, print_json, say, short, table, when
from bridge.moments import lasting

if TYPE_CHECKING:
    from bridge.reports.status import BudgetReport

zauto_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Check credentials and look at what ZautoAI holds.\n\n"
    "Each call counts against ZautoAI's limit: a running bridge makes it and counts it with its "
    "own, else its store does.\n\nExample: bridge zauto ping",
)

Resource = Annotated[
    str, typer.Argument(metavar="RESOURCE", help="patients, patient-visits, providers …")
]


@zauto_app.command("ping")
def ping(config: Config = None, as_json: AsJson = False) -> None:
    """Check that ZautoAI answers and takes the credentials.

    Asks for a new token and for one page of a list: two calls. Says what is wrong and what to do
    where one fails, and exits 1. After a ping that is answered, calls that a running bridge had
    stopped go on.

    Example: bridge zauto ping
    """
    told = reach_of(settings_of(config)).zauto({"what": "ping"})
    if as_json:
        print_json(told)
        return
    rows = [
        ("address", told["address"]),
        ("client id", told["client_id"]),
        (
            "token",
            f"given in {told['token_milliseconds']:.0f} ms, good for "
            f"{lasting(told['token_seconds'])}",
        ),
        ("call", f"answered in {told['call_milliseconds']:.0f} ms"),
        ("limit", _told_limit(told["limit"])),
        ("clock", _told_clock(told["clock_ahead_seconds"])),
    ]
    console().print(table("ZautoAI answers and takes the credentials", ("", ""), rows))


def _told_limit(limit: dict[str, Any] | None) -> str:
    if limit is None:
        return "not told"
    reset = lasting(limit["reset_in"])
    return f"{limit['remaining']} of {limit['limit']} calls left, whole again in {reset}"


def _told_clock(ahead: float) -> str:
    if abs(ahead) < 5:
        return "agrees with ZautoAI's"
    return f"this machine's is {lasting(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}"


@zauto_app.command("get")
def get(
    resource: Resource,
    external_id: Annotated[str, typer.Argument(metavar="ID", help="The hospital's id of it.")],
    reveal: Reveal = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show one record as ZautoAI holds it; exits 1 where it has none.

    Patient data is hidden unless --reveal is given; which fields are set is shown.

    Example: bridge zauto get patients MRN-1 --reveal
    """
    question = {"what": "get", "resource": resource, "id": external_id, "reveal": reveal}
    told = reach_of(settings_of(config)).zauto(question)
    if as_json:
        print_json(told)
    elif not told["found"]:
        say(f"ZautoAI has no {external_id} among {resource}.")
    else:
        rows = [(name, short(value)) for name, value in told["record"].items()]
        console().print(table(f"{resource} {external_id}", ("field", "value"), rows))
    if not told["found"]:
        raise typer.Exit(1)


@zauto_app.command("list")
def list_(
    resource: Resource,
    search: Annotated[str, typer.Option("--search", help="Only what ZautoAI finds by this.")] = "",
    page: Annotated[int, typer.Option("--page", min=1, help="Which page.")] = 1,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="Records a page.")] = 10,
    reveal: Reveal = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List records as ZautoAI holds them, one page: one call.

    The table shows what records are known by, --json all of their fields. Patient data is hidden
    unless --reveal is given.

    Example: bridge zauto list patients --search rao --limit 20
    """
    question = {"what": "list", "resource": resource, "search": search, "page": page}
    question |= {"limit": limit, "reveal": reveal}
    told = reach_of(settings_of(config)).zauto(question)
    if as_json:
        print_json(told)
        return
    records = told["records"]
    if records:
        names = [name for name in told["columns"] if any(name in record for record in records)]
        rows = [
            [short(record[name]) if name in record else "" for name in names] for record in records
        ]
        console().print(table("", names, rows))
    say(_told_page(told, resource, page))


def _told_page(told: dict[str, Any], resource: str, page: int) -> str:
    pagination = told["pagination"]
    total, pages = pagination.get("totalCount"), pagination.get("totalPages")
    count = f"{len(told['records'])} of {total}" if total is not None else len(told["records"])
    if not pagination.get("hasNext"):
        return f"{count} {resource}"
    return f"{count} {resource}, page {page} of {pages}; the next: --page {page + 1}"


@zauto_app.command("budget")
def budget(config: Config = None, as_json: AsJson = False) -> None:
    """Show the calls used and left, and when what waits will have gone; makes no call.

    Example: bridge zauto budget
    """
    settings = settings_of(config)
    told = reach_of(settings).budget()
    if as_json:
        print_json(told)
        return
    zone = settings.site.time_zone
    if told.limit is None:
        say("Calls are not limited (zauto.limits is off).")
        return
    rows = [
        ("used in the last hour", f"{told.used} of {told.limit}"),
        ("the last of them counts until", when(told.resets_at, zone)),
        ("ZautoAI says left", _told_left(told, zone)),
        ("a new registration may go", _in(told.waiting)),
        ("calls that wait", told.calls_waiting),
        ("drained by about", drained_by(told, zone)),
    ]
    console().print(table("", ("", ""), [row for row in rows if row[1] != ""]))


def _told_left(told: BudgetReport, zone: str) -> str:
    left = told.remaining_at_zauto
    return "" if left is None else f"{left} until {when(told.reset_at_zauto, zone)}"


def _in(seconds: float) -> str:
    return "now" if seconds <= 0 else f"in {lasting(seconds)}"


def drained_by(budget: BudgetReport, zone: str) -> str:
    """When all that waits will have gone, to the minute; "" where that cannot be foreseen."""
    seconds = budget.drained_in
    if seconds is None or not budget.calls_waiting:
        return ""
    moment = when(time.time() + seconds, zone)
    return moment[11:16] if seconds < 12 * 3600 else moment[:16]
