"""Where messages begin in a text that may hold several.

A further MSH begins a message when its MSH-1 to MSH-4 equal the first's, and MSH-9 and MSH-10 are
filled. Within a batch (BHS, FHS) messages may be of several senders: there it begins one when its
MSH-2 can be one. Any other line that begins with MSH is misplaced: what follows it may be about
another patient than what stands before it.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple, TypeAlias

from bridge.errors import LimitError
from bridge.hl7v2.header import Header, scan
from bridge.hl7v2.segments import UTF8_BOM

#: reads the MSH at the beginning of a text, and raises ReadError
ReadHeader: TypeAlias = Callable[[bytes], Header]

#: what may stand before a name: blanks, control characters that end no line, a byte order mark
_PAD = rb"(?P<pad>[\x00-\x09\x0b\x0c\x0e-\x20]*+(?:\xef\xbb\xbf)?+)"
#: a further line that begins with MSH, in any case, and what follows the name. Here and below each
#: line end is a carriage return: a pattern that begins with one byte is found thirty times faster
_LINE = re.compile(
    rb"\r" + _PAD + rb"(?P<name>[Mm][Ss][Hh])[\0-\x0c\x0e-\x20]*+(?P<next>[^\r]{0,2})"
)
#: a further line that begins like a header or trailer of a batch
_BATCH_LINE = re.compile(rb"\r" + _PAD + rb"[BF][HT]S")
_BATCH_NAMES = (b"BHS", b"FHS", b"BTS", b"FTS")
#: a line that `scan` can read
_READABLE = re.compile(rb"(?:\xef\xbb\xbf)?+[ \t\x0b\x0c]*+MSH[^A-Za-z0-9\0- ][^\r\n]")
#: MSH and such a line, behind either line end; by their first byte most lines are neither
_NAMED = rb"(?=[\0-\x20\xefMmBF])" + _PAD + rb"(?:[Mm][Ss][Hh]|[BF][HT]S)"
_AFTER_CR, _AFTER_LF = (re.compile(end + _NAMED).search for end in (rb"\r", rb"\n"))
#: MSH-2 has four characters, five from 2.7 on, and fewer where a sender never uses the others
_ENCODING_CHARACTERS = re.compile(r"[^\sA-Za-z0-9]{1,5}")
#: what can be an encoding character
_MARKS = string.punctuation.encode()
#: application internal error (table 0357)
_INTERNAL = 207
#: where MSH stands behind a byte order mark
_FIRST_AT = 3
#: bytes in which MSH-1 and MSH-2 stand, with the separator behind them
_DELIMITERS = 10


class FrameItem(NamedTuple):
    """A message of a frame, or what stands there outside of any."""

    #: as it came
    body: bytes
    #: its MSH, where it is known to be what `scan` makes of the body
    header: Header | None = None


def may_be_several(body: bytes) -> bool:
    """Whether a frame may hold more than one message without headers and trailers.

    It runs for every message, so it looks for names only.
    """
    return (
        _AFTER_CR(body) is not None or _AFTER_LF(body) is not None or body.rfind(b"MSH") > _FIRST_AT
    )


def check_count(body: bytes, limit: int) -> None:
    """Refuse a frame of more messages, or of more headers and trailers of batches, than `limit`.

    Names are counted first, then lines that begin with one, until there are too many. Nothing is
    split. Raises LimitError.
    """
    names = body.upper()
    for pattern, found in ((_LINE, (b"MSH",)), (_BATCH_LINE, _BATCH_NAMES)):
        if sum(map(names.count, found)) > limit:
            lines = pattern.finditer(b"\r" + by_returns(body))
            if next(islice(lines, limit, None), None):
                raise LimitError(
                    f"The frame has more than {limit} messages or lines of batches, which is the "
                    "limit here; send fewer, or raise limits.messages.",
                    code=_INTERNAL,
                )


def from_first_message(body: bytes) -> bytes:
    """A batch without what stands before its first MSH; all of it where there is none."""
    found = (line for line in _LINE.finditer(by_returns(body)) if line["name"] == b"MSH")
    first = next(found, None)
    return body[first.start("name") :] if first else body


def items(
    text: bytes, *, declared: bool = False, read_header: ReadHeader = scan
) -> list[FrameItem]:
    """The messages of a text as they came, and before them what stands before the first MSH.

    `declared`: the text is that of a batch. `read_header` knows the charset of the channel.
    """
    lines = by_returns(text)
    further = (line.start("pad") for line in _LINE.finditer(lines) if line["name"] == b"MSH")
    first: Header | None = None
    begins: dict[int, Header | None] = {}
    last = 0
    for at, end in pairwise((0, *further, len(lines))):
        header = read_header(lines[at:end]) if _READABLE.match(lines, at) else None
        if header is not None and (first is None or _begins(header, first, declared)):
            first = first or header
            # where a line feed ends the MSH by this rule, the message's own may say more
            is_own = lines.find(b"\r", at) == text.find(b"\r", at)
            last, begins[at] = at, header if is_own else None
        else:
            begins[last] = None  # EVN, which completes MSH-9, may stand behind this line
    found = [FrameItem(text[at:end], begins[at]) for at, end in pairwise((*begins, len(text)))]
    return [item for item in found if item.body.strip()]


def by_returns(text: bytes) -> bytes:
    """The same text, as long, with carriage returns for line feeds."""
    return text.replace(b"\n", b"\r")


def begins_message(text: bytes) -> bool:
    """Whether a text begins with an MSH that can be read."""
    return _READABLE.match(text.removeprefix(UTF8_BOM).lstrip()) is not None


def misplaced(message: bytes) -> int:
    """The number of the first line, from 1, with an MSH that begins no message; 0 where none has.

    Also where the line end before it is missing: then it stands within a line.
    """
    text = message.removeprefix(UTF8_BOM).lstrip()
    places = [*_further_lines(text), *_further_delimiters(text)]
    return _line_number(text, min(places)) if places else 0


def _begins(header: Header, first: Header, declared: bool) -> bool:
    if declared:
        return _ENCODING_CHARACTERS.fullmatch(header.encoding_characters) is not None
    code = header.message_type.partition("^")[0]
    return _sender(header) == _sender(first) and bool(code and header.control_id.strip())


def _sender(header: Header) -> tuple[bytes, ...]:
    """MSH-1 to MSH-4, as bytes: one header may be of another charset than the other."""
    delimiters = (header.field_separator, header.encoding_characters)
    names = (header.sending_application, header.sending_facility)
    return tuple(text.encode(header.encoding) for text in (*delimiters, *names))


def _further_lines(text: bytes) -> Iterator[int]:
    """Where the first line behind the header begins with MSH."""
    lines, separator = by_returns(text), text[3:4]
    end = lines.find(b"\r")
    by_return = text[end : end + 1] == b"\r"
    for line in _LINE.finditer(lines):
        exact = line["name"] == b"MSH" and not line["pad"]
        # where carriage returns end the lines, a line feed alone is text of the field
        is_text = by_return and b"\r" not in text[line.start() - 1 : line.start() + 1]
        if (exact and not is_text) or _is_header(line["next"], separator, exact):
            yield line.start("name")
            return


def _is_header(following: bytes, separator: bytes, exact: bool) -> bool:
    """Whether what follows the name makes a header of it, rather than text."""
    if following.startswith(separator):
        return True
    other = _ENCODING_CHARACTERS.fullmatch(following.decode("latin-1"))
    return exact and (not following or other is not None)


def _further_delimiters(text: bytes) -> Iterator[int]:
    """Where MSH, MSH-1 and MSH-2 stand once more, or MSH-1 and what can be another MSH-2.

    No text of a field holds them so.
    """
    end = text.find(text[3:4], 4, _DELIMITERS)
    if end <= 4:
        return
    if (at := text.find(text[: end + 1], end)) >= 0:
        yield at
    if other := _other_header(text[3:4]).search(text, end):
        yield other.start()


@lru_cache(maxsize=64)
def _other_header(separator: bytes) -> re.Pattern[bytes]:
    """MSH, the separator, three to five different punctuation marks, the separator.

    A field of empty components, `^^^`, is of equal marks: it may follow a field that says MSH.
    """
    cut = re.escape(separator)
    mark = b"[" + re.escape(_MARKS.replace(separator, b"")) + b"]"
    differ = rb"(?!" + mark + rb"{0,3}(" + mark + rb")" + mark + rb"{0,3}\1)"
    return re.compile(rb"MSH" + cut + rb"(?=" + mark + rb"{3,5}" + cut + rb")" + differ)


def _line_number(text: bytes, at: int) -> int:
    ends = text.count(b"\r", 0, at) + text.count(b"\n", 0, at) - text.count(b"\r\n", 0, at)
    return ends + 1
