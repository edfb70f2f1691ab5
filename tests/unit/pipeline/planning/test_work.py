"""Translating and planning what was kept: in order, and past whatever stands in the way."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import StoreBusy
from bridge.mapping.engine.sets import InUse, Sets
from bridge.mapping.language.load import load as load_mappings
from bridge.message import Message, Protocol, Status, Verdict
from bridge.metrics import Metrics
from bridge.pipeline.planning import work as module
from bridge.pipeline.planning.translate import translate
from bridge.pipeline.planning.work import LONGEST_YIELD, Work
from bridge.reports.messages import message_report
from bridge.settings import Settings
from bridge.shipped import mappings_folder
from bridge.store.contract import Transaction
from tests.patience import PATIENCE
from tests.unit.pipeline.bench import CATALOGUE, Bench
from tests.unit.pipeline.hl7 import adt, message

SETTINGS = Settings()
MAPPINGS = load_mappings([mappings_folder()], CATALOGUE, SETTINGS.site)


class Shop:
    """A bench with the translation before it."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.busy = False
        self.planned = 0
        self.work = self.another()

    def another(self) -> Work:
        """One more that translates for the same store."""
        return Work(
            self.bench.store,
            InUse(Sets.of_one(MAPPINGS)),
            CATALOGUE,
            SETTINGS,
            clock=self.bench.clock,
            metrics=Metrics(),
            busy=lambda: self.busy,
            planned=self._plan,
        )

    def _plan(self) -> None:
        self.planned += 1

    async def keep(self, given: Message | bytes) -> int:
        kept = message(given, self.bench.clock()) if isinstance(given, bytes) else given

        def job(tx: Transaction) -> int:
            return tx.keep(
                kept, status=Status.WAITING, answer_code="AA", acknowledgment=b"", identity=None
            ).id

        return await self.bench.store.run(job)

    async def all(self) -> None:
        while await self.work.once():
            pass


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    made = Shop(tmp_path)
    yield made
    await made.bench.store.close()


def order(visit: str) -> Message:
    body = b'{"externalVisitId": "%s", "Medications": [{"name": "Paracetamol"}]}' % visit.encode()
    return Message("orders", Protocol.ORDERS, "prescription-order", "", "", "", 1_000_000.0, body)


def encounter(patient: str) -> Message:
    body = (
        b'{"resourceType": "Encounter", "id": "E1", "status": "in-progress",'
        b' "class": {"code": "AMB"}, "subject": {"reference": "Patient/%s"},'
        b' "period": {"start": "2026-03-01T10:00:00+05:30"}}' % patient.encode()
    )
    return Message("fhir", Protocol.FHIR, "Encounter", "", "", "", 1e6, body, "Encounter/E1")


def patient(number: str) -> Message:
    body = (
        b'{"resourceType": "Patient", "id": "%s", "identifier": [{"value": "4711"}],'
        b' "name": [{"family": "Nair", "given": ["Meera"]}],'
        b' "telecom": [{"system": "phone", "value": "9845000001"}]}' % number.encode()
    )
    return Message("fhir", Protocol.FHIR, "Patient", "", "", "", 1e6, body, f"Patient/{number}")


async def test_a_message_becomes_deliveries_in_the_order_of_its_calls(shop: Shop) -> None:
    message_id = await shop.keep(adt())
    assert await shop.work.once() == 1
    resources = [each.call.resource for each in shop.bench.deliveries([message_id])]
    assert resources == ["patients", "providers", "patient-visits"]
    assert shop.planned == 1


async def test_without_work_nothing_is_told(shop: Shop) -> None:
    assert await shop.work.once() == 0
    assert shop.planned == 0


async def test_messages_are_taken_in_commit_order_however_many(shop: Shop) -> None:
    ids = [await shop.keep(adt(f"C{n}", name=f"Nair^Meera{n}")) for n in range(70)]
    await shop.all()
    names = [
        each.call.payload["fullName"]
        for each in shop.bench.deliveries(ids)
        if each.call.resource == "patients"
    ]
    assert names == [f"Meera{n} Nair" for n in range(70)]


