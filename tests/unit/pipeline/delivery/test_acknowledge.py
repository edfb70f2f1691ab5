"""Application acknowledgments: what they say, once each, in order, over failures and restarts."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.causes import Cause, CauseKind, sentence
from bridge.delivery import Kind, Outcome, Reason
from bridge.errors import StoreBusy
from bridge.hl7v2 import ack
from bridge.hl7v2.header import scan
from bridge.message import Status
from bridge.pipeline.delivery.acknowledge import BATCH, Acknowledge
from bridge.settings import Settings
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment, Owing
from bridge.store.open import open_store
from tests.unit.pipeline.bench import Bench
from tests.unit.pipeline.hl7 import adt, message
from tests.unit.pipeline.remote import Clock

BACK = "same/default/HIS|LOTUS"
THERE = "10.1.2.3:2600"
TAKEN = Outcome(Kind.DELIVERED, Reason.ACCEPTED)
GONE = Outcome(Kind.TRANSIENT, Reason.UNREACHABLE, detail="connection refused")
REFUSED = Outcome(Kind.PERMANENT, Reason.REFUSED, detail="CR: Meera Nair")


class Ends:
    """Senders' connections and a hospital's listener in one: takes what it is told to take."""

    def __init__(self) -> None:
        self.connected = True
        self.script: list[Outcome] = []
        self.got: list[tuple[str, bytes]] = []
        self.gate: asyncio.Event | None = None

    def reaches(self, route: str) -> bool:
        return self.connected

    def _taken(self, route: str, body: bytes) -> Outcome:
        self.got.append((route, body))
        return self.script.pop(0) if self.script else TAKEN

    async def _there(self, route: str, body: bytes) -> Outcome:
        if self.gate is not None:
            await self.gate.wait()
        return self._taken(route, body)

    def answers(self, route: str = "") -> list[tuple[str, str]]:
        """MSA-1 and MSA-2 of what it got, by one route or by all."""
        told = [ack.read(body) for at, body in self.got if route in ("", at)]
        return [(each.code, each.control_id) for each in told]


class _Callers:
    def __init__(self, ends: Ends) -> None:
        self.reaches = ends.reaches
        self._ends = ends

    def send(self, message_id: int, route: str, body: bytes) -> bool:
        return self._ends._taken(route, body) is TAKEN


class _Engines:
    def __init__(self, ends: Ends) -> None:
        self.send = ends._there


class Desk:
    """A store with what is owed, and what sends it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.url = f"sqlite:///{folder}/bridge.db"
        self.store = open_store(self.url, free_bytes=0, clock=self.clock)
        self.ends = Ends()
        chosen: Any = [
            {"name": "default"},
            {"name": "far", "application_acknowledgment": {"to": THERE}},
        ]
        self.settings = Settings(channels=chosen)
        self.numbers = itertools.count(1)
        self.acknowledge = self.made()

    def made(self) -> Acknowledge:
        return Acknowledge(
            self.store,
            self.settings,
            connections=_Callers(self.ends),
            engines=_Engines(self.ends),
            clock=self.clock,
            new_id=lambda: f"BRIDGE{next(self.numbers)}",
        )

    async def keep(
        self,
        body: bytes,
        status: Status = Status.UNMAPPED,
        *,
        asked: str = "AL",
        route: str = BACK,
        **more: Any,
    ) -> int:
        """Keep a message that is owed an answer; in a status that is none to wait for it is due."""
        channel = "default" if route == BACK else "far"
        kept = await self.store.run(
            lambda tx: tx.keep(
                message(body, self.clock())._replace(channel=channel),
                status=status,
                answer_code="CA",
                acknowledgment=b"",
                identity=None,
                owing=Owing(asked, "translation", route),
                **more,
            )
        )
        return kept.id

    async def look(self) -> None:
        self.acknowledge.once()
        await self.acknowledge.until_idle()

    def row(self, number: int) -> ApplicationAcknowledgment:
        row = self.store.read(lambda view: view.acknowledgment(number))
        assert row is not None
        return row


def told(row: ApplicationAcknowledgment) -> str:
    """Why it is where it is."""
    return sentence(row.cause, reveal=True) if row.cause else ""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.store.close()


