"""Whether ZautoAI has a record, or gets it."""

from __future__ import annotations

import pytest

from bridge.delivery import Entity
from bridge.message import Status
from bridge.pipeline.planning.presence import has_pending, is_there, may_be_there
from bridge.store.contract import Transaction
from tests.unit.pipeline.bench import Bench, a_patient

UNKNOWN = Entity("patients", "P1")


@pytest.mark.parametrize(
    ("status", "there", "may_be"),
    [
        (Status.WAITING, True, True),
        (Status.HELD, False, True),
        (Status.PARKED, False, False),
        (Status.DELIVERED, False, False),
    ],
)
async def test_by_what_is_on_its_way(
    bench: Bench, status: Status, there: bool, may_be: bool
) -> None:
    (delivery,) = bench.deliveries([await bench.plan(a_patient())])

    def job(tx: Transaction) -> tuple[bool, bool, bool]:
        if status is not Status.WAITING:
            tx.settle(delivery.id, status, at=0.0)
        on_its_way = has_pending(tx, UNKNOWN, Status.WAITING, Status.HELD, Status.PARKED)
        return is_there(tx, UNKNOWN), may_be_there(tx, UNKNOWN), on_its_way

    pending = status is not Status.DELIVERED
    assert await bench.store.run(job) == (there, may_be, pending)


async def test_what_was_accepted_is_there(bench: Bench) -> None:
    accepted = Entity("patients", "P9", sent={})
    assert bench.store.read(lambda view: is_there(view, accepted))
    assert bench.store.read(lambda view: may_be_there(view, accepted))
