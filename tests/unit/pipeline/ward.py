"""A ward whose services are pushed, and the hospital that gets its orders."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bridge.delivery import Kind, Outcome, Reason
from bridge.mapping.engine.sets import InUse, Sets
from bridge.mapping.language.load import load as load_mappings
from bridge.message import Verdict
from bridge.metrics import Metrics
from bridge.pipeline.delivery.deliver import Deliver
from bridge.pipeline.delivery.hospital import ToHospital
from bridge.pipeline.intake.keep import Intake
from bridge.pipeline.planning.work import Work
from bridge.settings import Settings, Site
from bridge.shipped import mappings_folder
from bridge.store.records import KeptMessage
from tests.unit.pipeline.bench import CATALOGUE, Bench
from tests.unit.pipeline.hl7 import adt

TAKEN = Outcome(Kind.DELIVERED, Reason.ACCEPTED)
BUSY = Outcome(Kind.TRANSIENT, Reason.BUSY, detail="AR", verdict=Verdict.HOSPITAL)
SILENT = Outcome(Kind.UNKNOWN, Reason.NO_ANSWER, verdict=Verdict.NETWORK)
REFUSED = Outcome(Kind.PERMANENT, Reason.REFUSED, detail="AE", verdict=Verdict.HOSPITAL)
ECG = "SRV-ECG"


class Line(NamedTuple):
    """One order of a message to the hospital."""

    #: ORC-1, ORC-2
    control: str
    order: str
    #: FT1-6 and FT1-12 of each charge: `CG 300&INR`
    charges: tuple[str, ...]
    #: FT1-2 of each
    transactions: tuple[str, ...]


class Ward:
    """From the door for pushes to a hospital with these answers, then AA."""

    def __init__(self, folder: Path, **site: Any) -> None:
        self._folder = folder
        self.settings = Settings(site=Site(**site))
        mappings = load_mappings([mappings_folder()], CATALOGUE, self.settings.site)
        self._mappings = InUse(Sets.of_one(mappings))
        self.answers: list[Outcome] = []
        self.received: list[bytes] = []
        self.bench = Bench(folder)
        self._open()

    def _open(self) -> None:
        bench = self.bench
        shared: dict[str, Any] = {"clock": bench.clock, "metrics": Metrics()}
        self.intake = Intake(
            bench.store,
            self.settings,
            takes=lambda channel, protocol, message_type: True,
            new_id=lambda: "ID1",
            wake=lambda: None,
            **shared,
        )
        self.work = Work(
            bench.store,
            self._mappings,
            CATALOGUE,
            self.settings,
            busy=lambda: False,
            planned=lambda: None,
            **shared,
        )
        end = ToHospital(
            self._send,
            jitter=lambda: 1.0,
            settled=lambda target, status: None,
            check_structure=lambda body: [],
        )
        bench.deliver = Deliver(bench.store, end, concurrency=1, **shared)

    async def restart(self) -> None:
        """Close the store and open it again."""
        now = self.bench.clock.now
        await self.bench.store.close()
        self.bench = Bench(self._folder)
        self.bench.clock.now = now
        self._open()

    async def _send(self, body: bytes, control_id: str) -> Outcome:
        self.received.append(body)
        return self.answers.pop(0) if self.answers else TAKEN

    async def register(self, visit: str = "V1") -> None:
        await self.intake.take_hl7(self.settings.channels[0], adt(visit=visit), "a peer")
        await self.translate()

    async def translate(self) -> None:
        while await self.work.once():
            pass

    async def keep(self, *services: dict[str, Any], key: str = "", visit: str = "V1") -> int:
        """Hand a push in at the door, a second after the last."""
        self.bench.clock.now += 1
        body = json.dumps({"externalVisitId": visit, "Services": services}).encode()
        receipt = await self.intake.take_order("service-order", body, idempotency_key=key)
        return receipt.id

    async def push(self, *services: dict[str, Any], key: str = "") -> list[Line]:
        """Hand a push in and see it through; what the hospital got of it."""
        before = len(self.received)
        await self.keep(*services, key=key)
        await self.settle()
        return [line for body in self.received[before:] for line in lines(body)]

    async def settle(self) -> None:
        """Until every order is with the hospital or parked; ZautoAI's calls wait."""
        await self.translate()
        for _ in range(50):
            await self.bench.look()
            self.bench.clock.now += 1

    def message(self, message_id: int) -> KeptMessage:
        kept = self.bench.store.read(lambda view: view.message(message_id))
        assert kept is not None
        return kept


def lines(body: bytes) -> list[Line]:
    """What a message orders, read by splitting it."""
    found: list[Line] = []
    for segment in body.decode().split("\r"):
        fields = segment.split("|")
        if fields[0] == "ORC":
            found.append(Line(fields[1], fields[2], (), ()))
        elif fields[0] == "OBR":
            assert fields[1] == str(len(found))
            assert fields[2] == found[-1].order
        elif fields[0] == "FT1":
            last = found.pop()
            charged = (*last.charges, f"{fields[6]} {fields[12]}")
            found.append(Line(*last[:2], charged, (*last.transactions, fields[2])))
    return found


def a_service(said: str, service: str = ECG) -> dict[str, Any]:
    """`SCHEDULED 300` as it is pushed; `-` is no status."""
    match = re.fullmatch(r'(.*?)(?: (-?\d\S*|".*"))?', said)
    assert match is not None
    line: dict[str, Any] = {"externalServiceId": service, "name": service.title()}
    if match[1] != "-":
        line["status"] = match[1]
    if match[2]:
        line["price"] = json.loads(match[2])
    return line


def told(got: Sequence[Line], names: dict[str, str]) -> str:
    """`XO a CD 250 CG 300`: orders by the letter of their number, in the order they came."""
    texts = []
    for line in got:
        name = names.setdefault(line.order, "abcdef"[len(names)])
        charges = [charge.removesuffix("&INR") for charge in line.charges]
        texts.append(" ".join([line.control, name, *charges]))
    return "; ".join(texts)
