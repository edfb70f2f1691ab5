"""Several messages in one text: a batch with or without headers, its counts, and the batch that
answers it (chapter 2.10.3).

`[FHS] {[BHS] {messages} [BTS]} [FTS]`. What answers has the same form: each message's own
acknowledgment stands where the message stood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bridge.hl7v2.beginnings import FrameItem, ReadHeader, begins_message, items
from bridge.hl7v2.header import scan
from bridge.hl7v2.segments import UTF8_BOM

#: a header or trailer: its name, and the rest of its line
_LINE = rb"(FHS|BHS|BTS|FTS)((?![A-Za-z0-9])[^\r\n]*)"
_FIRST = re.compile(_LINE)
#: one that stands at the beginning, where any line end counts
_LEADING = re.compile(rb"\s*+" + _LINE)
#: a further one: where a carriage return ends any line, a line feed alone is text of a field
_BY_RETURN, _BY_FEED = (re.compile(end + _LINE) for end in (rb"\r[\n \t]*+", rb"\n[ \t]*+"))
#: what may follow a header or trailer: a message, another of them, or nothing
_MAY_FOLLOW = re.compile(rb"\s*+(?:\xef\xbb\xbf)?(?:MSH|[BF][HT]S|\Z)")
#: two delimiters, as they follow the name of a header
_DELIMITERS = re.compile(rb"[^\sA-Za-z0-9]{2}")
#: digits of a count that is one
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class BatchHeader:
    """An FHS or BHS, which have the same fields."""

    separator: bytes
    #: under their own numbers less one, for the separator is the first; the name under 0
    fields: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class BatchTrailer:
    """A BTS or FTS."""

    separator: bytes
    #: field 1; None where it says no number
    count: int | None


@dataclass(slots=True)
class Batch:
    """Some messages, and what was said of them."""

    #: BHS, where there is one
    header: BatchHeader | None = None
    #: as they came; and what stands outside of any message, which the receiver judges like one
    items: list[FrameItem] = field(default_factory=list)
    #: BTS, where there is one
    trailer: BatchTrailer | None = None

    @property
    def messages(self) -> list[bytes]:
        """The bytes of each item."""
        return [item.body for item in self.items]

    @property
    def came(self) -> int:
        """How many messages there are."""
        return sum(map(begins_message, self.messages))


@dataclass(slots=True)
class BatchFile:
    """All batches of a frame."""

    #: FHS, where there is one
    header: BatchHeader | None = None
    batches: list[Batch] = field(default_factory=list)
    #: FTS, where there is one
    trailer: BatchTrailer | None = None

    @property
    def came(self) -> int:
        """How many batches there are, beside text outside of any."""
        return sum(bool(each.header or each.trailer or each.came) for each in self.batches)

    @property
    def items(self) -> list[FrameItem]:
        """Those of all batches."""
        return [item for each in self.batches for item in each.items]

    @property
    def holds_message(self) -> bool:
        """Whether any batch has a message."""
        return any(each.came for each in self.batches)

    @property
    def is_one_message(self) -> bool:
        """Whether all of a text that begins with a message is that one.

        A header behind it that nothing follows, or a trailer that counts right, makes no batch.
        """
        return len(self.items) == 1 and not self.miscounts()

    def miscounts(self) -> list[str]:
        """Where a trailer says another number than came, or nothing came, one sentence each."""
        told = [_miscount(f"BTS[{n}]-1", each) for n, each in enumerate(self.batches, start=1)]
        said = self.trailer and self.trailer.count
        if said not in (None, self.came):
            told.append(f"FTS-1 says {said} batches, {self.came} came")
        if not self.holds_message:
            told.append("holds no message")
        return list(filter(None, told))


def is_batch(body: bytes) -> bool:
    """Whether a frame begins with the header of a batch rather than with a message."""
    found = _FIRST.match(body.removeprefix(UTF8_BOM).lstrip())
    return found is not None and found[1] in (b"FHS", b"BHS")


def read(body: bytes, read_header: ReadHeader = scan) -> BatchFile:
    """The messages of a text as they came, with the headers and trailers around them.

    `read_header` reads an MSH as the channel does.
    """
    body = body.removeprefix(UTF8_BOM).lstrip()
    file, at, separators = BatchFile(), 0, {body[3:4], b""}
    declared = is_batch(body)
    for line in _lines(body):
        separator = line[2][:1]
        if separator not in separators and not _DELIMITERS.match(line[2]):
            continue  # text that begins with the name
        if not declared and not _MAY_FOLLOW.match(body, line.end()):
            continue  # within a message, the rest of which follows
        separators.add(separator)
        _put(file, body[at : line.start(1)], read_header)
        at = line.end()
        _take(file, line[1], separator or b"|", line[1] + line[2])
    _put(file, body[at:], read_header)
    return file


def _lines(body: bytes) -> Iterator[re.Match[bytes]]:
    at = 0
    while line := _LEADING.match(body, at):
        yield line
        at = line.end()
    further = _BY_RETURN if b"\r" in body.rstrip() else _BY_FEED
    yield from further.finditer(body, at)


def write(
    file: BatchFile, answers: Sequence[Sequence[bytes]], *, at: str, control_ids: Iterator[str]
) -> bytes:
    """The batch of acknowledgments that answers a batch, in the dress of its headers.

    `answers` are those of each batch's messages; `at` is the time as HL7 writes it. BTS-2 says
    where a count was wrong.
    """
    lines = [_header(file.header, at, control_ids)] if file.header else []
    for number, (each, told) in enumerate(zip(file.batches, answers, strict=True), start=1):
        lines += [_header(each.header, at, control_ids)] if each.header else []
        lines += told
        if dress := each.header or each.trailer:
            comment = _miscount(f"BTS[{number}]-1", each).encode()
            trailer = (b"BTS", b"%d" % len(told), *filter(None, [comment]))
            lines.append(dress.separator.join(trailer))
    if dress := file.header or file.trailer:
        lines.append(dress.separator.join((b"FTS", b"%d" % file.came)))
    return b"".join(line if line.endswith(b"\r") else line + b"\r" for line in lines)


def _take(file: BatchFile, name: bytes, separator: bytes, line: bytes) -> None:
    fields = line.split(separator)
    match name:
        case b"FHS":
            file.header = BatchHeader(separator, fields)
        case b"BHS":
            file.batches.append(Batch(BatchHeader(separator, fields)))
        case b"BTS" if file.batches:
            file.batches[-1].trailer = BatchTrailer(separator, _count(fields))
        case b"FTS":
            file.trailer = BatchTrailer(separator, _count(fields))


def _put(file: BatchFile, text: bytes, read_header: ReadHeader) -> None:
    """The messages that stand in `text`, which may begin with what is left of a line."""
    if not text.strip():
        return
    if not file.batches or file.batches[-1].trailer is not None:
        file.batches.append(Batch())
    batch = file.batches[-1]
    declared = batch.header is not None or file.header is not None
    batch.items += items(text.lstrip(b"\r\n"), declared=declared, read_header=read_header)


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
    said = found.trailer and found.trailer.count
    if said in (None, found.came):
        return ""
    return f"{where} says {said} messages, {found.came} came"
