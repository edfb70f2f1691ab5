"""A command of the bridge as a process of its own."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.errors import BridgeError

#: seconds a process has to say that it listens; a loaded machine imports slowly
START_SECONDS = 120.0
#: seconds it has to stop in
STOP_SECONDS = 60.0
#: lines of its log that are told when it fails
TOLD_LINES = 10


class Started:
    """A process that runs, what it says and what it logs."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self._name = name
        self._process = process
        self._log = log

    async def said(self, pattern: str) -> re.Match[str]:
        """Wait for a line on standard output; raises BridgeError when it does not come."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                async for line in self._process.stdout:
                    found = re.search(pattern, line.decode())
                    if found is not None:
                        return found
                await self._process.wait()
        except TimeoutError:
            raise BridgeError(
                f"the {self._name} did not start within {START_SECONDS:.0f} s{self._told()}"
            ) from None
        raise self._ended()

    def check(self) -> None:
        """Raises BridgeError when the process has ended."""
        if self._process.returncode is not None:
            raise self._ended()

    async def stop(self) -> None:
        """Ask it to stop, and kill it when it does not."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _ended(self) -> BridgeError:
        code = self._process.returncode
        return BridgeError(f"the {self._name} ended by itself with code {code}{self._told()}")

    def _told(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "".join(f"\n  {line}" for line in lines[-TOLD_LINES:])


@asynccontextmanager
async def starting(
    name: str, words: Sequence[str], environment: Mapping[str, str], log: Path
) -> AsyncIterator[Started]:
    """Run `bridge WORDS` and stop it when the block ends; what it logs goes to a file."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", *words), env=environment, stdout=PIPE, stderr=errors
        )
    started = Started(name, process, log)
    try:
        yield started
    finally:
        await started.stop()
