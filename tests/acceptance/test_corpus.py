"""Every public message at hand ends in a status that people know, and the service stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.message import Status
from tests.acceptance.conftest import Launch
from tests.acceptance.corpus import FOLDER, Part, fhir_parts, hl7_parts
from tests.acceptance.mllp import END, START, Sender
from tests.acceptance.processes import FHIR_KEY, Bridge, Sandbox, until

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the public messages are not at {FOLDER}"
)

FHIR = {"X-API-Key": FHIR_KEY, "Content-Type": "application/fhir+json"}
#: what is kept of bytes that are no message: no status of a message, but not lost either
QUARANTINED = "quarantined"


class Replay:
    """Sends one part after another and finds each in the store."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._newest = 0
        self._quarantined = 0
        #: bodies that are duplicates when they come again
        self._known: set[bytes] = set()
        #: the message each part was kept as; none where it is quarantined or a duplicate
        self.kept: list[tuple[Part, int]] = []
        self.quarantined: list[Part] = []
        self.duplicates: list[Part] = []

    async def send(self, part: Part) -> None:
        """Send one part and wait until it is in the store."""
        if part.method:
            await self._bridge.http.request(part.method, part.path, content=part.body, headers=FHIR)
            await self._find(part)
            return
        async with Sender(lambda: self._bridge.mllp) as sender:
            await sender.raw(START + part.body + END)
            if part.body in self._known:
                self.duplicates.append(part)
            else:
                await self._find(part)

    async def _find(self, part: Part) -> None:
        kept = len(self.kept), len(self.quarantined)

        async def look() -> bool:
            await self._look(part)
            return (len(self.kept), len(self.quarantined)) != kept

        await until(look, f"{part.file} is kept")

    async def _look(self, part: Part) -> None:
        rows = await self._bridge.ask("messages", limit=1)
        if rows and rows[0]["id"] != self._newest:
            self._newest = rows[0]["id"]
            self.kept.append((part, self._newest))
            if rows[0]["control_id"] and not part.method:
                self._known.add(part.body)
            return
        quarantined = (await self._bridge.status())["quarantined"]
        if quarantined != self._quarantined:
            self._quarantined = quarantined
            self.quarantined.append(part)


async def test_every_public_message_ends_in_a_known_status_and_nothing_breaks(
    sandbox: Sandbox, launch: Launch, report: list[str]
) -> None:
    bridge = await launch(sandbox.url)
    replay = Replay(bridge)
    parts = [*hl7_parts(), *fhir_parts()]
    for part in parts:
        await replay.send(part)
    await bridge.settled()
    rows = {row["id"]: row for row in await bridge.messages()}

    report += table(replay, rows)
    assert len(parts) > 2_000
    assert len(replay.kept) + len(replay.quarantined) + len(replay.duplicates) == len(parts)
    assert {rows[number]["status"] for _, number in replay.kept} <= set(Status)
    assert len(rows) == len(replay.kept)
    assert sum(row["duplicates"] for row in rows.values()) == len(replay.duplicates)
    refused = [
        (part.file, rows[number]["reason"])
        for part, number in replay.kept
        if part.well_formed and rows[number]["status"] == Status.REJECTED
    ]
    assert refused == []
    assert not [part.file for part in replay.quarantined if part.well_formed]
    assert sum(part.well_formed for part, _ in replay.kept) > 200
    assert bridge.failures() == []
    assert await bridge.healthy()


def table(replay: Replay, rows: dict[int, dict[str, Any]]) -> Iterator[str]:
    """Counts by type and status."""
    counts = Counter((rows[n]["message_type"], rows[n]["status"]) for _, n in replay.kept)
    counts["no message", QUARANTINED] = len(replay.quarantined)
    counts["any", Status.DUPLICATE] = len(replay.duplicates)
    statuses = sorted({status for _, status in counts})
    yield f"{'type':<32}" + "".join(f"{status:>12}" for status in statuses)
    for type_ in sorted({type_ for type_, _ in counts}):
        numbers = (counts[type_, status] for status in statuses)
        yield f"{ascii(type_)[1:-1][:31]:<32}" + "".join(
            f"{number or '':>12}" for number in numbers
        )
    totals = (sum(c for (_, s), c in counts.items() if s == status) for status in statuses)
    yield f"{'all':<32}" + "".join(f"{total:>12}" for total in totals)
