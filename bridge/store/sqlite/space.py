"""How much room the disk has left."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

#: seconds a measurement is good for
_GOOD_FOR = 1.0


def free_bytes(folder: Path) -> int:
    """Bytes that the bridge may still write on a folder's disk; raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class Space:
    """Whether a folder's disk has `free_bytes` left, asked at most once a second."""

    def __init__(self, folder: Path, free_bytes: int, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._free_bytes = free_bytes
        self._clock = clock
        self._asked_at: float | None = None
        self._enough = True

    def enough(self) -> bool:
        now = self._clock()
        # A clock that was set back must not keep an old answer alive.
        if self._asked_at is None or not 0 <= now - self._asked_at < _GOOD_FOR:
            self._asked_at = now
            self._enough = self._measure()
        return self._enough

    def _measure(self) -> bool:
        try:
            return free_bytes(self._folder) >= self._free_bytes
        except OSError:
            # A disk that cannot even be asked has no room.
            return False
