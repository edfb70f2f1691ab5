"""The hospital as a far end: the same bytes each time, one visit's orders in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.delivery import Kind, Outcome, Reason, Target
from bridge.message import Status, Verdict
from bridge.metrics import Metrics
from bridge.pipeline.delivery.deliver import Deliver
from bridge.pipeline.delivery.hospital import ToHospital
from tests.unit.pipeline.bench import Bench
from tests.unit.pipeline.planning.test_plan import an_order

TAKEN = Outcome(Kind.DELIVERED, Reason.ACCEPTED)
BUSY = Outcome(Kind.TRANSIENT, Reason.BUSY, detail="AR", verdict=Verdict.HOSPITAL)
SILENT = Outcome(Kind.UNKNOWN, Reason.NO_ANSWER, verdict=Verdict.NETWORK)


class Ward:
    """A bench whose far end is a hospital with these answers, then AA."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.answers: list[Outcome] = []
        self.received: list[tuple[str, bytes]] = []
        end = ToHospital(
            self._send,
            jitter=lambda: 1.0,
            settled=lambda target, status: None,
            check_structure=lambda body: [],
        )
        self.bench.deliver = Deliver(
            self.bench.store, end, concurrency=1, clock=self.bench.clock, metrics=Metrics()
        )

    async def _send(self, body: bytes, control_id: str) -> Outcome:
        self.received.append((control_id, body))
        return self.answers.pop(0) if self.answers else TAKEN

    async def order(self, number: str, visit: str = "V1") -> int:
        return await self.bench.plan(an_order(number, visit))

    @property
    def order_ids(self) -> list[str]:
        return [control_id for control_id, _ in self.received]


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    made = Ward(tmp_path)
    yield made
    await made.bench.store.close()


async def test_an_order_is_written_as_hl7_and_delivered(ward: Ward) -> None:
    message_id = await ward.order("A")
    await ward.bench.finish()
    assert ward.received[0][0] == "A"
    assert ward.received[0][1].startswith(b"MSH|")
    assert ward.bench.status(message_id) is Status.DELIVERED


@pytest.mark.parametrize("answer", [BUSY, SILENT])
async def test_it_is_sent_again_with_the_same_bytes(ward: Ward, answer: Outcome) -> None:
    ward.answers = [answer, answer]
    await ward.order("A")
    await ward.bench.finish()
    assert len(ward.received) == 3
    assert len(set(ward.received)) == 1


async def test_orders_of_a_visit_never_overtake_each_other(ward: Ward) -> None:
    ward.answers = [BUSY]
    await ward.order("A", "V1")
    await ward.order("B", "V1")
    await ward.order("C", "V2")
    await ward.bench.finish()
    assert ward.order_ids == ["A", "C", "A", "B"]


async def test_a_refused_order_is_parked_and_lets_the_next_go(ward: Ward) -> None:
    ward.answers = [Outcome(Kind.PERMANENT, Reason.REFUSED, detail="AE", verdict=Verdict.HOSPITAL)]
    first, second = await ward.order("A"), await ward.order("B")
    await ward.bench.finish()
    assert ward.bench.status(first) is Status.PARKED
    assert ward.bench.status(second) is Status.DELIVERED


async def test_an_order_that_cannot_be_written_is_parked_as_the_bridges_fault(ward: Ward) -> None:
    broken = replace(an_order("A"), payload={"segments": [["MSH", {}]]})
    message_id = await ward.bench.plan(broken)
    sound = await ward.order("B")
    await ward.bench.finish()
    kept = ward.bench.store.read(lambda view: view.message(message_id))
    assert kept is not None
    assert (kept.status, kept.verdict) == (Status.PARKED, Verdict.BRIDGE)
    assert ward.bench.status(sound) is Status.DELIVERED


async def test_after_a_crash_the_order_is_sent_again(ward: Ward) -> None:
    await ward.order("A")
    (head,) = await ward.bench.store.run(lambda tx: tx.claim(Target.HOSPITAL, 2e6, 1))
    request = ToHospital.head(ward.bench.deliver._end, None, head, 2e6)  # type: ignore[arg-type]
    await ward.bench.store.run(lambda tx: tx.begin(head, request, 2e6))
    await ward.bench.store.run(lambda tx: tx.recover(ward.bench.clock(), 60.0))
    await ward.bench.finish()
    assert ward.order_ids == ["A"]
