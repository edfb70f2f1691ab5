"""`bridge status`, `bridge messages`, `bridge messages show`: what became of everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bridge.causes import CauseKind
from bridge.cli.explain import lineage_table, title_of
from bridge.cli.grid import Grid
from bridge.cli.notices import all_rows, first_notices, last_notices, print_notices
from bridge.cli.options import AsJson, Config, Reveal, cause_named, reach_of, settings_of
from bridge.cli.status import StatusUnknown, status_code, stuck_tables
from bridge.cli.tables import console, lines, print_json, print_rows, table, when
from bridge.errors import BridgeError
from bridge.message import Status
from bridge.notices import Notice, NoticeKind, sentence
from bridge.store.acknowledgments import Answering

if TYPE_CHECKING:
    from bridge.cli.reach import Reach
    from bridge.reports.calls import AttemptReport, DeliveryReport
    from bridge.reports.lists import QuarantineRow
    from bridge.reports.messages import ErrorRow, LaterReport, MessageReport, MessageRow
    from bridge.reports.remarks import RemarkReport
    from bridge.reports.status import DeviationRow, StatusReport

#: a duplicate is counted at the message it repeats and is none of its own
_STATUSES = ", ".join(status for status in Status if status is not Status.DUPLICATE)
#: lines of what is wrong with a message's structure
_FAULTS_SHOWN = 20

messages_app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)


def status(config: Config = None, reveal: Reveal = False, as_json: AsJson = False) -> None:
    """Show what is stuck, why and since when, with all counts.

    The first lines say what a person must do; then come counts by status, what is parked and
    held, what a destination is in trouble with, and the call budget.

    Exits 0 when all is done or on its way; 1 when a person is needed (something is parked, or to
    be done by hand); 2 when delivery is stopped, the service does not run, or nothing is
    acknowledged.

    Example: bridge status --json
    """
    try:
        settings = settings_of(config)
        report = reach_of(settings).status(reveal=reveal)
    except BridgeError as error:
        raise StatusUnknown(str(error)) from error
    zone = settings.site.time_zone
    if as_json:
        print_json(report.model_copy(update={"lines": all_rows(report, zone)}))
    else:
        _print_status(report, zone)
    raise typer.Exit(status_code(report))


def _print_status(report: StatusReport, zone: str) -> None:
    """Notices and tables: only of these is it made."""
    out = console()
    print_notices(out, first_notices(report), zone)
    for row in report.lines:
        lines(out, f"! {row.text}")
    for made in (*_counts(report), *stuck_tables(report, zone)):
        out.print()
        out.print(made)
    out.print()
    print_notices(out, last_notices(report, zone), zone)
    if report.contract:
        out.print()
        out.print(_contract(report.contract, zone))


def _counts(report: StatusReport) -> Iterator[Grid]:
    """How many messages of each status, and what is held for what, where there are any."""
    counted = [(name, count) for name, count in report.messages.items() if count]
    if counted:
        yield table("", ("status", "messages"), counted)
    held = [(row.waits_for, row.count) for row in report.held_for]
    if held:
        yield table("", ("held for", "messages and calls that wait"), held)
    unmapped = [(row.message_type, row.count) for row in report.unmapped_types]
    if unmapped:
        yield table("", ("no mapping takes", "messages"), unmapped)


def _contract(seen: list[DeviationRow], zone: str) -> Grid:
    rows = ((s.what, s.where, s.count, when(s.first_at, zone), when(s.last_at, zone)) for s in seen)
    columns = ("what", "where", "times", "first", "last")
    return table(sentence(Notice(NoticeKind.CONTRACT_DEVIATIONS), zone), columns, rows)


@messages_app.callback()
def messages(
    context: typer.Context,
    status: Annotated[
        Status | None,
        typer.Option(
            "--status", metavar="STATUS", help=f"Only messages of this status: {_STATUSES}."
        ),
    ] = None,
    cause: Annotated[
        str | None,
        typer.Option(
            "--cause", metavar="NAME", help="Only messages with this cause, such as incomplete."
        ),
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
    kind = cause_named(cause) if cause else None
    rows, zone = reach_of(settings).messages(status, limit, reveal, kind), settings.site.time_zone
    columns = ("id", "status", "type", "answer", "received", "channel", "cause", "reason")
    nothing = _none_listed(status, kind)
    print_rows(rows, as_json, nothing, columns, lambda row: _message_cells(row, zone))


def _none_listed(status: Status | None, cause: CauseKind | None) -> str:
    if cause:
        return f"No message {f'is {status} and ' if status else ''}has the cause {cause}."
    return f"No message is {status}." if status else "No message has come yet."


def _message_cells(row: MessageRow, zone: str) -> tuple[Any, ...]:
    came = when(row.received_at, zone), row.channel
    return row.id, row.status, row.message_type, answered(row), *came, row.cause, _told(row)


def answered(row: MessageRow) -> str:
    """MSA-1, and where the application acknowledgment is that follows it: `CA, AA sent`."""
    return ", ".join(filter(None, (row.answer, row.application_answer)))


def _told(row: MessageRow) -> str:
    """Why a message is where it is: the reason, what it waits for, and that it came again."""
    told = [row.reason] if row.reason else []
    if row.waits_for and row.status == Status.HELD:
        told.append(f"for {row.waits_for}")
    if count := len(row.remarks):
        told.append(f"{count} remark{'' if count == 1 else 's'}")
    if row.duplicates:
        told.append(f"came again {row.duplicates}x")
    return "; ".join(told)


@messages_app.command("quarantine")
def quarantine(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 50,
    reveal: Reveal = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List what came in and was no message: when, from where, why; with --reveal how it began.

    Example: bridge messages quarantine --reveal
    """
    settings = settings_of(config)
    rows, zone = reach_of(settings).quarantine(limit, reveal), settings.site.time_zone
    columns, nothing = (
        ("id", "received", "reason", "from", "channel", "begins"),
        "Nothing is in quarantine.",
    )
    print_rows(rows, as_json, nothing, columns, lambda row: _quarantine_cells(row, zone))


