"""A batch in one frame: its messages, its counts, and the batch that answers it (chapter 2.10.3).

`[FHS] {[BHS] {messages} [BTS]} [FTS]`. What answers has the same form: each message's own
acknowledgment stands where the message stood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bridge.hl7v2 import batch, charset
from bridge.hl7v2.segments import UTF8_BOM

#: a header or trailer at the beginning of a line, and the rest of it
_LINE = re.compile(rb"(?:\A|(?<=[\r\n]))(FHS|BHS|BTS|FTS)((?![A-Za-z0-9])[^\r\n]*)")
#: digits of a count that is one
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """An FHS or BHS, which have the same fields."""

    separator: bytes
    #: under their own numbers less one, for the separator is the first; the name under 0
    fields: Sequence[bytes]


@dataclass(slots=True)
class Batch:
    """Some messages, and what was said of them."""

    #: BHS, where there is one
    header: BatchHeader | None = None
    messages: list[bytes] = field(default_factory=list)
    #: BTS-1; None where it is not said
    said: int | None = None


@dataclass(slots=True)
class BatchFile:
    """All batches of a frame."""

    #: FHS, where there is one
    header: BatchHeader | None = None
    batches: list[Batch] = field(default_factory=list)
    #: FTS-1; None where it is not said
    said: int | None = None

    def miscounts(self) -> list[str]:
        """Where a trailer says another number than came, or nothing came, one sentence each."""
        told = [_miscount(f"BTS[{n}]-1", each) for n, each in enumerate(self.batches, start=1)]
        if self.said not in (None, len(self.batches)):
            told.append(f"FTS-1 says {self.said} batches, {len(self.batches)} came")
        if not any(each.messages for each in self.batches):
            told.append("holds no message")
        return list(filter(None, told))


def is_batch(body: bytes) -> bool:
    """Whether a frame holds a batch rather than a message."""
    found = _LINE.match(body.removeprefix(UTF8_BOM).lstrip())
    return found is not None and found[1] in (b"FHS", b"BHS")


def miscounts(data: bytes) -> list[str]:
    """Where the batches of a file are counted wrong by their trailers, one sentence each."""
    data = charset.narrowed(data).removeprefix(UTF8_BOM)
    bodies = batch.framed(data) if batch.is_framed(data) else [data]
    return [told for body in bodies if is_batch(body) for told in read(body).miscounts()]


def read(body: bytes) -> BatchFile:
    """The messages of a batch as they came, with their headers and trailers."""
    body = body.removeprefix(UTF8_BOM).lstrip()
    file, at = BatchFile(), 0
    for line in _LINE.finditer(body):
        _put(file, body[at : line.start()])
        at = line.end()
        separator = line[2][:1] or b"|"
        _take(file, BatchHeader(separator, line[0].split(separator)))
    _put(file, body[at:])
    return file


def write(
    file: BatchFile, answers: Sequence[Sequence[bytes]], *, at: str, control_ids: Iterator[str]
) -> bytes:
    """The batch of acknowledgments that answers a batch, in the dress of its headers.

    `answers` are those of each batch's messages; `at` is the time as HL7 writes it. BTS-2 says
    where a count was wrong.
    """
    lines = [_header(file.header, at, control_ids)] if file.header else []
    for number, (each, told) in enumerate(zip(file.batches, answers, strict=True), start=1):
        if each.header is None:
            lines += told
            continue
        comment = _miscount(f"BTS[{number}]-1", each).encode()
        trailer = (b"BTS", b"%d" % len(told), *filter(None, [comment]))
        lines += [_header(each.header, at, control_ids), *told]
        lines.append(each.header.separator.join(trailer))
    if file.header:
        lines.append(file.header.separator.join((b"FTS", b"%d" % len(file.batches))))
    return b"".join(line if line.endswith(b"\r") else line + b"\r" for line in lines)


def _take(file: BatchFile, line: BatchHeader) -> None:
    match line.fields[0]:
        case b"FHS":
            file.header = line
        case b"BHS":
            file.batches.append(Batch(line))
        case b"BTS" if file.batches:
            file.batches[-1].said = _count(line.fields)
        case b"FTS":
            file.said = _count(line.fields)


def _put(file: BatchFile, text: bytes) -> None:
    """The messages that stand in `text`, which may begin with what is left of a line."""
    if not text.strip():
        return
    if not file.batches or file.batches[-1].said is not None:
        file.batches.append(Batch())
    file.batches[-1].messages += batch.split(text.lstrip(b"\r\n"))


def _header(header: BatchHeader, at: str, control_ids: Iterator[str]) -> bytes:
    """FHS or BHS of the answer: sender and receiver swapped, the reference in field 12."""
    name, characters, *others = (*header.fields, *[b""] * 11)[:11]
    sender, receiver, reference = others[:2], others[2:4], others[8]
    own = next(control_ids).encode()
    written = [name, characters, *receiver, *sender, at.encode(), b"", b"", b"", own, reference]
    return header.separator.join(written)


def _count(fields: Sequence[bytes]) -> int | None:
    text = fields[1].strip() if len(fields) > 1 else b""
    return int(text) if text.isdigit() and len(text) <= _MOST_DIGITS else None


def _miscount(where: str, found: Batch) -> str:
    if found.said in (None, len(found.messages)):
        return ""
    return f"{where} says {found.said} messages, {len(found.messages)} came"
