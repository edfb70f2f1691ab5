"""What becomes of every public HL7 v2 message: `python bench/corpus.py`.

Reads the public messages beside the repository as tests/acceptance/test_corpus.py does, and prints
by type and status what became of each, sent to a bridge that delivers to a sandbox; the longest
time that reading and translating one takes; and of the single ADT^A04 and A08 with a PID how many
give a patient and a visit that ZautoAI takes, and what the others lack.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bridge import logs
from bridge.delivery import Call, Translation
from bridge.errors import ReadError
from bridge.hl7v2.header import check_limits, scan
from bridge.hl7v2.reader import Hl7Document
from bridge.message import Message, Protocol, Status
from bridge.pipeline.planning.translate import Rehearsal, translate
from bridge.pipeline.records.folding import create_body, learn
from bridge.sandbox.answers import ApiError
from bridge.sandbox.validation import check_new
from bridge.service.parts import CheckedParts, read_parts
from bridge.settings import Settings, Site
from tests.acceptance.corpus import FOLDER, RAW, Part, hl7_parts
from tests.acceptance.processes import CLIENT, Bridge, Process, Sandbox, settings
from tests.acceptance.test_corpus import Replay, table

#: milliseconds that no message may take to be read and translated
LONGEST = 50
#: seconds after which what waits is counted as waiting
SETTLE = 120.0
REGISTERS = ("ADT^A04", "ADT^A08")
#: folders of files that are there a second time, or that their authors broke on purpose
NOT_SINGLE = {RAW, "broken"}
_BATCH = (b"FHS", b"BHS")


@dataclass(frozen=True, slots=True)
class Choice:
    """Settings by which one kind of record is made, and the share of messages that must give it."""

    resource: str
    told: str
    site: Site
    goal: float


CHOICES = (
    Choice("patients", "by default settings", Site(), 0.42),
    Choice("patients", "with next_of_kin_phone", Site(next_of_kin_phone=True), 0.53),
    Choice("patient-visits", "by default settings", Site(), 0.0),
    Choice(
        "patient-visits",
        "with no_visit_number: [account]",
        Site(no_visit_number=("account",)),
        0.44,
    ),
    Choice(
        "patient-visits",
        "with no_visit_number: [account, admission]",
        Site(no_visit_number=("account", "admission")),
        0.44,
    ),
)


@dataclass(frozen=True, slots=True)
class Single:
    """A registration that is a file of its own."""

    file: Path
    message: Message


async def statuses(parts: Sequence[Part]) -> list[str]:
    """The table of what became of each, and which of them should not have been refused."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = ["sandbox", "--port", "0", "--no-limits", "--client", ":".join(CLIENT)]
        process = Process(folder, arguments, {})
        bridge = None
        try:
            sandbox = Sandbox(process, (await process.printed(r"(http://\S+)"))[1])
            bridge = await Bridge(folder, settings(folder, sandbox.url), []).start()
            replay = Replay(bridge)
            for part in parts:
                await replay.send(part)
            await bridge.settled(seconds=SETTLE)
            rows = {row["id"]: row for row in await bridge.messages()}
            return [*table(replay, rows), "", *refused(replay, rows)]
        finally:
            if bridge is not None:
                bridge.end()
            process.kill()


def refused(replay: Replay, rows: dict[int, dict[str, Any]]) -> Iterator[str]:
    """Well-formed messages that were refused, of which there must be none."""
    found = [
        (part.file.name, rows[number]["reason"])
        for part, number in replay.kept
        if part.well_formed and rows[number]["status"] == Status.REJECTED
    ]
    yield f"well-formed registrations that were refused: {len(found)} (goal 0)"
    yield from (f"        {name}: {reason}" for name, reason in found)


def read(body: bytes, parts: CheckedParts, chosen: Settings) -> Translation | None:
    """One message through everything but the store; None where nothing came of it."""
    try:
        check_limits(body, chosen.limits)
        return translated(message_of(body), parts, chosen)
    except ReadError:
        return None


