"""Asking: what every part of the rules begins with."""

from __future__ import annotations

from bridge.errors import StoreError
from bridge.store.statements import Statements

#: more than any id
AFTER_ALL = 2**63 - 1


class Asking:
    """A part of the rules, on the statements of one connection."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements


def must_change(changed: int, what: str, number: int) -> None:
    """Raise StoreError where a statement that was to change a row found none."""
    if not changed:
        raise StoreError(f"There is no {what} {number} in the store.")


def must_take(changed: int, what: str) -> None:
    """Raise StoreError where a statement that was to keep one row kept none."""
    if changed != 1:
        raise StoreError(f"The store did not take {what}.")


def must_insert(inserted: int | None, what: str) -> int:
    """The id of a row that was to be inserted; raises StoreError where it was not."""
    if inserted is None:
        raise StoreError(f"The store did not take {what}.")
    return inserted
