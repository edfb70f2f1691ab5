"""Lines of a message that are not plainly a segment, and what a reader makes of them.

A carriage return within a field cuts it in two; people and editors indent lines, pad names and
write them in lower case. Whatever is not read is named, so that nobody believes it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from bridge.hl7v2 import segments
from bridge.hl7v2.paths import is_segment

#: what is no part of a name, beside blanks
_MARKS = "\ufeff\0"


class LineFault(Enum):
    """Why a line is not plainly a segment."""

    #: blanks before or behind the name of a known segment, which is read
    PADDED = "padded"
    #: the name of a known segment, but not in capitals: not read
    LOWER_CASE = "lower case"
    #: anything else: not read
    UNKNOWN = "unknown"


class OddLine(NamedTuple):
    """One such line."""

    #: from 1, the MSH; every CR, LF or CRLF ends a line
    number: int
    fault: LineFault


def odd_lines(text: str, field_separator: str) -> Iterator[OddLine]:
    """The lines of a message that are not plainly a segment, in order."""
    text = text.replace("\r\n", "\r")
    at = counted = 0
    number = 1
    for segment in segments.split(text, field_separator):
        at = text.find(segment, at)
        fault = _fault(segment, field_separator)
        if fault is not None:
            number += text.count("\r", counted, at) + text.count("\n", counted, at)
            counted = at
            yield OddLine(number, fault)
        at += len(segment)


def plain(lines: Iterable[str], field_separator: str) -> Sequence[str]:
    """Segments without the blanks around the names of known ones."""
    return [_plain(line, field_separator) for line in lines]


def _plain(line: str, separator: str) -> str:
    name, found, fields = line.partition(separator)
    bare = _bare(name)
    return f"{bare}{found}{fields}" if is_segment(bare) else line


def _fault(line: str, separator: str) -> LineFault | None:
    name = line.partition(separator)[0]
    bare = _bare(name)
    if is_segment(name) or not _bare(line):
        return None
    if is_segment(bare):
        return LineFault.PADDED
    return LineFault.LOWER_CASE if is_segment(bare.upper()) else LineFault.UNKNOWN


def _bare(name: str) -> str:
    return name.strip().strip(_MARKS).strip()
