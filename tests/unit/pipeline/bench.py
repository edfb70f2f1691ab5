"""The pipeline on a real store with a far end in memory and time that is told to pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bridge.delivery import Call, Delivery, Interaction, Target, Translation
from bridge.message import Message, Protocol, Status
from bridge.metrics import Metrics
from bridge.pipeline.delivery.call_limit import CallLimit
from bridge.pipeline.delivery.deliver import Deliver
from bridge.pipeline.delivery.sweep import Sweep
from bridge.pipeline.planning.plan import plan
from bridge.shipped import mappings_folder
from bridge.store.contract import Store, Transaction
from bridge.store.open import open_store
from bridge.zauto.budget import Budget
from bridge.zauto.catalogue import Catalogue, load
from tests.unit.pipeline.remote import QUIET, Clock, Remote, Watched

T = TypeVar("T")

CATALOGUE: Catalogue = load(mappings_folder() / "zauto")
#: seconds from the claim of a call to its answer at most
LATE = 30.0
#: looks for work after which a run counts as one that never ends
MOST_ROUNDS = 3000


class Bench:
    """Plan and deliver, without doors."""

    def __init__(self, folder: Path, *, budget: Budget | None = None, concurrency: int = 8) -> None:
        self.clock = Clock()
        self.store: Store = open_store(
            f"sqlite:///{folder}/bridge.db", free_bytes=0, clock=self.clock
        )
        self.remote = Remote(CATALOGUE, self.clock)
        self.budget = budget or Budget(None)
        self.end = self.far_end()
        self.deliver = self.carrier(concurrency)

    def far_end(self, **changes: Any) -> Watched:
        """ZautoAI as a far end; what is sent goes to `remote`."""
        limited = changes.pop("limited", True)
        calls = CallLimit(self.budget, Target.ZAUTO, limited=limited, late=LATE)
        given: dict[str, Any] = {
            "same_authorities": (),
            "quiet_seconds": QUIET,
            "jitter": lambda: 1.0,
            "settled": lambda target, status: None,
        }
        return Watched(self.remote.send, CATALOGUE, calls, **given | changes)

    def carrier(self, concurrency: int = 8) -> Deliver:
        """A `Deliver` for the far end as it is now."""
        return Deliver(
            self.store, self.end, concurrency=concurrency, clock=self.clock, metrics=Metrics()
        )

    async def plan(self, *calls: Call, channel: str = "default") -> int:
        """Keep a message and plan these calls for it; the message's number."""

        def job(tx: Transaction) -> int:
            kept_id = keep(tx, self.clock(), channel)
            kept = tx.message(kept_id)
            assert kept is not None
            plan(tx, kept, Translation("a/mapping", "hash", calls), CATALOGUE, self.clock())
            return kept_id

        return await self.store.run(job)

    async def look(self) -> float:
        """One look for work, and what it started; seconds until the next is worth it."""
        wait = await self.deliver.once()
        await self.deliver.until_idle()
        return wait

    async def finish(self) -> None:
        """Let time pass until nothing waits any more; fails when that never comes."""
        for _ in range(MOST_ROUNDS):
            wait = await self.look()
            if not await self.waiting():
                return
            self.clock.now += max(wait, 0.01)
        raise AssertionError("deliveries wait without end")

    async def sweep(self, hold_hours: float = 72) -> None:
        """Do what time alone brings about."""
        sweep = Sweep(
            self.store,
            CATALOGUE,
            hold_hours=hold_hours,
            clock=self.clock,
            planned=self.deliver.wake,
        )
        await sweep.once()

    async def waiting(self) -> int:
        """How many deliveries wait."""
        return self.store.read(lambda view: view.tally()).deliveries.get(Status.WAITING, 0)

    def status(self, message_id: int) -> Status:
        """What became of a message."""
        kept = self.store.read(lambda view: view.message(message_id))
        assert kept is not None
        return kept.status

    def reason(self, message_id: int) -> str:
        """Why it is so."""
        kept = self.store.read(lambda view: view.message(message_id))
        assert kept is not None
        return kept.reason

    def deliveries(self, message_ids: Iterable[int]) -> Sequence[Delivery]:
        """The deliveries of these messages, in the order they were planned."""
        found = self.store.read(
            lambda view: [each for number in message_ids for each in view.deliveries_of(number)]
        )
        return sorted(found, key=lambda delivery: delivery.id)

    def methods(self) -> list[str]:
        """What was asked of ZautoAI: `POST patients`."""
        return [f"{request.method} {request.resource}" for request in self.remote.requests]


def keep(tx: Transaction, at: float, channel: str = "default") -> int:
    """Keep a message of no further interest."""
    message = Message(channel, Protocol.HL7V2, "ADT^A04", "C1", "HIS", "LOTUS", at, b"MSH|")
    return tx.keep(
        message, status=Status.WAITING, answer_code="AA", acknowledgment=b"", identity=None
    ).id


def a_patient(number: str = "P1", **payload: Any) -> Call:
    """A whole registration of a patient, with these changes."""
    whole = {"id": number, "uhid": 4711, "fullName": "Meera Nair", "phoneNumber": "+919845000001"}
    return a_call("patients", number, whole | payload)


def a_provider(number: str = "D1", **payload: Any) -> Call:
    whole = {"id": number, "fullName": "Dr. Anand Rao"}
    return a_call("providers", number, whole | payload, interaction=Interaction.CREATE)


def a_visit(number: str = "V1", patient: str = "P1", **payload: Any) -> Call:
    whole = {
        "id": number,
        "patientId": patient,
        "visitDateTime": "2026-03-01T04:30:00Z",
        "status": "IN_QUEUE",
    }
    return a_call("patient-visits", number, whole | payload, create_only=frozenset({"status"}))


def a_call(resource: str, number: str, payload: dict[str, Any], **changes: Any) -> Call:
    given: dict[str, Any] = {
        "target": Target.ZAUTO,
        "interaction": Interaction.UPSERT,
        "resource": resource,
        "external_id": number,
        "payload": payload,
    }
    return Call(**given | changes)
