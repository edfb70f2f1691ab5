"""`bridge status`, `bridge messages`, `bridge messages show`: what became of everything."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from bridge.cli.options import AsJson, Config, Reveal, settings_of
from bridge.cli.reach import Reach
from bridge.cli.tables import console, print_json, short, table, when
from bridge.errors import BridgeError
from bridge.message import Status

messages_app = typer.Typer(invoke_without_command=True, add_completion=False)


def status(config: Config = None, as_json: AsJson = False) -> None:
    """Show counts by status, the oldest waiting message, what is held, and the call budget.

    Example: bridge status --json
    """
    report = Reach(settings_of(config)).status()
    if as_json:
        print_json(report)
        return
    out = console()
    out.print(_verdict(report))
    out.print(table("", ("status", "messages"), _counted(report)))
    if report["held_for"]:
        rows = [(row["waits_for"], row["count"]) for row in report["held_for"]]
        out.print(table("held for", ("waits for", "waiting"), rows))
    for line in report.get("notices", []):
        out.print(f"! {line}", markup=False)
    if "budget" in report:
        out.print(_budget(report["budget"]), markup=False)


def _verdict(report: dict[str, Any]) -> str:
    counts = report["messages"]
    if not report["running"]:
        return "The service is not running; this is what its store holds."
    if report.get("paused"):
        return f"Delivery is paused: {counts['waiting']} messages wait. Let go: bridge resume"
    if counts["parked"]:
        return f"{counts['parked']} messages need a person: bridge messages --status parked"
    if counts["waiting"]:
        oldest = report["oldest_waiting_seconds"] or 0
        return f"{counts['waiting']} messages are on their way, the oldest for {oldest:.0f} s."
    if counts["held"]:
        return f"{counts['held']} messages are held until what they wait for comes."
    return "All that was taken is delivered."


def _counted(report: dict[str, Any]) -> list[tuple[str, int]]:
    return [(name, count) for name, count in report["messages"].items() if count]


def _budget(budget: dict[str, Any]) -> str:
    if budget.get("limit") is None:
        return f"calls: {budget['used']} in the last hour, no limit"
    return f"calls: {budget['used']} of {budget['limit']} in the last hour"


@messages_app.callback()
def messages(
    context: typer.Context,
    status: Annotated[
        Status | None, typer.Option("--status", help="Only messages of this status.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 50,
    reveal: Reveal = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List messages, newest first, with what became of each.

    Example: bridge messages --status parked
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_of(config)
    rows = Reach(settings).messages(status, limit, reveal)
    if as_json:
        print_json(rows)
        return
    columns = ("id", "received", "channel", "type", "answer", "status", "cause", "reason")
    zone = settings.site.time_zone
    console().print(
        table(
            "",
            columns,
            (
                (
                    row["id"],
                    when(row["received_at"], zone),
                    row["channel"],
                    row["message_type"],
                    row["answer"],
                    row["status"],
                    row["verdict"],
                    row["reason"] or row["waits_for"],
                )
                for row in rows
            ),
        )
    )


@messages_app.command("show")
def show(
    message_id: Annotated[int, typer.Argument(metavar="ID", help="Its number in the list.")],
    reveal: Reveal = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show one message: its answer, its calls, where each field came from, every attempt.

    Example: bridge messages show 42 --reveal
    """
    settings = settings_of(config)
    report = Reach(settings).message(message_id, reveal)
    if report is None:
        raise BridgeError(f"there is no message {message_id}; 'bridge messages' lists them")
    if as_json:
        print_json(report)
        return
    out = console()
    _print_message(out, report, settings.site.time_zone)
    for delivery in report["deliveries"]:
        _print_delivery(out, delivery, settings.site.time_zone)


def _print_message(out: Console, report: dict[str, Any], zone: str) -> None:
    rows = [
        ("received", when(report["received_at"], zone)),
        ("channel", report["channel"]),
        ("type", report["message_type"]),
        ("control id", report["control_id"]),
        ("answered", report["answer"]),
        ("status", report["status"]),
        ("cause", report["verdict"]),
        ("reason", report["reason"]),
        ("waits for", report["waits_for"]),
        ("mapping", f"{report['mapping']} {report['mappings_hash'][:12]}".strip()),
        ("came again", report["duplicates"] or ""),
    ]
    out.print(table(f"message {report['id']}", ("", ""), [row for row in rows if row[1]]))
    if report["body"] is not None:
        out.print(report["body"], markup=False)


def _print_delivery(out: Console, delivery: dict[str, Any], zone: str) -> None:
    title = f"{delivery['interaction']} {delivery['resource']} {delivery['external_id']}"
    out.print(f"\n{title}: {delivery['status']} {delivery['reason']}", markup=False)
    payload = delivery["payload"]
    rows = [
        (o["field"], short(payload.get(o["field"], "")), named(o["path"]), o["raw"], o["rule"])
        for o in delivery["lineage"]
    ]
    if rows:
        out.print(table("", ("field", "value", "from", "raw", "rule"), rows))
    attempts = [
        (when(a["started_at"], zone), a["method"], a["status"], a["outcome"], a.get("why", ""))
        for a in delivery["attempts"]
    ]
    if attempts:
        out.print(table("", ("tried", "request", "answer", "outcome", "why"), attempts))


def named(path: str) -> str:
    """A source path with the standard's name for it: `PID-5[1] Patient Name`."""
    from bridge.hl7v2.grammar import field_name

    name = field_name(path, "2.5.1") if path[:3].isupper() and "-" in path else ""
    return f"{path} {name}".strip()
