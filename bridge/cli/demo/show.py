"""The demonstration as tables for people: the summary first, then what a person looks into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from bridge.cli.grid import Grid
from bridge.cli.tables import COLOURS, lines, table
from bridge.demo.expected import Difference
from bridge.demo.played import Ended, Played, PlayedDelivery, Received
from bridge.demo.stage import HOST, Stage
from bridge.message import Status
from bridge.senders.replay import NO_ANSWER
from bridge.settings import PREFIX
from bridge.visible import readable

#: what each end of a message means
_MEANINGS = {
    "delivered": "ZautoAI or the hospital has it",
    "suppressed": "nothing had changed, so no call was made",
    "superseded": "a later message carried it",
    "held": "waits for a record that was never sent, and goes on by itself when it comes",
    "parked": "a person must act: the reason is below",
    "rejected": "refused with a negative answer, and kept",
    "unmapped": "kept and acknowledged; no mapping takes this message type",
    "duplicate": "had come before: answered as then, no new work",
    "quarantined": "not readable at all: the connection was closed, the beginning kept",
    "waiting": "still on its way",
}
#: ends that need nobody's attention
_USUAL = (Status.DELIVERED, Status.SUPPRESSED, Status.SUPERSEDED)
#: what stands where a delivery needed no call
_UNCALLED = {Status.SUPPRESSED: "unchanged", Status.SUPERSEDED: "in a later one"}
#: resources that have a column of their own: those that are called most
_COLUMNS = 3
_MARKS = {"quarantined": "red", "duplicate": "cyan", **COLOURS}


def show_summary(out: Console, played: Played) -> None:
    """How many messages ended how, and what it cost."""
    _heading(out, "In all")
    out.print(_summary(played))


def show_unusual(out: Console, played: Played) -> None:
    """Every message that was not delivered, each with its reason on a line of its own."""
    unusual = [each for each in played.ended if each.status not in _USUAL]
    if not unusual:
        return
    _heading(out, "What did not end as usual")
    width = max(len(each.status) for each in unusual)
    for each in unusual:
        status = Text(f"{each.status:<{width}}  ", style=_MARKS.get(each.status, ""))
        lines(out, Text.assemble(status, _file(each)))
        reason = _why(each) or _MEANINGS[each.status]
        answer = f"answered {each.answer}" if each.answer != NO_ANSWER else NO_ANSWER
        lines(out, f"{reason} ({each.message_type or 'no type'}, {answer})", indent=width + 2)


def show_all(out: Console, stage: Stage, played: Played) -> None:
    """Everything that happened, file by file."""
    _heading(out, "What listened where")
    show_addresses(out, stage)
    _heading(out, "What came in, and how it was acknowledged")
    out.print(_incoming(played.ended))
    _heading(out, "Which calls were made to ZautoAI, and how they were answered")
    out.print(_calls(played.ended))
    _heading(out, "Which HL7 went out to the hospital")
    for ended in played.ended:
        for message in ended.received:
            _outgoing(out, ended, message)


def show_addresses(out: Console, stage: Stage) -> None:
    """Where everything listens."""
    web = f"{stage.http}/fhir, {stage.http}/orders"
    rows = [
        ("ZautoAI's sandbox", stage.sandbox),
        ("hospital's receiver", f"{HOST}:{stage.hospital.port} (MLLP)"),
        ("bridge", f"{HOST}:{stage.mllp_port} (MLLP), {web}"),
    ]
    out.print(table("", ("", ""), rows))


def show_verdict(
    out: Console, differences: Sequence[Difference], played: Played, file: Path
) -> None:
    """What differs from what is expected, one by one, or that nothing does."""
    took = f"{len(played.ended)} messages in {played.seconds:.1f} s"
    if not differences:
        lines(out, f"\nAll ended as {file} says: {took}.", style="bold green")
        return
    _heading(out, f"What is not as {file} says")
    for each in differences:
        lines(out, Text.assemble((each.where, "bold"), f": {each.what}"))
        lines(out, Text.assemble("expected  ", (each.expected, "green")), indent=2)
        lines(out, Text.assemble("actual    ", (each.actual, "red")), indent=2)
    count = f"{len(differences)} difference{'' if len(differences) == 1 else 's'}"
    lines(out, f"\n{count}; {took}.", style="bold red")


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
    if len(words) + 2 > out.width:
        lines(out, words, style="bold")
    else:
        out.print(Rule(Text(words, style="bold"), align="left", style="dim"))


def _incoming(ended: Iterable[Ended]) -> Grid:
    columns = ("file", "type", "answer", "status", "reason")
    return _by_folder(
        ended,
        columns,
        lambda each: [(_name(each), each.message_type, each.answer, each.status, _why(each))],
    )


def _why(ended: Ended) -> str:
    if not ended.waited_for:
        return ended.why
    return "; ".join(filter(None, (f"held until {ended.waited_for} came", ended.why)))


def _calls(ended: Iterable[Ended]) -> Grid:
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
                yield (f"  {name}", _cell(each, name), *("" for _ in own[1:]))

    return _by_folder(concerned, ("file", *own), rows)


def _cell(ended: Ended, resource: str) -> str:
    done = (each for each in ended.done if each.resource == resource)
    return "\n".join(f"{each.external_id}  {_went(each)}" for each in done)


def _went(done: PlayedDelivery) -> str:
    if not done.calls:
        return _UNCALLED.get(Status(done.status), done.status)
    return ", ".join(f"{method} {status or 'no answer'}" for method, _, status in done.calls)


def _by_folder(
    ended: Iterable[Ended],
    columns: Sequence[str],
    rows: Callable[[Ended], Iterable[Sequence[str]]],
) -> Grid:
    """A table with a line for each folder above its files, each of which has one or several."""
    made: list[Sequence[Text] | Text] = []
    for folder, group in groupby(ended, key=lambda each: each.sample.rpartition("/")[0]):
        made.append(Text(folder, style="bold blue"))
        made += [[_coloured(value) for value in row] for each in group for row in rows(each)]
    return table("", columns, made)


def _file(ended: Ended) -> str:
    """Its path below the samples; of a file of several, with the message's place."""
    return f"{ended.sample} ({ended.index + 1})" if ended.index else ended.sample


def _name(ended: Ended) -> str:
    return _file(ended).rpartition("/")[2]


def _coloured(value: str) -> Text:
    return Text(value, style=_MARKS.get(value, ""))


def _outgoing(out: Console, ended: Ended, message: Received) -> None:
    lines(out, f"for {ended.sample}", style="bold blue")
    lines(out, _segments(message.body), indent=2)
    for answer in message.answers:
        lines(out, "answered with", indent=2, style="dim")
        lines(out, _segments(answer), indent=4)


def _segments(body: bytes) -> Text:
    """A message as people read it: a segment a line, its name set off."""
    segments = readable(body).strip().splitlines()
    return Text("\n").join(Text.assemble((s[:3], "bold cyan"), s[3:]) for s in segments)


def _summary(played: Played) -> Grid:
    counted = Counter(each.status for each in played.ended)
    rows = [
        (_coloured(name), f"{counted[name]:3}", meaning)
        for name, meaning in _MEANINGS.items()
        if counted[name]
    ]
    budget = played.status["budget"]
    cost = (
        f"to ZautoAI's resources; with the token {budget['used']} of the {budget['limit']} "
        "an hour that it allows"
    )
    return table("", ("", "", ""), [*rows, (Text("calls"), f"{played.journal.total():3}", cost)])