def _quarantine_cells(row: QuarantineRow, zone: str) -> tuple[Any, ...]:
    return row.id, when(row.at, zone), row.reason, row.peer, row.channel, row.head


@messages_app.command("show")
def show(
    ids: Annotated[
        list[int], typer.Argument(metavar="ID...", help="Its number in the list; several at once.")
    ],
    reveal: Reveal = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show a message: its calls, where fields came from, attempts.

    Example: bridge messages show 42 --reveal
    """
    settings = settings_of(config)
    reach = reach_of(settings)
    reports = [_report(reach, message_id, reveal) for message_id in ids]
    if as_json:
        print_json(reports if len(reports) > 1 else reports[0])
        return
    out = console()
    for report in reports:
        _print_report(out, report, settings.site.time_zone, reveal=reveal)


def _report(reach: Reach, message_id: int, reveal: bool) -> MessageReport:
    report = reach.message(message_id, reveal)
    if report is None:
        raise BridgeError(f"there is no message {message_id}; 'bridge messages' lists them")
    return report


def _print_report(out: Console, report: MessageReport, zone: str, *, reveal: bool) -> None:
    _print_message(out, report, zone)
    if report.remarks:
        out.print(_remarks(report.remarks, reveal))
    for delivery in report.deliveries:
        _print_delivery(out, delivery, zone)


def _print_message(out: Console, report: MessageReport, zone: str) -> None:
    rows = [
        ("received", when(report.received_at, zone)),
        ("channel", report.channel),
        ("type", report.message_type),
        ("control id", report.control_id),
        ("answered", report.answer),
        ("application", _later(report.application_acknowledgment, zone)),
        ("status", report.status),
        ("cause", report.cause),
        ("reason", report.reason),
        ("who acts", report.verdict),
        ("lines", _sentences(report.lines)),
        ("structure", _sentences(report.structure)),
        ("waits for", report.waits_for),
        ("what to do", report.next),
        ("more", report.runbook),
        ("mapping", f"{report.mapping} {report.mappings_hash[:12]}".strip()),
        ("came again", report.duplicates or ""),
    ]
    out.print(table(f"message {report.id}", ("", ""), [row for row in rows if row[1]]))
    if report.body_gone:
        out.print(
            "\nPayload pruned: the text of this message was deleted; everything else is kept."
        )
    if report.body is not None:
        out.print()
        lines(out, report.body.strip())


def _remarks(remarks: list[RemarkReport], reveal: bool) -> Grid:
    """What the translation met and continued from; with what stood there if that is asked for."""
    columns = ("place", "remark", "code", *(("what stood there",) if reveal else ()))
    rows = [(each.path, each.text, each.code, each.sent) for each in remarks]
    return table("remarks", columns, [row[: len(columns)] for row in rows])


def _sentences(faults: list[str]) -> tuple[str, ...]:
    """What is odd about a message, a sentence a line; of very many the first."""
    told, more = faults[:_FAULTS_SHOWN], len(faults) - _FAULTS_SHOWN
    return (*told, f"{more} more; --json has them all") if more > 0 else tuple(told)


def _later(later: LaterReport | None, zone: str) -> str:
    """Where the application acknowledgment is: `AA sent since …`, `owed after delivery`."""
    if later is None:
        return ""
    told = f"{later.code} {later.state} since {when(later.since, zone)}".strip()
    if later.state == Answering.OWED:
        return f"{told}: follows after {later.after}"
    if later.state == Answering.DUE and not later.reason:
        return f"{told}: sent once {later.line} is reached"
    codes = "".join(f"; {_error(error)}" for error in later.errors)
    return f"{told}{codes}: {later.reason}" if later.reason else f"{told}{codes}"


def _error(error: ErrorRow) -> str:
    """An ERR without its text: `ERR-3 101, ERR-4 E at PID-3`."""
    place = f" at {error.location}" if error.location else ""
    return f"ERR-3 {error.code}, ERR-4 {error.severity}{place}"


def _print_delivery(out: Console, delivery: DeliveryReport, zone: str) -> None:
    why = f" ({delivery.reason})" if delivery.reason else ""
    again = f", tried again at {when(delivery.due_at, zone)}" if _retried(delivery) else ""
    lines(out, f"\n{title_of(delivery)}: {delivery.status}{why}{again}")
    if delivery.lineage:
        out.print(lineage_table(delivery))
    attempts = [
        (when(a.started_at, zone), a.method, _answer(a), a.outcome, a.why)
        for a in delivery.attempts
    ]
    if attempts:
        out.print(table("", ("tried", "request", "answer", "outcome", "why"), attempts))


def _answer(attempt: AttemptReport) -> str:
    """The HTTP status, or the codes of an acknowledgment."""
    return str(attempt.status or attempt.code)


def _retried(delivery: DeliveryReport) -> bool:
    """Whether it waits after an attempt, not for its turn."""
    return bool(delivery.status == Status.WAITING and delivery.attempts)
