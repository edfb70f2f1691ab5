"""What is stored as JSON, and checksums."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import orjson

from bridge.causes import Cause, cut
from bridge.remarks import MOST_SENT, Remark, RemarkCode
from bridge.store.statements import Row, Values

T = TypeVar("T")

#: what reading a value raises that is not JSON, no word of its enumeration, or of another form
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)


def or_else(otherwise: T, read: Callable[[], T]) -> T:
    """A value, or another one where it cannot be read."""
    try:
        return read()
    except UNREADABLE:
        return otherwise


def checksum(*parts: bytes | str) -> int:
    """CRC-32: finds every single flipped bit and every burst of up to 32."""
    if len(parts) == 1 and isinstance(parts[0], bytes):
        return zlib.crc32(parts[0])
    return zlib.crc32(b"".join([p if isinstance(p, bytes) else p.encode() for p in parts]))


def to_json(record: object) -> bytes:
    """A dataclass or JSON value as compact JSON; sets become sorted lists."""
    return orjson.dumps(record, default=sorted)


def cause_row(cause: Cause | None) -> tuple[str, str]:
    """The values of the columns `cause` and `details`."""
    if cause is None:
        return "", ""
    parameters = cause.parameters()
    return str(cause.kind), to_json(parameters).decode() if parameters else ""


def cause_values(cause: Cause | None) -> Values:
    """The parameters `cause` and `details` of a statement."""
    kind, details = cause_row(cause)
    return {"cause": kind, "details": details}


def cause_of(row: Row) -> Cause | None:
    """The cause of a row that has these columns."""
    kind: str = row["cause"]
    return Cause.stored(kind, orjson.loads(row["details"] or "{}")) if kind else None


def remarks_json(remarks: Sequence[Remark]) -> str:
    """Remarks as they are stored, "" for none."""
    if not remarks:
        return ""
    return to_json([[*each[:3], cut(each.sent, MOST_SENT)] for each in remarks]).decode()


def remarks_of(stored: str) -> tuple[Remark, ...]:
    found = orjson.loads(stored) if stored else ()
    return tuple(Remark(RemarkCode(code), *more) for code, *more in found)


def differs(kept: int | None, *parts: bytes | str) -> bool:
    """Whether parts are not those whose checksum was kept; unknown of what was kept without."""
    return kept is not None and checksum(*parts) != kept
