"""The demonstration as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bridge.cli.demo.expected import Difference
from bridge.cli.demo.played import Done, Ended, Played, Received
from bridge.cli.demo.stage import HOST, Stage
from bridge.cli.tables import COLOURS
from bridge.message import Status
from bridge.pipeline.report import text_of
from bridge.settings import PREFIX

#: what each end of a message means
_MEANINGS = {
    "delivered": "ZautoAI or the hospital has it",
    "suppressed": "nothing had changed, so no call was made",
    "superseded": "a later message carried it",
    "held": "waits for a record that was never sent, and goes on by itself when it comes",
    "parked": "a person must act: the cause is named above",
    "rejected": "refused with a negative answer, and kept",
    "unmapped": "kept and acknowledged; no mapping takes this message type",
    "duplicate": "had come before: answered as then, no new work",
    "quarantined": "not readable at all: the connection was closed, the beginning kept",
    "waiting": "still on its way",
}
#: what stands where a delivery needed no call
_UNCALLED = {Status.SUPPRESSED: "unchanged", Status.SUPERSEDED: "in a later one"}
#: resources that have a column of their own: those that are called most
_COLUMNS = 3
_MARKS = {"quarantined": "red", "duplicate": "cyan", **COLOURS}


def show(out: Console, played: Played) -> None:
    """Everything that happened."""
    _heading(out, "What came in, and how it was acknowledged")
    out.print(_incoming(played.ended))
    _heading(out, "Which calls were made to ZautoAI, and how they were answered")
    out.print(_calls(played.ended))
    _heading(out, "Which HL7 went out to the hospital")
    for ended in played.ended:
        for message in ended.received:
            _outgoing(out, ended, message)
    _heading(out, "In all")
    out.print(_summary(played))


def show_addresses(out: Console, stage: Stage) -> None:
    """Where everything listens."""
    made = _pairs()
    made.add_row("ZautoAI's sandbox", stage.sandbox)
    made.add_row("hospital's receiver", f"{HOST}:{stage.hospital.port} (MLLP)")
    made.add_row(
        "bridge", f"{HOST}:{stage.mllp_port} (MLLP), {stage.http}/fhir, {stage.http}/orders"
    )
    out.print(made)


def show_verdict(
    out: Console, differences: Sequence[Difference], played: Played, file: Path
) -> None:
    """What differs, one by one, and how it ended."""
    count = len(played.ended)
    took = f"{count} messages in {played.seconds:.1f} s"
    if not differences:
        out.print(Text(f"\nAll ended as {file} says: {took}.", style="bold green"))
        return
    _heading(out, f"What is not as {file} says")
    for each in differences:
        out.print(Text.assemble((each.where, "bold"), f": {each.what}"))
        out.print(Text.assemble("  expected  ", (each.expected, "green")))
        out.print(Text.assemble("  actual    ", (each.actual, "red")))
    out.print(Text(f"\n{len(differences)} differences; {took}.", style="bold red"))


def show_ways_in(out: Console, stage: Stage, command: str) -> None:
    """How to look at what runs, and to send it more."""
    _heading(out, "Running until Ctrl-C; from another terminal")
    config = f"--config {stage.config}"
    out.print(
        Text(
            f"{command} status {config}\n"
            f"{command} messages {config} --reveal\n"
            f"export {PREFIX}FHIR__API_KEY={stage.keys.fhir}"
            f" {PREFIX}ORDERS__API_KEY={stage.keys.orders}\n"
            f"{command} replay FILE... {config}",
        ),
        soft_wrap=True,
    )
    show_addresses(out, stage)


def _heading(out: Console, words: str) -> None:
    out.print()
    out.print(Rule(Text(words, style="bold"), align="left", style="dim"))


def _incoming(ended: Iterable[Ended]) -> Table:
    columns = ("file", "type", "answer", "became", "why")
    return _by_folder(
        ended,
        columns,
        lambda each: [(_name(each), each.message_type, each.answer, each.status, _why(each))],
    )


def _why(ended: Ended) -> str:
    if not ended.waited_for:
        return ended.why
    return "; ".join(filter(None, (f"held until {ended.waited_for} came", ended.why)))


def _calls(ended: Iterable[Ended]) -> Table:
    concerned = [each for each in ended if each.done]
    # in the order of the message with the most calls, so that patients come before visits
    by_calls = sorted(concerned, key=lambda each: len(each.done), reverse=True)
    called = Counter(done.resource for each in by_calls for done in each.done)
    most = [name for name, _ in called.most_common(_COLUMNS)]
    own = [name for name in called if name in most]

    def rows(each: Ended) -> Iterator[Sequence[str]]:
        yield (_name(each), *(_cell(each, name) for name in own))
        for name in dict.fromkeys(done.resource for done in each.done):
            if name not in own:
                yield (f"  {name}", _cell(each, name))

    return _by_folder(concerned, ("file", *own), rows)


def _cell(ended: Ended, resource: str) -> str:
    done = (each for each in ended.done if each.resource == resource)
    return "\n".join(f"{each.external_id}  {_went(each)}" for each in done)


def _went(done: Done) -> str:
    if not done.calls:
        return _UNCALLED.get(Status(done.status), done.status)
    return ", ".join(f"{method} {status or 'no answer'}" for method, _, status in done.calls)


def _by_folder(
    ended: Iterable[Ended],
    columns: Sequence[str],
    rows: Callable[[Ended], Iterable[Sequence[str]]],
) -> Table:
    """A table with a line for each folder above its files, each of which has one or several."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold", no_wrap=name in ("file", "answer"))
    for folder, group in groupby(ended, key=lambda each: each.sample.rpartition("/")[0]):
        made.add_row(Text(folder, style="bold blue"))
        for each in group:
            for name, *values in rows(each):
                made.add_row(f"  {name}", *map(_coloured, values))
    return made


def _name(ended: Ended) -> str:
    name = ended.sample.rpartition("/")[2]
    return f"{name} ({ended.index + 1})" if ended.index else name


def _coloured(value: str) -> Text:
    return Text(value, style=_MARKS.get(value, ""))


def _outgoing(out: Console, ended: Ended, message: Received) -> None:
    out.print(Text(f"for {ended.sample}", style="bold blue"))
    out.print(_segments(message.body, "  "))
    for answer in message.answers:
        out.print(Text("  answered with", style="dim"))
        out.print(_segments(answer, "    "))


def _segments(body: bytes, indent: str) -> Padding:
    """A message as people read it: a segment a line, its name set off."""
    text = Text()
    for line in text_of(body).strip().splitlines():
        text.append(line[:3], style="bold cyan")
        text.append(f"{line[3:]}\n")
    text.rstrip()
    return Padding(text, (0, 0, 0, len(indent)))


def _summary(played: Played) -> Table:
    made = _pairs()
    counted = Counter(each.status for each in played.ended)
    for name, meaning in _MEANINGS.items():
        if counted[name]:
            made.add_row(_coloured(name), f"{counted[name]:3}  {meaning}")
    budget = played.status["budget"]
    made.add_row(
        "calls",
        f"{played.journal.total():3}  to ZautoAI's resources; with the token"
        f" {budget['used']} of the {budget['limit']} an hour that it allows",
    )
    return made


def _pairs() -> Table:
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column()
    made.add_column(overflow="fold")
    return made
