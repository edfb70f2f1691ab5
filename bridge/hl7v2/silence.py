"""How long a frame whose last byte is an FS waits for what follows: CR, or more of its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

#: seconds, where no setting says otherwise
END_SILENCE = 0.25


class Delayed(Protocol):
    """A call that will be made later."""

    def active(self) -> bool:
        """Whether it is still to be made."""

    def cancel(self) -> None:
        """Do not make it."""


class Silence:
    """Calls back when a connection that is read from brings nothing for a time."""

    def __init__(
        self,
        call_later: Callable[[float, Callable[[], None]], Delayed],
        seconds: float,
        over: Callable[[], None],
    ) -> None:
        """`over` is called once after each `wait` that no `stop` or further `wait` followed."""
        self._call_later = call_later
        self._seconds = seconds
        self._over = over
        self._call: Delayed | None = None

    def wait(self) -> None:
        """Begin to wait, or begin again."""
        self.stop()
        self._call = self._call_later(self._seconds, self._look_once_more)

    def stop(self) -> None:
        """Wait no more."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None

    def _look_once_more(self) -> None:
        # Where the process was held up, bytes may have come in time that are not read yet.
        self._call = self._call_later(0, self._over)
