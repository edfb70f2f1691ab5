"""Work in the background: it goes on until the service stops; an earlier end is told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog


class BackgroundWork:
    """Tasks that never end by themselves, each with a name for people."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._log = structlog.get_logger()

    def begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run it until `stop`; when a fault of ours ends it before, that is logged."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._log_end)
        self._tasks.append(task)

    def ended(self) -> list[str]:
        """The names of what does not run any longer."""
        return [task.get_name() for task in self._tasks if task.done()]

    async def stop(self) -> None:
        """Cancel all of it and wait for its end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _log_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._log.critical("work has stopped", exc_info=task.exception())
