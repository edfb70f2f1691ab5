"""Where segments end: carriage return by the standard, line feed or both in practice."""

from __future__ import annotations

import re
from functools import lru_cache

from bridge.hl7v2.paths import SEGMENTS

#: the segments of the standard, and those of a site (`Z..`)
_NAMES = "|".join((*sorted(SEGMENTS), "Z[A-Z0-9]{2}"))

#: what may stand around the name of a segment: blanks, control characters, a byte order mark
_PAD = r"[ \t\0\x0b\x0c\x1c\xa0\ufeff]*+"

UTF8_BOM = b"\xef\xbb\xbf"


def split(text: str, field_separator: str) -> list[str]:
    """The segments of a message, without their ends; blank lines are left out.

    A carriage return always ends a segment. A line feed ends one only before a segment id or the
    end of the message; any other is text of the field it stands in (senders put notes of several
    lines into one field) and is kept. Where line feeds alone end the lines, the id of a known
    segment may be indented, padded with blanks or in lower case (see `lines`), as it may behind a
    carriage return.
    """
    if "\n" in text:
        text = text.replace("\r\n", "\r")
    text = text.rstrip("\r")
    found = text.split("\r") if "\n" not in text else _ends(text, field_separator).split(text)
    return [segment for segment in found if segment] if "" in found else found


def first(text: str, field_separator: str) -> str:
    """The first segment of a message."""
    segment = text.partition("\r")[0]
    return _ends(segment, field_separator).split(segment, 1)[0] if "\n" in segment else segment


def more_than(limit: int, text: str, field_separator: str) -> bool:
    """Whether there are more segments than `limit`, found without splitting the message.

    Blank lines ended by a carriage return count here, so that a message of nothing else is caught.
    """
    if len(text) <= limit:  # there are no more segments than characters
        return False
    returns = text.count("\r")
    if returns > limit:
        return True
    if returns + text.count("\n") < limit:
        return False
    text = text.rstrip("\r\n")
    ends = _ends(text, field_separator).finditer(text)
    return any(number >= limit for number, _ in enumerate(ends, start=1))


def _ends(text: str, field_separator: str) -> re.Pattern[str]:
    return _end(field_separator, odd="\r" not in text)


@lru_cache(maxsize=64)
def _end(field_separator: str, *, odd: bool) -> re.Pattern[str]:
    # Runs of line ends are taken whole (possessive) and only from their first character, or a
    # message of nothing but line feeds would be scanned once for each of them.
    separator = re.escape(field_separator)
    begins = rf"[A-Z][A-Z0-9]{{2}}(?:{separator}|[\r\n]|\Z)"
    if odd:
        # looked at only where its shape is there: the names are many
        shape = rf"(?={_PAD}[A-Za-z][A-Za-z0-9]{{2}}{_PAD}{separator})"
        begins += rf"|{shape}{_PAD}(?i:{_NAMES})"
    return re.compile(rf"\r[\r\n]*+|(?<!\n)\n++(?:\r[\r\n]*+|(?={begins})|\Z)")