class TestWhatItSays:
    async def test_a_message_that_was_taken_is_answered_with_aa(self, desk: Desk) -> None:
        number = await desk.keep(adt("C7", msh_end="|||AL|AL"))
        await desk.look()
        ((route, body),) = desk.ends.got
        header = scan(body)
        assert (route, desk.ends.answers()) == (BACK, [("AA", "C7")])
        assert (header.message_type, header.control_id) == ("ACK^A04", "BRIDGE1")
        assert (header.accept_acknowledgment, header.application_acknowledgment) == ("NE", "NE")
        assert (header.sending_application, header.receiving_application) == ("BRIDGE", "HIS")
        row = desk.row(number)
        assert (row.state, row.code, row.body) == (Answering.SENT, "AA", body)

    @pytest.mark.parametrize(
        ("cause", "code", "error"),
        [
            (Cause(CauseKind.INCOMPLETE, fields=("phoneNumber",)), "AE", 101),
            (Cause(CauseKind.REFUSED_FIELDS, fields=("gender",), said="no"), "AE", 102),
            (Cause(CauseKind.CONFLICT_ISSUER, issuer="A", other_issuer="B"), "AE", 205),
            (Cause(CauseKind.NO_ISSUER, issuer="A"), "AE", 204),
            (Cause(CauseKind.SITE_PARKS, path="PID-7", name="no whole date"), "AE", 102),
            (Cause(CauseKind.BRIDGE_FAULT, name="KeyError"), "AR", 207),
        ],
    )
    async def test_what_is_parked_is_answered_with_its_reason(
        self, desk: Desk, cause: Cause, code: str, error: int
    ) -> None:
        await desk.keep(adt(), Status.PARKED, cause=cause)
        await desk.look()
        told = ack.read(desk.ends.got[0][1])
        assert (told.code, told.control_id) == (code, "C1")
        assert [(each.code, each.text) for each in told.errors] == [
            (error, sentence(cause, reveal=True).replace("“", '"').replace("”", '"'))
        ]

    async def test_a_notification_of_a_master_file_is_answered_with_mfk(self, desk: Desk) -> None:
        head = "MSH|^~\\&|HIS|LOTUS|BRIDGE|ZAUTO|20260301||MFN^M02|C1|P|2.5.1|||AL|AL"
        rest = "MFI|PRA||UPD|||AL\rMFE|MAD|77||D1|CWE\rSTF|D1||Rao^Anand\r"
        await desk.keep(f"{head}\r{rest}".encode())
        await desk.look()
        body = desk.ends.got[0][1].decode()
        assert scan(body.encode()).message_type == "MFK^M02"
        assert "\rMFA|MAD|77|" in body

    @pytest.mark.parametrize(
        ("asked", "status", "sent"),
        [
            ("ER", Status.UNMAPPED, False),
            ("ER", Status.PARKED, True),
            ("SU", Status.UNMAPPED, True),
            ("SU", Status.PARKED, False),
        ],
    )
    async def test_it_is_sent_for_the_outcomes_that_are_asked_for(
        self, desk: Desk, asked: str, status: Status, sent: bool
    ) -> None:
        number = await desk.keep(adt(), status, asked=asked)
        await desk.look()
        assert len(desk.ends.got) == sent
        assert desk.row(number).state == (Answering.SENT if sent else Answering.UNWANTED)

    async def test_on_a_channel_that_wants_to_be_sure_it_asks_to_be_accepted(
        self, desk: Desk
    ) -> None:
        chosen: Any = {"to": THERE, "accept_acknowledgment": "AL"}
        channels: Any = [{"name": "far", "application_acknowledgment": chosen}]
        desk.settings = Settings(channels=channels)
        desk.acknowledge = desk.made()
        await desk.keep(adt(), route=THERE)
        await desk.look()
        assert scan(desk.ends.got[0][1]).accept_acknowledgment == "AL"

    @pytest.mark.parametrize("harm", ["UPDATE body SET bytes = x'00'", "DELETE FROM body"])
    async def test_one_whose_message_is_damaged_is_given_up_and_stops_no_other(
        self, desk: Desk, harm: str
    ) -> None:
        first, second = await desk.keep(adt("C1")), await desk.keep(adt("C2"))
        with closing(sqlite3.connect(desk.url.removeprefix("sqlite:///"))) as file, file:
            file.execute(f"{harm} WHERE message_id = ?", (first,))
        await desk.look()
        assert desk.ends.answers() == [("AA", "C2")]
        assert desk.row(first).state is Answering.ABANDONED
        assert desk.row(first).cause == Cause(CauseKind.BRIDGE_FAULT, name="DamagedMessage")
        assert desk.row(second).state is Answering.SENT


