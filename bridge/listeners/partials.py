"""The frames that are under way on all connections, and who must wait when they are too large.

A sender that must wait is not read from, so its bytes stay with TCP. The one whose frame began
first is always read on: it can end, and each in its turn.
"""

from __future__ import annotations

from typing import Protocol


class Sending(Protocol):
    """A connection, as far as it is told to wait."""

    def wait(self) -> None:
        """Read nothing more until `go_on`."""

    def go_on(self) -> None:
        """Read again."""


class Partials:
    """Bytes held of frames under way, of all listeners together.

    They may exceed the cap by what each connection brings in one read.
    """

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._total = 0
        #: bytes by connection, those whose frame began first before the others
        self._held: dict[Sending, int] = {}
        self._waiting: set[Sending] = set()

    @property
    def total(self) -> int:
        """Bytes held now."""
        return self._total

    def hold(self, sending: Sending, size: int) -> None:
        """A connection holds so many bytes of its frame now; 0 when it has ended."""
        before = self._held.pop(sending, None) if not size else self._held.get(sending)
        self._total += size - (before or 0)
        if size:
            self._held[sending] = size
            self._stop_if_over(sending)
        else:
            self._waiting.discard(sending)
        if self._waiting:
            self._let_go()

    def _stop_if_over(self, sending: Sending) -> None:
        is_first = sending is next(iter(self._held))
        if self._total > self._cap and not is_first and sending not in self._waiting:
            self._waiting.add(sending)
            sending.wait()

    def _let_go(self) -> None:
        within = self._total <= self._cap
        for sending in tuple(self._waiting) if within else (next(iter(self._held)),):
            if sending in self._waiting:
                self._waiting.discard(sending)
                sending.go_on()
