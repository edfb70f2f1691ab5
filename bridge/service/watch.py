"""Watch the files of mappings, and take them when they changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from bridge.errors import StoreError
from bridge.settings import Settings
from bridge.shipped import mappings_folder

#: of each file what changes when it is written: time, size and inode
_Look: TypeAlias = Mapping[str, tuple[int, int, int]]


class Watch:
    """Looks at files again and again.

    A change counts once two looks in a row saw the same: an editor may save, and a copy may take,
    several files one after the other.
    """

    def __init__(
        self, settings: Settings, reload: Callable[[], Awaitable[Any]], pinned: Callable[[], bool]
    ) -> None:
        """`pinned` says whether the files are not wanted at present."""
        self._seconds = settings.mappings.watch_seconds
        self._settings = settings
        self._reload = reload
        self._pinned = pinned
        self._taken = self._last = self._look()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            await self.once()

    async def once(self) -> None:
        """One look; where the files changed and settled, they are taken."""
        now = await asyncio.to_thread(self._look)
        settled, self._last = now == self._last, now
        if settled and now != self._taken and not self._pinned():
            self._taken = now
            try:
                await self._reload()
            except StoreError:
                self._taken = {}  # once the store can be written, they are taken

    def _look(self) -> _Look:
        found = {}
        for file in _files(self._settings):
            try:
                said = file.stat()
            except OSError:
                continue
            found[str(file)] = (said.st_mtime_ns, said.st_size, said.st_ino)
        return found


def _files(settings: Settings) -> Iterator[Path]:
    yield from (settings.mappings.folder or mappings_folder()).glob("*/*.y*ml")
    for site in settings.sites():
        if site:
            folder = settings.mappings.sites / site
            yield from folder.glob("*.y*ml")
            yield from folder.glob("*/*.y*ml")
