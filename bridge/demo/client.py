"""What the demonstration asks: the bridge's commands and metrics, the sandbox's journal.

Nothing else of the bridge is looked at, so the demonstration shows no more than a person gets.
"""

from __future__ import annotations

import asyncio
import re
import sys
import urllib.request
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from bridge.demo.played import Call
from bridge.demo.stage import Stage
from bridge.errors import BridgeError
from bridge.message import Status

#: messages listed at once; a demonstration has fewer
MOST_MESSAGES = 1000
ANSWER_SECONDS = 120.0
#: `bridge_messages{status="waiting"} 3.0`, and the same of deliveries
_COUNTED = re.compile(r'^bridge_(?:messages|deliveries){status="(\w+)"} (\S+)$', re.MULTILINE)


class StageClient:
    """Asks what runs on a stage; raises BridgeError where a command fails."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        # A proxy of the environment is none for this machine's own ports.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    async def counts(self) -> Counter[str]:
        """How many messages and deliveries are in each status that can end."""
        numbers = (await self._get(f"{self._stage.http}/metrics")).decode()
        counts: Counter[str] = Counter()
        for status, count in _COUNTED.findall(numbers):
            counts[status] += int(float(count))
        return counts

    async def messages(self, *words: str) -> list[dict[str, Any]]:
        """Rows of `bridge messages`."""
        limit = str(MOST_MESSAGES)
        rows: list[dict[str, Any]] = await self._run(
            "messages", *words, "--limit", limit, "--reveal"
        )
        return rows

    async def held(self) -> list[dict[str, Any]]:
        """Rows of the messages that wait for something named."""
        return await self.messages("--status", Status.HELD)

    async def shown(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        """What `bridge messages show` says of each."""
        shown = await self._run("messages", "show", *map(str, ids), "--reveal")
        return shown if isinstance(shown, list) else [shown]

    async def status(self) -> dict[str, Any]:
        """What `bridge status` says."""
        report: dict[str, Any] = await self._run("status")
        return report

    async def journal(self) -> Counter[Call]:
        """The calls to ZautoAI's resources as the sandbox's journal has them, counted."""
        answer = await self._get(f"{self._stage.sandbox}/sandbox/journal")
        return Counter(
            (each["method"], each["resource"], each["status"])
            for each in orjson.loads(answer)["entries"]
            if each["resource"]
        )

    async def _run(self, *words: str) -> Any:
        command = (sys.executable, "-m", "bridge", *words)
        config = ("--json", "--config", str(self._stage.config))
        process = await asyncio.create_subprocess_exec(*command, *config, stdout=PIPE, stderr=PIPE)
        out, errors = await process.communicate()
        # What `bridge status` ends with says how things stand, so only the output counts.
        if not out:
            raise BridgeError(f"bridge {words[0]} failed: {errors.decode().strip()}")
        return orjson.loads(out)

    async def _get(self, url: str) -> bytes:
        def get() -> bytes:
            with self._opener.open(url, timeout=ANSWER_SECONDS) as answer:
                body: bytes = answer.read()
                return body

        # In a thread: the hospital in this loop must be able to answer meanwhile.
        return await asyncio.to_thread(get)
