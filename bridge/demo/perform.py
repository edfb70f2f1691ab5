"""Play the samples: send them in, wait until all is settled, gather what happened."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from bridge.demo.client import StageClient
from bridge.demo.played import Ended, Played, Received, ending, received_by
from bridge.demo.stage import HOST, Stage
from bridge.message import Status
from bridge.senders.files import recognise, walk
from bridge.senders.replay import HttpDoor, Replayed, replay
from bridge.service.reactor import GuestReactor, start_reactor, stop_reactor
from bridge.visible import readable

#: seconds all samples together may take to settle, and between two looks
SETTLE_SECONDS = 120.0
LOOK_SECONDS = 0.05


class Performance:
    """One replay of the samples against a stage.

    Folder by folder, each settled before the next, as messages come in life: a patient is known
    before he is updated, a visit before something is prescribed in it.
    """

    def __init__(self, stage: Stage, samples: Path) -> None:
        self._stage = stage
        self._samples = samples
        self._client = StageClient(stage)
        self._replayed: list[Replayed] = []
        #: what messages were seen waiting for, by message id
        self._held: dict[int, str] = {}
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()

    async def play(self, advance: Callable[[Path], None]) -> Played:
        """Do it all; `advance` is told each folder before it is sent."""
        reactor, waiting = start_reactor(asyncio.get_running_loop()), 0
        try:
            for folder, files in groupby(walk([self._samples]), key=lambda file: file.parent):
                advance(folder)
                await self._send(list(files), reactor)
                held = (await self._settled())[Status.HELD]
                # Asked only when there are more than before: each question starts a process.
                if held > waiting:
                    await self._note_held()
                waiting = held
        finally:
            stop_reactor(reactor)
        return await self._gather(self._clock() - self._began)

    async def _send(self, files: list[Path], reactor: GuestReactor) -> None:
        stage = self._stage
        answers = replay(
            files,
            mllp=(HOST, stage.mllp_port),
            fhir=HttpDoor(f"{stage.http}/fhir", stage.keys.fhir),
            # orders are pushed as ZautoAI pushes them: by the sandbox, with its key
            orders=HttpDoor(f"{stage.sandbox}/sandbox/push"),
            reactor=reactor,
            clock=reactor,
        )
        self._replayed += [answer async for answer in answers]

    async def _settled(self) -> Counter[str]:
        """The counts by status, once nothing is under way any more or the time is up."""
        while True:
            self._stage.check()
            counts = await self._client.counts()
            if not counts[Status.WAITING] or self._clock() > self._began + SETTLE_SECONDS:
                return counts
            await asyncio.sleep(LOOK_SECONDS)

    async def _note_held(self) -> None:
        for row in await self._client.held():
            self._held.setdefault(row["id"], row["waits_for"])

    async def _gather(self, seconds: float) -> Played:
        reports = await self._reports()
        received = received_by(self._stage.hospital)
        ended = tuple(self._endings(reports, received))
        accounted = {id(each) for one in ended for each in one.received}
        all_received = [each for some in received.values() for each in some]
        return Played(
            ended,
            await self._client.status(),
            await self._client.journal(),
            tuple(each for each in all_received if id(each) not in accounted),
            seconds,
        )

    async def _reports(self) -> dict[str, dict[str, Any]]:
        """What the bridge knows of each message it kept, by the message's text."""
        rows = await self._client.messages()
        reports = await self._client.shown([row["id"] for row in rows]) if rows else []
        return {report["body"]: report for report in reports}

    def _endings(
        self, reports: dict[str, dict[str, Any]], received: dict[str, list[Received]]
    ) -> Iterable[Ended]:
        for replayed in self._replayed:
            path = replayed.path
            part = recognise(path, path.read_bytes())[replayed.index]
            report = reports.get(readable(part.body))
            sample = path.relative_to(self._samples).as_posix()
            waited_for = ""
            if report is not None and report["status"] != Status.HELD:
                waited_for = self._held.get(report["id"], "")
            yield ending(sample, replayed, report, waited_for, received)
