"""What the running service answers to the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from bridge.causes import MASK, Cause, CauseKind
from bridge.delivery import Alias
from bridge.errors import BridgeError
from bridge.message import Message, Protocol, Status
from bridge.notices import Notice, NoticeKind
from bridge.pipeline.delivery.pauses import Destination, Pauses, Selection
from bridge.reports.destinations import DestinationRow, Readiness, destination_row
from bridge.reports.report import Report
from bridge.reports.status import BudgetReport, DeviationRow, ListenerRow, budget_report
from bridge.service.answers import answers
from bridge.settings import Settings
from bridge.store.contract import Store, Transaction
from bridge.store.open import open_store
from bridge.zauto.budget import BudgetState

BUDGET = budget_report(BudgetState(3, 1000, None, 0.0), waiting=0, drained_in=None)
LISTENER = ListenerRow(listener="mllp", connections=1, tls=False, certificate_days_left=None)


class Stopped:
    """Destinations and what is paused of them, as far as they are asked."""

    def __init__(self) -> None:
        self.pausing = self
        self.pauses = Pauses()
        self.left: BudgetReport | None = BUDGET
        self.tried: list[tuple[Selection, str]] = []

    async def pause(self, paused: bool, selection: Selection) -> None:
        self.pauses = (self.pauses.paused if paused else self.pauses.resumed)(selection)

    async def try_now(self, selection: Selection, reason: str) -> None:
        self.tried.append((selection, reason))

    def knows(self, patient: str) -> bool:
        return patient == "4711"

    def rows(self) -> list[DestinationRow]:
        return [destination_row(Settings(), Destination.ZAUTOAI, Pauses(), breakers={})]

    def budget(self) -> BudgetReport | None:
        return self.left


class Running:
    """A service as far as it is asked."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.destinations: Any = Stopped()
        self.pipeline = SimpleNamespace(
            settings=Settings(), store=store, destinations=self.destinations
        )
        self.mllp = SimpleNamespace(report=lambda: [LISTENER])

    def condition(self, *, reveal: bool = False) -> Readiness:
        return Readiness.of(self.destinations.pauses, reveal=reveal, destinations=[], resumed=None)

    def notices(self) -> list[Notice]:
        return [Notice(NoticeKind.WORK_ENDED, name="translation")]

    def contract(self) -> list[DeviationRow]:
        return []

    async def ask_zauto(self, question: Mapping[str, Any]) -> Any:
        return {"asked": question["what"]}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    store = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 0.0)
    await store.run(_keep_two)
    yield Running(store)
    await store.close()


def _keep_two(tx: Transaction) -> None:
    for status in (Status.PARKED, Status.UNMAPPED):
        tx.keep(
            Message("default", Protocol.HL7V2, "ADT^A04", "C1", "HIS", "LOTUS", 1.0, b"MSH|Nair"),
            status=status,
            answer_code="AA",
            acknowledgment=b"MSA|AA|C1\r",
            identity=None,
            cause=Cause(CauseKind.REFUSED, name="refused", said="Nair"),
        )


async def answered(running: Running, ask: str, **arguments: Any) -> Any:
    answer = await answers(running)[ask]({"ask": ask, **arguments})
    return orjson.loads(orjson.dumps(answer, default=Report.plain))


async def test_status_counts_and_tells_of_pause_notices_and_budget(running: Running) -> None:
    report = await answered(running, "status")
    assert report["messages"]["parked"] == 1
    assert (report["running"], report["paused"]) == (True, False)
    assert report["notices"] == ["translation has stopped: restart the bridge"]
    (line,) = report["lines"]
    assert (line["kind"], line["by"]) == ("work_ended", "operator")
    assert line["parameters"] == {"name": "translation"}
    assert report["listeners"] == [LISTENER.plain()]
    assert report["budget"] == BUDGET.plain()


async def test_without_zautoai_there_is_no_budget(running: Running) -> None:
    running.destinations.left = None
    assert "budget" not in await answered(running, "status")


async def test_messages_are_listed_newest_first(running: Running) -> None:
    assert [row["id"] for row in await answered(running, "messages")] == [2, 1]
    assert [row["id"] for row in await answered(running, "messages", limit=1)] == [2]


async def test_messages_are_listed_by_status(running: Running) -> None:
    rows = await answered(running, "messages", status="parked")
    assert [(row["id"], row["status"]) for row in rows] == [(1, "parked")]


@pytest.mark.parametrize(("ask", "arguments"), [("messages", {}), ("message", {"id": 1})])
async def test_nothing_of_a_patient_is_answered_or_logged_unless_asked_for(
    running: Running, ask: str, arguments: dict[str, Any]
) -> None:
    with capture_logs() as logged:
        assert "Nair" not in str(await answered(running, ask, **arguments))
    assert logged == []


@pytest.mark.parametrize(("ask", "arguments"), [("messages", {}), ("message", {"id": 1})])
async def test_that_it_was_asked_for_is_logged(
    running: Running, ask: str, arguments: dict[str, Any]
) -> None:
    with capture_logs() as logged:
        assert "Nair" in str(await answered(running, ask, reveal=True, **arguments))
    assert [line["event"] for line in logged] == ["patient data shown"]
    assert "Nair" not in str(logged)


async def test_a_message_that_is_not_there_is_null(running: Running) -> None:
    assert await answered(running, "message", id=99) is None


