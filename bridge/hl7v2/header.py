"""What the intake must know of a message before it is kept: its MSH, and that it is not too big.

Both functions run for every message that arrives, so they look at nothing else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from bridge.errors import LimitError, ReadError
from bridge.hl7v2 import charset, delimiters, segments
from bridge.hl7v2.delimiters import Delimiters
from bridge.hl7v2.segments import UTF8_BOM
from bridge.settings import Limits

#: table 0357
_MISSING, _INTERNAL = 101, 207


#: what `scan` reads, so that an intake can answer: no mapping has to
SCANNED = tuple(f"MSH-{number}" for number in (1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 15, 16, 18))
SCANNED += ("EVN-1",)


class Header(NamedTuple):
    """The fields of an MSH, as sent: escapes are left alone, so that they can be echoed.

    The text is what `encoding` makes of the bytes, and gives exactly those bytes back. A named
    tuple, because one is made for every message and a frozen dataclass costs five times as much.
    """

    #: MSH-1 and MSH-2
    field_separator: str
    encoding_characters: str
    #: MSH-3 to MSH-6, whole fields
    sending_application: str
    sending_facility: str
    receiving_application: str
    receiving_facility: str
    #: `ADT^A04`; the trigger is EVN-1 where MSH-9.2 has none, and left out where both are empty
    message_type: str
    #: MSH-9.3
    structure: str
    #: MSH-10
    control_id: str
    #: MSH-11.1
    processing_id: str
    #: MSH-12.1, or the default where the sender gave none
    version: str
    #: MSH-15 and MSH-16, table 0155
    accept_acknowledgment: str
    application_acknowledgment: str
    #: MSH-18, table 0211, its repetitions parted by `~`
    charset: str
    #: what the text was made by: the charset of the message where its bytes must not be split,
    #: else `utf-8` where the MSH is valid in it, and `latin-1` where not
    encoding: str = "utf-8"

    @property
    def delimiters(self) -> Delimiters:
        """What the message is cut by."""
        return delimiters.declared(self.field_separator, self.encoding_characters)


class Hl7Text(NamedTuple):
    """A message as characters, its MSH scanned: whoever is handed it does neither again."""

    header: Header
    text: str


def scan(
    body: bytes,
    *,
    default_version: str = "2.5.1",
    default_charset: str = "",
    forced_charset: str = "",
) -> Header:
    """Read the MSH of a message; the charsets are those of its channel.

    A byte order mark and line ends before it are passed over. Raises ReadError where no MSH
    follows them.
    """
    if not body.startswith(b"MSH"):
        if charset.is_wide(body):
            raise ReadError("This is UTF-16 or UTF-32, whose bytes can be VT and FS: send UTF-8.")
        body = body.removeprefix(UTF8_BOM).lstrip()
    if not body.startswith(b"MSH") or len(body) < 5 or body[3:4].isalnum() or body[3] <= 0x20:
        raise ReadError("This is not HL7: a message begins with MSH and a field separator.")
    line = body.partition(b"\r")[0]
    text, encoding = _decode(line)
    if forced_charset or default_charset or encoding != "utf-8" or "\x1b" in text:
        text, encoding = _opaque(line, text, encoding, default_charset, forced_charset)
    if "\n" in text:
        text = segments.first(text, text[3])
    return _header(text, encoding, body, default_version)


def _decode(line: bytes) -> tuple[str, str]:
    try:
        return line.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return line.decode("latin-1"), "latin-1"


def _opaque(line: bytes, text: str, encoding: str, default: str, forced: str) -> tuple[str, str]:
    """The same where a byte of a character may be a delimiter, so that it is decoded first.

    What the MSH then says its charset is must be what it was decoded by, or nothing where the
    channel has a `default`; what is `forced` needs no such proof.
    """
    if forced:
        return _by(charset.of_channel(forced), line) or (text, encoding)
    for codec in dict.fromkeys(map(charset.named, text[4:].split(text[3]))):
        found = _by(codec, line)
        if found and _says(found[0]) == codec:
            return found
    found = _by(charset.of_channel(default), line)
    return found if found and not _says(found[0]) else (text, encoding)


def _says(text: str) -> str:
    """The codec of MSH-18 of a line that begins with an MSH, "" where it says nothing."""
    fields = segments.first(text, text[3]).split(text[3], 18)
    return charset.named(fields[17]) if len(fields) > 17 else ""


def _by(codec: str, line: bytes) -> tuple[str, str] | None:
    if codec not in charset.OPAQUE:
        return None
    try:
        return line.decode(codec), codec
    except UnicodeDecodeError:
        return None


def _header(text: str, encoding: str, body: bytes, default_version: str) -> Header:
    separator = text[3]
    fields = text.split(separator, 18)
    # MSH-1 is the separator itself, so the n-th piece is MSH-(n+1)
    fields += [""] * (19 - len(fields))
    cut = delimiters.declared(separator, fields[1])
    declared = _charset(fields[17], cut.repetition) if fields[17] else ""
    if declared and encoding == "utf-8" and charset.named(declared) in charset.OPAQUE:
        encoding = charset.named(declared)  # of this MSH, which is ASCII, it makes the same
    code, trigger, structure = _message_type(fields[8], cut)
    if not trigger:
        trigger = _event(body, separator, encoding)
    return Header(
        separator,
        fields[1],
        fields[2],
        fields[3],
        fields[4],
        fields[5],
        f"{code}^{trigger}" if trigger else code,
        structure,
        fields[9],
        _first(fields[10], cut.component),
        _first(fields[11], cut.component) or default_version,
        fields[14].strip(),
        fields[15].strip(),
        declared,
        encoding,
    )


def _message_type(field: str, cut: Delimiters) -> tuple[str, str, str]:
    parts = _first(field, cut.repetition).split(cut.component) if cut.component else [field]
    parts += ["", ""]
    return parts[0].strip(), parts[1].strip(), parts[2].strip()


def _first(field: str, separator: str) -> str:
    return (field.partition(separator)[0] if separator else field).strip()


def _charset(field: str, repetition: str) -> str:
    if repetition and repetition in field:
        return charset.REPETITION.join(map(str.strip, field.split(repetition)))
    return field.strip()


def _event(body: bytes, separator: str, encoding: str) -> str:
    """EVN-1, which repeats the trigger event for receivers of old (chapter 3.4.1.1)."""
    found = _evn(separator.encode(encoding)).search(body)
    trigger = found[1].decode("latin-1").strip() if found else ""
    return trigger if trigger.isalnum() else ""


@lru_cache(maxsize=64)
def _evn(separator: bytes) -> re.Pattern[bytes]:
    cut = re.escape(separator)
    return re.compile(rb"[\r\n][ \t]*+EVN[ \t]*+" + cut + rb"((?:(?!" + cut + rb")[^\r\n]){0,60})")


def check_limits(body: bytes, limits: Limits) -> None:
    """Refuse what is too large to be read.

    Most messages have fewer delimiters in all than any one segment or field may have; only of
    others are the segments looked at. Raises LimitError naming the limit and the segment or field
    that is over it.
    """
    if len(body) > limits.frame:
        raise LimitError(_over("bytes", limits.frame), code=_INTERNAL)
    body = body.removeprefix(UTF8_BOM).lstrip()
    if (
        body.count(body[3:4] or b"|") > limits.fields
        or body.count(body[5:6] or b"~") >= limits.repetitions
        or (len(body) > limits.segments <= body.count(b"\r") + body.count(b"\n"))
    ):
        _check_segments(body.decode("latin-1"), limits)


def _check_segments(text: str, limits: Limits) -> None:
    separator, repetition = text[3:4] or "|", text[5:6] or "~"
    if segments.more_than(limits.segments, text, separator):
        raise LimitError(_over("segments", limits.segments), code=_INTERNAL)
    for segment in segments.split(text, separator):
        name = segment[:3]
        if segment.count(separator) > limits.fields:
            raise LimitError(_over("fields", limits.fields), location=name, code=_INTERNAL)
        if name != "MSH" and segment.count(repetition) >= limits.repetitions:
            _check_fields(segment, separator, repetition, limits)


def _check_fields(segment: str, separator: str, repetition: str, limits: Limits) -> None:
    for number, field in enumerate(segment.split(separator)):
        if field.count(repetition) >= limits.repetitions:
            where = f"{segment[:3]}-{number}"
            raise LimitError(
                _over("repetitions", limits.repetitions), location=where, code=_INTERNAL
            )


def _over(what: str, limit: int) -> str:
    return (
        f"The message has more than {limit} {what}, which is the limit here; "
        f"send less, or raise limits.{'frame' if what == 'bytes' else what}."
    )
