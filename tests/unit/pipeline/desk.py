"""An intake as its tests use it: with a store, a clock and ids of its own."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from bridge.hl7v2 import ack
from bridge.message import Reply
from bridge.metrics import Metrics
from bridge.pipeline.intake.keep import Intake
from bridge.settings import Channel, Settings
from bridge.store.contract import Store
from bridge.store.open import open_store
from bridge.store.records import KeptMessage
from tests.unit.pipeline.remote import Clock

TAKEN = {"ADT^A04", "Patient", "prescription-order"}


class Desk:
    """An intake with its store, clock and ids."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.clock = Clock()
        self.store: Store = open_store(
            f"sqlite:///{folder}/bridge.db", free_bytes=0, clock=self.clock
        )
        self.settings = Settings(**settings)
        self.woken = 0
        self.intake = self.made(self.store)

    def made(self, store: Store) -> Intake:
        numbers = itertools.count(1)
        return Intake(
            store,
            self.settings,
            takes=lambda channel, protocol, message_type: message_type in TAKEN,
            clock=self.clock,
            new_id=lambda: f"ID{next(numbers)}",
            metrics=Metrics(),
            wake=self._wake,
        )

    def _wake(self) -> None:
        self.woken += 1

    async def hl7(self, body: bytes, channel: Channel | None = None) -> Reply:
        return await self.intake.take_hl7(channel or self.settings.channels[0], body, "a peer")

    def kept(self) -> list[KeptMessage]:
        """All that is kept, oldest first."""
        return list(reversed(self.store.read(lambda view: view.messages())))

    @property
    def quarantined(self) -> int:
        return self.store.read(lambda view: view.tally()).quarantined


def told(reply: Reply) -> tuple[str, str]:
    """MSA-1 and MSA-2."""
    assert reply.acknowledgment is not None
    found = ack.read(reply.acknowledgment)
    return found.code, found.control_id