async def test_a_batch_is_small_while_senders_wait(shop: Shop) -> None:
    for n in range(10):
        await shop.keep(adt(f"C{n}"))
    shop.busy = True
    assert await shop.work.once() == module.BATCH_WHILE_BUSY


async def test_what_cannot_be_read_is_parked_for_its_sender(shop: Shop) -> None:
    body = b'{"resourceType": "Patient", "id": '
    broken = Message("fhir", Protocol.FHIR, "Patient", "", "", "", 1e6, body, "Patient/1")
    message_id = await shop.keep(broken)
    await shop.all()
    kept = shop.bench.store.read(lambda view: view.message(message_id))
    assert kept is not None
    assert (kept.status, kept.verdict) == (Status.PARKED, Verdict.SENDER)


async def test_a_fault_of_ours_parks_the_message_and_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(kept: Message, *others: Any) -> Any:
        if kept.control_id == "C2":
            raise ZeroDivisionError
        return translate(kept, *others)

    monkeypatch.setattr(module, "translate", broken)
    ids = [await shop.keep(adt(f"C{n}")) for n in range(5)]
    await shop.all()
    statuses = [shop.bench.status(number) for number in ids]
    assert statuses.pop(2) is Status.PARKED
    assert statuses == [Status.WAITING] * 4
    assert shop.bench.reason(ids[2]) == "the bridge failed (ZeroDivisionError)"


