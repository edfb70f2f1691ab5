"""Back to the test records: when asked, and each night where the sandbox is started so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias

from bridge.sandbox.database import Database
from bridge.sandbox.journal import Effect, JournalEntry

#: seconds since the epoch
Clock: TypeAlias = Callable[[], float]

#: note in the state: when the last reset was
_LAST = "last reset"


class Resets:
    """Resets the records; the journal keeps what was, clients and tokens stay."""

    def __init__(
        self, state: Database, seed: Callable[[], None], nightly: time | None, now: float
    ) -> None:
        """`nightly` is the time of day in UTC, None for never; a night that passed while the
        sandbox was down is made up for.
        """
        self._state = state
        self._seed = seed
        self._nightly = nightly
        last = state.note(_LAST)
        self._due = self._after(now if last is None else last)
        if last is None:
            state.remember(_LAST, now)

    def keep_up(self, now: float) -> None:
        """Reset if a night has passed; to be called before anything is read.

        No timer does it: nobody can tell when records changed that were not looked at.
        """
        if self._due is not None and now >= self._due:
            self.reset(now, JournalEntry(self._due, "", "", "", 0, "", "", Effect.RESET))

    def reset(self, now: float, entry: JournalEntry) -> None:
        """Reset at once, and write it down."""
        with self._state.transaction():
            self._state.records.clear()
            self._seed()
            self._state.journal.write(entry)
            self._state.remember(_LAST, now)
        self._due = self._after(now)

    def _after(self, moment: float) -> float | None:
        """The first nightly moment behind this one."""
        if self._nightly is None:
            return None
        at = datetime.fromtimestamp(moment, UTC)
        due = datetime.combine(at.date(), self._nightly, UTC)
        return (due if due > at else due + timedelta(days=1)).timestamp()