def message_of(body: bytes) -> Message:
    """The message as it would be kept; raises ReadError."""
    header = scan(body)
    sender = (header.sending_application, header.sending_facility)
    kind, number = header.message_type, header.control_id
    return Message("default", Protocol.HL7V2, kind, number, *sender, time.time(), body)


def translated(message: Message, parts: CheckedParts, chosen: Settings) -> Translation | None:
    """What the mappings make of it, when nothing came before."""
    return translate(message, parts.mappings, chosen, Rehearsal())


def longest(parts: Sequence[Part]) -> list[tuple[float, Path]]:
    """Milliseconds of the five slowest messages, the best of three runs each."""
    chosen = Settings()
    made, taken = read_parts(chosen), []
    for part in parts:
        runs = []
        for _ in range(3):
            began = time.perf_counter()
            read(part.body, made, chosen)
            runs.append(time.perf_counter() - began)
        taken.append((min(runs) * 1000, part.file))
    return sorted(taken, reverse=True)[:5]


def singles(parts: Sequence[Part]) -> Iterator[Single]:
    """The well-formed registrations with a PID that are a file of their own, and no batch."""
    count = Counter(part.file for part in parts)
    for part in parts:
        if count[part.file] > 1 or NOT_SINGLE & {*part.file.parts} or _is_batch(part.file):
            continue
        try:
            message = message_of(part.body)
            document = Hl7Document(part.body, scan(part.body))
        except ReadError:
            continue
        if message.message_type in REGISTERS and document.count("PID"):
            yield Single(part.file, message)


def _is_batch(file: Path) -> bool:
    return file.read_bytes().lstrip().startswith(_BATCH)


def faults_of(call: Call, parts: CheckedParts) -> list[str]:
    """Why ZautoAI would refuse the record of a call."""
    numbers = dict.fromkeys((each.field for each in call.allocations), 900_000_001)
    body = create_body(learn(None, call)) | numbers
    try:
        check_new(parts.catalogue[call.resource], body)
    except ApiError as refused:
        return [f"{each.field} {each.message}" for each in refused.errors]
    return []


def why_none(made: Translation | None, resource: str) -> list[str]:
    """Why a message asks for no such record."""
    if made is None:
        return ["no mapping"]
    said = [each.text for each in made.warnings if resource in each.text]
    return [made.problem or "; ".join(said) or "PV1 is missing, or says that it does not apply"]


def registered(found: Sequence[Single], choice: Choice) -> tuple[int, Counter[str]]:
    """How many give a valid record, and what the others lack."""
    chosen = Settings(site=choice.site)
    parts = read_parts(chosen)
    valid, lacks = 0, Counter[str]()
    for single in found:
        made = translated(single.message, parts, chosen)
        calls = made.calls if made else ()
        call = next((each for each in calls if each.resource == choice.resource), None)
        faults = why_none(made, choice.resource) if call is None else faults_of(call, parts)
        valid += not faults
        lacks.update(faults)
    return valid, lacks


def show(found: Sequence[Single], choice: Choice) -> None:
    """Print one share, and what the others lack."""
    valid, lacks = registered(found, choice)
    goal = f" (goal {choice.goal:.0%})" if choice.goal else ""
    share = f"{valid} of {len(found)}, {valid / len(found):.0%}"
    print(f"\n{choice.resource} {choice.told}: {share}{goal}")
    for fault, count in lacks.most_common():
        print(f"{count:>6}  {fault}")


def main() -> None:
    """Print all of it; nothing where the messages are not there."""
    if not FOLDER.is_dir():
        print(f"the public messages are not at {FOLDER}")
        return
    parts = list(hl7_parts())
    print("\n".join(asyncio.run(statuses(parts))))
    print(f"\nlongest to be read and translated, ms (goal {LONGEST})")
    for milliseconds, file in longest(parts):
        print(f"{milliseconds:8.1f}  {file.relative_to(FOLDER)}")
    found = list(singles(parts))
    for choice in CHOICES:
        show(found, choice)


if __name__ == "__main__":
    logs.configure("WARNING")
    main()