async def test_two_that_translate_side_by_side_take_each_message_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Singly, as after a fault, when both have read the same list before."""

    def broken(kept: Message, *others: Any) -> Any:
        if kept.control_id == "C2":
            raise ZeroDivisionError
        return translate(kept, *others)

    monkeypatch.setattr(module, "translate", broken)
    ids = [await shop.keep(adt(f"C{n}", name=f"Nair^Meera{n}")) for n in range(5)]
    await asyncio.gather(shop.work.once(), shop.another().once())
    await shop.all()
    sound = [number for n, number in enumerate(ids) if n != 2]
    assert [len(shop.bench.deliveries([number])) for number in sound] == [3] * 4
    assert shop.bench.status(ids[2]) is Status.PARKED


@pytest.mark.parametrize("column", ["desired", "sent", "facts", "authority"])
async def test_what_is_known_of_a_record_and_damaged_parks_only_its_messages(
    shop: Shop, tmp_path: Path, column: str
) -> None:
    await shop.keep(adt("C1"))
    await shop.all()
    with sqlite3.connect(tmp_path / "bridge.db") as other:
        damage = f"UPDATE entity SET {column} = CAST('{{}}x' AS BLOB) WHERE resource = 'patients'"
        assert other.execute(damage).rowcount == 1
    again = await shop.keep(adt("C2", name="Nair^Meera2"))
    await shop.all()
    assert shop.bench.status(again) is Status.PARKED
    assert shop.bench.reason(again) == "the bridge failed (DamagedRecord)"


async def test_a_damaged_message_does_not_stop_those_behind_it(shop: Shop, tmp_path: Path) -> None:
    damaged, sound = await shop.keep(adt("C1")), await shop.keep(adt("C2"))
    with sqlite3.connect(tmp_path / "bridge.db") as other:
        other.execute("UPDATE body SET bytes = x'4d5348' WHERE message_id = ?", (damaged,))
    await shop.all()
    (row,) = [
        kept for kept in shop.bench.store.read(lambda view: view.messages()) if kept.id == damaged
    ]
    assert (row.status, row.verdict) == (Status.PARKED, Verdict.BRIDGE)
    assert shop.bench.status(sound) is Status.WAITING


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE message SET channel = CAST(x'ff' AS TEXT) WHERE id = ?",
        "UPDATE message SET remarks = '{' WHERE id = ?",
        "UPDATE message SET protocol = 'none' WHERE id = ?",
        "DELETE FROM body WHERE message_id = ?",
    ],
)
async def test_singly_a_damaged_message_does_not_stop_those_behind_it(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    damaged, sound = await shop.keep(adt("C1")), await shop.keep(adt("C2"))
    with sqlite3.connect(tmp_path / "bridge.db") as other:
        other.execute(damage, (damaged,))

    def failing(tx: Transaction) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(shop.work, "_batch", failing)
    assert [await shop.work.once() for _ in range(3)] == [1, 1, 0]
    found = {kept.id: kept for kept in shop.bench.store.read(lambda view: view.messages())}
    assert (found[damaged].status, found[sound].status) == (Status.PARKED, Status.WAITING)
    with sqlite3.connect(tmp_path / "bridge.db") as other:
        cause = other.execute("SELECT details FROM message WHERE id = ?", (damaged,)).fetchone()
    assert cause == ('{"name":"DamagedMessage"}',)


class TestHolding:
    async def test_an_order_waits_for_its_visit_and_then_goes(self, shop: Shop) -> None:
        orders = [await shop.keep(order("V1")), await shop.keep(order("V1"))]
        await shop.all()
        assert [shop.bench.status(number) for number in orders] == [Status.HELD] * 2
        await shop.keep(adt(visit="V1"))
        await shop.all()
        deliveries = shop.bench.deliveries(orders)
        assert [each.message_id for each in deliveries] == orders
        assert {each.lane for each in deliveries} == {"orders/V1"}

    async def test_an_encounter_waits_for_its_patient_and_then_goes(self, shop: Shop) -> None:
        waiting = await shop.keep(encounter("P9"))
        await shop.all()
        assert shop.bench.status(waiting) is Status.HELD
        await shop.keep(patient("P9"))
        await shop.all()
        (visit,) = shop.bench.deliveries([waiting])
        assert visit.call.payload["patientId"] == "4711"

    async def test_what_waits_for_another_is_left_alone(self, shop: Shop) -> None:
        waiting = await shop.keep(order("V2"))
        await shop.keep(adt(visit="V1"))
        await shop.all()
        assert shop.bench.status(waiting) is Status.HELD


class TestRunning:
    async def test_it_works_when_woken_and_until_cancelled(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "GATHER_SECONDS", 0)
        planned = asyncio.Event()
        monkeypatch.setattr(shop.work, "_planned", planned.set)
        running = asyncio.create_task(shop.work.run())
        message_id = await shop.keep(adt())
        shop.work.wake()
        await asyncio.wait_for(planned.wait(), PATIENCE)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert len(shop.bench.deliveries([message_id])) == 3

    async def test_a_store_that_fails_for_a_while_loses_nothing(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "STORE_RETRY_SECONDS", 0)
        message_id = await shop.keep(adt())
        planned = asyncio.Event()
        monkeypatch.setattr(shop.work, "_planned", planned.set)
        sound, tries = shop.bench.store.run, iter([True, True])

        async def failing(job: Any) -> Any:
            if next(tries, False):
                raise StoreBusy("no room")
            return await sound(job)

        monkeypatch.setattr(shop.bench.store, "run", failing)
        running = asyncio.create_task(shop.work.run())
        await asyncio.wait_for(planned.wait(), PATIENCE)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert len(shop.bench.deliveries([message_id])) == 3

    async def test_a_clock_set_forward_does_not_put_it_to_sleep(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            raise asyncio.CancelledError

        async def once() -> int:
            shop.bench.clock.now += 3600
            return 1

        shop.busy = True
        monkeypatch.setattr(shop.work, "once", once)
        monkeypatch.setattr(asyncio, "sleep", sleep)
        with pytest.raises(asyncio.CancelledError):
            await shop.work.run()
        assert slept == [LONGEST_YIELD]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (adt(), Status.WAITING),
        (adt(patient=""), Status.PARKED),
        (adt(kind="ORU^R01"), Status.UNMAPPED),
    ],
)
async def test_lines_that_are_not_read_are_named_whatever_becomes_of_the_message(
    shop: Shop, body: bytes, status: Status
) -> None:
    number = await shop.keep(body.replace(b"12 Lake", b"12\rLake"))
    await shop.all()
    report = shop.bench.store.read(
        lambda view: message_report(view, number, SETTINGS, reveal=False)
    )
    assert report is not None
    assert report.status == status
    named = [f"{each.path}: {each.text}" for each in report.remarks]
    assert "line 4: is not a segment; not read" in (*named, *report.lines)
