"""`samples/expected.yaml`: how each sample must end, and what differs from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, field_validator

from bridge import yamlfile
from bridge.demo.played import QUARANTINED, Call, Ended, Played, Received, told
from bridge.errors import BridgeError, Fault
from bridge.hl7v2 import paths
from bridge.hl7v2.header import scan
from bridge.hl7v2.reader import Hl7Document, Repetition
from bridge.message import Status
from bridge.yamlfile import Way, fit, text_of, texts

#: name of the file in the folder of the samples
FILE = "expected.yaml"


class ExpectedEnd(BaseModel):
    """How one message must end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: MSA-1, an HTTP status, or `no answer`
    answer: str
    status: Status | Literal["quarantined"]
    #: whether it had to wait for a record that came later
    waited: bool = False
    #: its calls to ZautoAI, in the order its mapping names them: `POST patients 201`
    calls: tuple[str, ...] = ()
    #: the messages the hospital gets because of it: HL7 path to value
    sends: tuple[dict[str, str], ...] = ()

    @field_validator("sends")
    @classmethod
    def _of_paths(cls, value: tuple[dict[str, str], ...]) -> tuple[dict[str, str], ...]:
        for path in (path for fields in value for path in fields):
            try:
                paths.parse(path)
            except BridgeError as error:
                raise ValueError(str(error)) from error
        return value


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be."""

    #: the sample, or what else it concerns
    where: str
    what: str
    expected: str
    actual: str


#: folder, file, and what is expected of its one message or of each of several
_File: TypeAlias = dict[str, dict[str, ExpectedEnd | tuple[ExpectedEnd, ...]]]


def read(file: Path) -> dict[str, tuple[ExpectedEnd, ...]]:
    """What is expected, by path below the samples; raises BridgeError telling every fault."""
    faults: list[Fault] = []
    try:
        text = text_of(file, faults)
    except OSError as error:
        raise BridgeError(
            f"{file}: cannot be read ({error.strerror}): it must say how each sample ends"
        ) from error
    root = yamlfile.read(text, str(file), faults) if text is not None else None
    # as texts: 201 is an answer, NO and 0042 are what they look like
    folders = fit(_File, root, texts(root) or {}, faults, _shown) if root is not None else None
    if folders is None or faults:
        raise BridgeError("\n".join(map(str, faults)))
    return {
        (PurePosixPath(folder) / name).as_posix(): each if isinstance(each, tuple) else (each,)
        for folder, files in folders.items()
        for name, each in files.items()
    }


def _shown(way: Way) -> str:
    """Names of folders and files have dots and strokes of their own."""
    return " / ".join(map(str, way))


def differences(
    expected: Mapping[str, tuple[ExpectedEnd, ...]], played: Played
) -> Iterator[Difference]:
    """Everything that did not end as expected, in the order of the samples."""
    ended: dict[str, list[Ended]] = {}
    for each in played.ended:
        ended.setdefault(each.sample, []).append(each)
    for sample in sorted(expected.keys() | ended.keys()):
        yield from _of_sample(sample, expected.get(sample, ()), ended.get(sample, ()))
    yield from _of_all(played)


def _of_sample(
    sample: str, expected: Iterable[ExpectedEnd], ended: Iterable[Ended]
) -> Iterator[Difference]:
    wanted, actual = tuple(expected), tuple(ended)
    if not wanted:
        entry = ", ".join(_entry(each) for each in actual)
        yield Difference(sample, "sample", f"nothing: it is not in {FILE}", entry)
    elif len(wanted) != len(actual):
        yield Difference(sample, "messages", str(len(wanted)), str(len(actual)))
    else:
        several = len(wanted) > 1
        for number, (must, is_) in enumerate(zip(wanted, actual, strict=True), 1):
            where = f"{sample} (message {number})" if several else sample
            yield from _of_message(where, must, is_)


def _of_message(where: str, must: ExpectedEnd, ended: Ended) -> Iterator[Difference]:
    pairs = [
        ("answer", must.answer, ended.answer),
        ("status", str(must.status), ended.status),
        ("waited", _yes(must.waited), _yes(bool(ended.waited_for))),
        ("calls", _list(must.calls), _list(ended.calls)),
    ]
    for what, expected, actual in pairs:
        if expected != actual:
            yield Difference(where, what, expected, _with_reason(what, actual, ended))
    yield from _of_sends(where, must.sends, ended.received)


def _of_sends(
    where: str, sends: tuple[dict[str, str], ...], received: tuple[Received, ...]
) -> Iterator[Difference]:
    if len(sends) != len(received):
        yield Difference(where, "messages to the hospital", str(len(sends)), str(len(received)))
        return
    for fields, message in zip(sends, received, strict=True):
        document = Hl7Document(message.body, scan(message.body))
        for path, expected in fields.items():
            actual = _value(document, path)
            if expected != actual:
                yield Difference(where, path, expected, actual or "nothing")


def _of_all(played: Played) -> Iterator[Difference]:
    """What concerns no single sample: nothing may be unseen, and both ends tell the same."""
    lost = any(each.status == QUARANTINED for each in played.ended)
    if lost and not played.status["quarantined"]:
        yield Difference("bridge", "quarantine", "what was not kept", "empty")
    for message in played.stray:
        kind = scan(message.body).message_type
        yield Difference("hospital", "messages", "none without an order", kind)
    made = Counter(call for each in played.ended for done in each.done for call in done.calls)
    for call in sorted(made.keys() | played.journal.keys(), key=told):
        if made[call] != played.journal[call]:
            yield _journal_difference(call, made[call], played.journal[call])


def _journal_difference(call: Call, made: int, seen: int) -> Difference:
    return Difference("sandbox's journal", told(call), f"{made}, as the bridge tells", str(seen))


def _value(document: Hl7Document, path: str) -> str:
    """What stands at a path; repetitions joined as HL7 does."""
    found: Iterable[Any] = document.values(paths.parse(path))
    return "~".join(each.text if isinstance(each, Repetition) else str(each) for each in found)


def _with_reason(what: str, actual: str, ended: Ended) -> str:
    return f"{actual} ({ended.why})" if what == "status" and ended.why else actual


def _entry(ended: Ended) -> str:
    """What the file could say of it."""
    said = {"answer": ended.answer, "status": ended.status}
    if ended.waited_for:
        said["waited"] = "true"
    if ended.calls:
        said["calls"] = _list(ended.calls)
    return f"{{{', '.join(f'{name}: {value}' for name, value in said.items())}}}"


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


def _yes(value: bool) -> str:
    return "true" if value else "false"
