"""Sweeping: what is to be read again, past what is damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bridge.delivery import Step
from bridge.store.contract import Transaction
from tests.unit.pipeline.bench import Bench, a_patient


async def test_a_damaged_record_keeps_no_other_from_being_read_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    planned = [await bench.plan(a_patient(number)) for number in ("P1", "P2")]
    await bench.finish()
    with closing(sqlite3.connect(tmp_path / "bridge.db")) as file, file:
        damage = "UPDATE entity SET desired = CAST('{}' AS BLOB) WHERE external_id = 'P1'"
        assert file.execute(damage).rowcount == 1

    def look_again(tx: Transaction) -> None:
        for number, message_id in zip(("P1", "P2"), planned, strict=True):
            tx.look_again("patients", number, message_id, 0.0)

    await bench.store.run(look_again)
    await bench.sweep()
    steps = [[each.step for each in bench.deliveries([number])] for number in planned]
    assert steps[1][-1] is Step.VERIFY
    assert len(steps[0]) == 1
    await bench.sweep()
    await bench.store.close()