async def test_codes_are_told_with_their_sender_and_how_many_wait(running: Running) -> None:
    await running.store.run(lambda tx: tx.count_code("gender", "W", "HIS|LOTUS", 5.0))
    (row,) = await answered(running, "codes")
    assert (row["table"], row["code"], row["sender"]) == ("gender", "W", "HIS|LOTUS")
    assert (row["count"], row["waiting"], row["first_at"], row["last_at"]) == (1, 0, 5.0, 5.0)


async def test_of_longer_codes_the_length_is_told_unless_asked_for(running: Running) -> None:
    await running.store.run(lambda tx: tx.count_code("gender", "Anjali", "HIS|LOTUS", 5.0))
    (hidden,) = await answered(running, "codes")
    assert "Anjali" not in str(hidden)
    (shown,) = await answered(running, "codes", reveal=True)
    assert shown["code"] == "Anjali"


async def test_pause_says_what_holds_now(running: Running) -> None:
    assert (await answered(running, "pause", paused=True))["paused"] is True
    assert (await answered(running, "pause", paused=False))["paused"] is False
    named = await answered(running, "pause", paused=True, destination="hospital")
    assert (named["paused"], named["paused_destinations"]) == (False, ["hospital"])
    named = await answered(running, "pause", paused=True, resource="patients")
    assert named["paused_resources"] == ["patients"]


async def test_a_paused_patient_is_counted_and_shown_only_when_asked_for(running: Running) -> None:
    with capture_logs() as logged:
        answer = await answered(running, "pause", paused=True, patient="4711")
        assert (answer["paused_patients"], answer["unknown_patient"]) == ([MASK], False)
        assert (await answered(running, "status"))["paused_patients"] == [MASK]
        assert (await answered(running, "status", reveal=True))["paused_patients"] == ["4711"]
    assert [line["event"] for line in logged] == ["patient data shown"]
    assert (await answered(running, "pause", paused=True, patient="4712"))["unknown_patient"]
    assert not (await answered(running, "pause", paused=True))["unknown_patient"]


@pytest.mark.parametrize("named", [{"channel": "default"}, {"patient": "4711"}])
async def test_a_reason_cannot_be_given_for_single_deliveries(
    running: Running, named: dict[str, str]
) -> None:
    await answered(running, "pause", paused=True, **named)
    before = running.destinations.pauses
    with pytest.raises(BridgeError, match="leave --channel and --patient out"):
        await answered(running, "resume", reason="asked ZautoAI", **named)
    assert (running.destinations.pauses, running.destinations.tried) == (before, [])


async def test_resume_lets_go_and_tries_at_once(running: Running) -> None:
    await answered(running, "pause", paused=True)
    left = await answered(running, "resume", destination="zautoai", reason="asked ZautoAI")
    assert left["paused_destinations"] == ["hospital"]
    assert [each["name"] for each in left["destinations"]] == ["zautoai"]
    assert (await answered(running, "resume"))["paused_destinations"] == []
    assert running.destinations.tried == [
        (Selection(Destination.ZAUTOAI), "asked ZautoAI"),
        (Selection(), ""),
    ]


async def test_status_counts_what_is_parked_by_cause_and_sender(running: Running) -> None:
    (row,) = (await answered(running, "status"))["parked_by"]
    assert row == {
        "cause": "refused",
        "sending_application": "HIS",
        "sending_facility": "LOTUS",
        "channel": "default",
        "count": 1,
        "oldest": 1.0,
    }


async def test_status_lists_what_must_be_done_by_hand(running: Running) -> None:
    def note(tx: Transaction) -> None:
        tx.add_task(2, "prior_unknown", 7.0)
        tx.add_task(1, "prior_unknown", 5.0)
        tx.add_task(1, "left_out", 6.0)
        tx.add_task(1, "of_a_later_version", 8.0)

    await running.store.run(note)
    tasks = (await answered(running, "status"))["tasks"]
    assert [(row["what"], row["count"], row["since"]) for row in tasks] == [
        ("prior_unknown", 2, 5.0),
        ("left_out", 1, 6.0),
        ("of_a_later_version", 1, 8.0),
    ]
    assert "previous number" in tasks[0]["do"]
    assert "by hand" in tasks[1]["do"]
    assert tasks[2]["do"] == ""


async def test_keys_that_are_waited_for_are_shown_when_asked_for_and_that_is_logged(
    running: Running,
) -> None:
    await running.store.run(_hold_one)
    (hidden,) = (await answered(running, "status"))["held_for"]
    with capture_logs() as logged:
        (shown,) = (await answered(running, "status", reveal=True))["held_for"]
    assert hidden == {"waits_for": "Patient/•••", "count": 1}
    assert shown == {"waits_for": "Patient/4711", "count": 1}
    assert [line["event"] for line in logged] == ["patient data shown"]


def _hold_one(tx: Transaction) -> None:
    cause = Cause(CauseKind.WAITS_FOR_RECORD, key="Patient/4711")
    tx.mark(1, Status.HELD, at=2.0, cause=cause, waits_for="Patient/4711")


async def test_merges_are_told_and_that_their_numbers_were_asked_for_is_logged(
    running: Running,
) -> None:
    alias = Alias("patients/4711", "patients/5822", "LOTUS", True, 1, 5.0)
    await running.store.run(lambda tx: tx.put_alias(alias))
    (masked,) = await answered(running, "merges")
    with capture_logs() as logged:
        (shown,) = await answered(running, "merges", reveal=True, limit=1)
    assert (masked["level"], "4711" in str(masked)) == ("patients", False)
    assert (shown["number"], shown["leads_to"]) == ("4711", "5822")
    assert [line["event"] for line in logged] == ["patient data shown"]
    assert await answered(running, "merges", before=1) == []
