"""What became of a field is told by the mappings that made it, whatever set is in use now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.message import Status
from bridge.metrics import Metrics
from bridge.pipeline.planning.work import Work
from bridge.reports.calls import OriginRow
from bridge.reports.messages import message_report
from bridge.store.contract import Transaction
from tests.unit.pipeline.bench import CATALOGUE
from tests.unit.pipeline.hl7 import adt, message
from tests.unit.service.test_reload import Shop

#: one rule more, so that later rules get other numbers; and a name from elsewhere
PATIENT = "parts/patient_from_pid.yaml"
OTHER_PATIENT = """\
fields:
  fullName:
    - {from: PID-9, as: person_name}
    - {from: PID-5, as: person_name}
"""


class Ward(Shop):
    """A shop that takes messages, too."""

    async def take(self, body: bytes) -> int:
        """Keep a message and translate it with what is in use; returns its id."""

        def job(tx: Transaction) -> int:
            kept = message(body)._replace(channel="lakeside")
            return tx.keep(
                kept, status=Status.WAITING, answer_code="AA", acknowledgment=b"", identity=None
            ).id

        number = await self.store.run(job)
        work = Work(
            self.store,
            self.in_use,
            CATALOGUE,
            self.settings,
            clock=lambda: self.now,
            metrics=Metrics(),
            busy=lambda: False,
            planned=lambda: None,
        )
        await work.once()
        return number

    def lineage(self, message_id: int) -> list[list[OriginRow]]:
        """The origins of each call's fields."""
        report = self.store.read(
            lambda view: message_report(view, message_id, self.settings, reveal=True)
        )
        assert report is not None
        return [delivery.lineage for delivery in report.deliveries]

    def rules(self, message_id: int) -> dict[str, str]:
        """Of the patient's fields, the file and line that filled each."""
        patient = self.lineage(message_id)[0]
        return {origin.field: origin.rule for origin in patient}


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    made = Ward(tmp_path)
    await made.reload.take_up()
    yield made
    await made.store.close()


async def test_each_message_is_told_by_the_set_it_was_translated_with(ward: Ward) -> None:
    first = await ward.take(adt("C1", patient="1"))
    before = ward.lineage(first)
    ward.write(OTHER_PATIENT, file=PATIENT)
    await ward.reload.reload()
    second = await ward.take(adt("C2", patient="2"))
    assert ward.lineage(first) == before
    assert ward.rules(first)["fullName"].startswith(f"mappings/{PATIENT}:")
    assert ward.rules(second)["fullName"] == f"lakeside/{PATIENT}:4"
    assert ward.rules(second)["gender"] == ward.rules(first)["gender"]


async def test_it_is_so_after_a_rollback_and_a_restart(ward: Ward) -> None:
    first = await ward.take(adt("C1", patient="1"))
    ward.write(OTHER_PATIENT, file=PATIENT)
    await ward.reload.reload()
    second = await ward.take(adt("C2", patient="2"))
    before = [ward.lineage(number) for number in (first, second)]
    await ward.reload.rollback("", None)
    ward.open()
    await ward.reload.take_up()
    assert [ward.lineage(number) for number in (first, second)] == before