class TestSending:
    async def test_each_is_sent_once_in_the_order_of_the_messages(self, desk: Desk) -> None:
        names = [f"C{n}" for n in range(BATCH * 2 + 3)]
        for name in names:
            await desk.keep(adt(name))
        await desk.look()
        await desk.look()
        assert desk.ends.answers() == [("AA", name) for name in names]

    async def test_it_waits_for_its_sender_to_connect(self, desk: Desk) -> None:
        desk.ends.connected = False
        await desk.keep(adt())
        await desk.look()
        assert desk.ends.got == []
        desk.ends.connected = True
        await desk.look()
        assert desk.ends.answers() == [("AA", "C1")]

    async def test_after_a_failure_the_same_bytes_are_sent_later_and_none_is_passed(
        self, desk: Desk
    ) -> None:
        number = await desk.keep(adt("C1"), route=THERE)
        await desk.keep(adt("C2"), route=THERE)
        desk.ends.script = [GONE]
        await desk.look()
        await desk.look()
        assert len(desk.ends.got) == 1
        row = desk.row(number)
        assert (row.state, told(row)) == (Answering.DUE, "not reachable: “connection refused”")
        assert set(desk.acknowledge.stalled()) == {THERE}
        desk.clock.now += 2
        await desk.look()
        assert desk.ends.answers() == [("AA", "C1"), ("AA", "C1"), ("AA", "C2")]
        assert desk.ends.got[0] == desk.ends.got[1]
        assert desk.acknowledge.stalled() == {}

    async def test_waits_grow_to_a_minute(self, desk: Desk) -> None:
        await desk.keep(adt(), route=THERE)
        desk.ends.script = [GONE] * 20
        waits = []
        for _ in range(12):
            await desk.look()
            stalled = desk.acknowledge.stalled()[THERE]
            waits.append(stalled.until - desk.clock.now)
            desk.clock.now = stalled.until
        assert waits[:4] == [1, 2, 4, 8]
        assert waits[-1] == 60
        assert len(desk.ends.got) == 12

    async def test_one_that_is_refused_is_given_up_and_the_next_goes(self, desk: Desk) -> None:
        number = await desk.keep(adt("C1"), route=THERE)
        await desk.keep(adt("C2"), route=THERE)
        desk.ends.script = [REFUSED]
        await desk.look()
        assert desk.ends.answers() == [("AA", "C1"), ("AA", "C2")]
        row = desk.row(number)
        assert (row.state, told(row)) == (
            Answering.ABANDONED,
            "refused by the hospital: “CR: Meera Nair”",
        )

    async def test_a_route_that_hangs_holds_up_no_other(self, desk: Desk) -> None:
        desk.ends.gate = asyncio.Event()
        await desk.keep(adt("C1"), route=THERE)
        await desk.keep(adt("C2"))
        desk.acknowledge.once()
        while not desk.ends.answers(BACK):
            await asyncio.sleep(0)
        assert desk.ends.answers(THERE) == []
        desk.ends.gate.set()
        await desk.acknowledge.until_idle()
        assert desk.ends.answers(THERE) == [("AA", "C1")]

    async def test_a_route_is_worked_on_once_at_a_time(self, desk: Desk) -> None:
        desk.ends.gate = asyncio.Event()
        await desk.keep(adt(), route=THERE)
        for _ in range(3):
            desk.acknowledge.once()
            await asyncio.sleep(0)
        desk.ends.gate.set()
        await desk.acknowledge.until_idle()
        assert len(desk.ends.got) == 1

    async def test_a_clock_set_back_does_not_make_it_wait_for_ever(self, desk: Desk) -> None:
        await desk.keep(adt(), route=THERE)
        desk.ends.script = [GONE]
        await desk.look()
        desk.clock.now -= 86_400
        await desk.look()
        assert len(desk.ends.got) == 2

    async def test_a_store_that_cannot_be_written_is_waited_for(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def busy(job: Any) -> Any:
            raise StoreBusy("no room")

        await desk.keep(adt())
        with monkeypatch.context() as patched:
            patched.setattr(desk.store, "run", busy)
            await desk.look()
        assert desk.ends.got == []
        desk.clock.now += 2
        await desk.look()
        assert desk.ends.answers() == [("AA", "C1")]

    async def test_what_was_sent_but_not_recorded_is_sent_again_unchanged(self, desk: Desk) -> None:
        number = await desk.keep(adt(), route=THERE)
        desk.ends.gate = asyncio.Event()
        desk.acknowledge.once()
        while not desk.row(number).body:
            await asyncio.sleep(0)
        await desk.acknowledge.stop(0.0)
        desk.ends.gate = None
        desk.acknowledge = desk.made()
        body = desk.row(number).body
        await desk.look()
        assert desk.ends.got == [(THERE, body)]

    async def test_it_runs_until_cancelled(self, desk: Desk) -> None:
        running = asyncio.create_task(desk.acknowledge.run())
        await desk.keep(adt())
        desk.acknowledge.wake()
        while not desk.ends.got:
            await asyncio.sleep(0)
        await desk.acknowledge.until_idle()
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()


async def test_what_cannot_be_sent_is_given_up_after_as_long_as_anything_is_held(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path)
    kept = await bench.store.run(
        lambda tx: tx.keep(
            message(adt(), bench.clock()),
            status=Status.UNMAPPED,
            answer_code="CA",
            acknowledgment=b"",
            identity=None,
            owing=Owing("AL", "translation", BACK),
        )
    )

    def row() -> ApplicationAcknowledgment:
        found = bench.store.read(lambda view: view.acknowledgment(kept.id))
        assert found is not None
        return found

    bench.clock.now += 72 * 3600 - 1
    await bench.sweep()
    assert row().state is Answering.DUE
    bench.clock.now += 1
    with capture_logs() as logged:
        await bench.sweep()
    assert (row().state, told(row())) == (
        Answering.ABANDONED,
        "it could not be sent within 72 h",
    )
    assert [line["count"] for line in logged] == [1]
    await bench.store.close()
