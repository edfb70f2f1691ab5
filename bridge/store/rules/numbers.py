"""Numbers: a key's number in a sequence, the same for ever."""

from __future__ import annotations

from bridge.store import rows
from bridge.store.rules.asking import must_take
from bridge.store.statements import Statements


def number(statements: Statements, sequence: str, key: str, first: int) -> int:
    """The key's number; the one after the last, `first` at the earliest, where it has none yet."""
    if taken := statements.one("number", sequence=sequence, key=key):
        return rows.number(taken)
    last = statements.one("last_number", sequence=sequence)
    value = first if last is None else max(first, last["value"] + 1)
    checksum = rows.number_checksum(sequence, key, value)
    taken_now = statements.change(
        "take_number", sequence=sequence, key=key, value=value, checksum=checksum
    )
    must_take(taken_now, "a number")
    return value
