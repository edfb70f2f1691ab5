"""Deliveries of a paused channel or patient: they wait in their place, and all others go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from bridge.causes import CauseKind
from bridge.delivery import Alias, Call, Entity, Interaction, Step, Target
from bridge.message import Status
from bridge.pipeline.delivery.pauses import Pauses, Selection
from bridge.pipeline.delivery.pausing import PAUSED_SECONDS, is_known, numbers, paused, waits
from bridge.store.contract import Transaction, View
from tests.unit.pipeline.bench import Bench, a_call, a_patient, a_provider, a_visit
from tests.unit.pipeline.hl7 import adt
from tests.unit.pipeline.planning.test_plan import an_order
from tests.unit.pipeline.remote import QUIET, Fault
from tests.unit.pipeline.ward import BUSY, ECG, Ward, a_service

LAB = Selection(channel="lab")
P1, P2 = Selection(patient="P1"), Selection(patient="P2")


def other(number: str = "P2") -> Call:
    """Another patient."""
    return a_patient(number, uhid=4712, phoneNumber="+919845000002")


def merge(prior: str, into: str) -> Call:
    return a_call("patients", prior, {"id": prior}, interaction=Interaction.MERGE, into=into)


def move(visit: str, before: str, into: str) -> Call:
    named: dict[str, Any] = {"interaction": Interaction.MOVE, "into": into, "owner": before}
    return a_call("patient-visits", visit, {"id": visit}, **named)


def pause(bench: Bench, selection: Selection) -> None:
    bench.end.pauses = bench.end.pauses.paused(selection)


async def resume(bench: Bench, selection: Selection = Selection()) -> None:  # noqa: B008
    """End a pause as the service does."""
    bench.end.pauses = bench.end.pauses.resumed(selection)
    now = bench.clock()
    await bench.store.run(lambda tx: tx.end_waits(Target.ZAUTO, now, paused_only=True))


async def look(bench: Bench) -> list[str]:
    """Look until nothing goes any more; what was sent, `POST patients/P1`."""
    before = len(bench.remote.requests)
    for _ in range(10):
        await bench.look()
    return sent(bench)[before:]


def sent(bench: Bench) -> list[str]:
    return [f"{each.method} {each.resource}/{each.external_id}" for each in bench.remote.requests]


class TestWhatWaits:
    @pytest.mark.parametrize(
        ("selection", "goes"),
        [
            (LAB, ["patients/P2", "patient-visits/V2", "providers/D1"]),
            (P1, ["patients/P2", "patient-visits/V2", "providers/D1", "providers/D2"]),
            (P2, ["patients/P1", "patient-visits/V1", "providers/D1", "providers/D2"]),
            (
                Selection(channel="default"),
                ["patients/P1", "patient-visits/V1", "providers/D2"],
            ),
        ],
    )
    async def test_all_of_a_channel_or_patient_waits_and_all_else_goes(
        self, bench: Bench, selection: Selection, goes: Sequence[str]
    ) -> None:
        pause(bench, selection)
        await bench.plan(a_patient(), a_visit("V1", "P1"), a_provider("D2"), channel="lab")
        await bench.plan(other(), a_visit("V2", "P2"), a_provider("D1"))
        assert sorted(await look(bench)) == sorted(f"POST {each}" for each in goes)
        await resume(bench, selection)
        await look(bench)
        assert await bench.waiting() == 0
        assert set(bench.remote.creations.values()) == {1}

    @pytest.mark.parametrize(
        ("selection", "reason"),
        [(LAB, "calls of channel lab are paused"), (P1, "calls for patients/P1 are paused")],
    )
    async def test_it_says_so_at_its_place_and_counts_no_attempt(
        self, bench: Bench, selection: Selection, reason: str
    ) -> None:
        pause(bench, selection)
        message_id = await bench.plan(a_patient(), channel="lab")
        assert await look(bench) == []
        (waiting,) = bench.deliveries([message_id])
        assert waiting.cause is not None
        assert (waiting.cause.kind, waiting.reason) == (CauseKind.PAUSED, reason)
        assert (waiting.status, waiting.step) == (Status.WAITING, Step.APPLY)
        assert (waiting.attempts, waiting.due_at) == (0, bench.clock.now + PAUSED_SECONDS)
        assert bench.reason(message_id) == reason

    async def test_what_is_behind_it_in_its_lane_waits_and_keeps_the_order(
        self, bench: Bench
    ) -> None:
        pause(bench, LAB)
        await bench.plan(a_patient(fullName="First"), channel="lab")
        await bench.plan(a_patient(fullName="Second"))
        await bench.plan(a_patient(fullName="Third"), channel="lab")
        assert await look(bench) == []
        await resume(bench, LAB)
        assert await look(bench) == ["POST patients/P1", "PUT patients/P1", "PUT patients/P1"]
        names = [(each.body or {})["fullName"] for each in bench.remote.requests]
        assert names == ["First", "Second", "Third"]

    async def test_a_pause_that_comes_later_holds_what_is_not_under_way(self, bench: Bench) -> None:
        await bench.plan(a_patient())
        assert await look(bench) == ["POST patients/P1"]
        pause(bench, P1)
        await bench.plan(a_visit())
        await bench.plan(a_patient(fullName="Meera Menon"))
        assert await look(bench) == []
        await resume(bench)
        assert await look(bench) == ["POST patient-visits/V1", "PUT patients/P1"]

    async def test_it_is_looked_at_again_after_a_while_and_stays(self, bench: Bench) -> None:
        pause(bench, P1)
        await bench.plan(a_patient())
        await look(bench)
        bench.clock.now += PAUSED_SECONDS + 1
        assert await look(bench) == []
        assert await bench.waiting() == 1

    async def test_of_two_pauses_the_other_stays(self, bench: Bench) -> None:
        pause(bench, LAB)
        pause(bench, P1)
        await bench.plan(a_patient(), channel="lab")
        await look(bench)
        await resume(bench, LAB)
        assert await look(bench) == []
        await resume(bench, P1)
        assert await look(bench) == ["POST patients/P1"]


class TestNumbersOfAPatient:
    @pytest.mark.parametrize("number", ["P1", "P2"])
    @pytest.mark.parametrize("merged_first", [True, False])
    async def test_a_pause_of_either_number_holds_both(
        self, bench: Bench, number: str, merged_first: bool
    ) -> None:
        await bench.plan(a_patient(), other(), a_visit("V2", "P2"))
        await look(bench)
        if merged_first:
            await bench.plan(merge("P2", "P1"))
        pause(bench, Selection(patient=number))
        if not merged_first:
            await bench.plan(merge("P2", "P1"))
        else:
            # it was under way in the lane that it leaves
            assert await look(bench) == []
        # a message with the number of before, and one with the other
        await bench.plan(a_patient("P2", fullName="Meera Menon"))
        await bench.plan(a_visit("V1", "P1"))
        await bench.plan(a_patient("P3", uhid=4713))
        assert await look(bench) == ["POST patients/P3"]
        await resume(bench)
        await look(bench)
        assert await bench.waiting() == 0
        assert bench.remote.records["patient-visits", "V2"]["patientId"] == "P1"

    async def test_all_numbers_that_lead_to_a_record_are_of_its_patient(self, bench: Bench) -> None:
        await bench.plan(a_patient(), other(), other("P3"))
        await bench.plan(merge("P3", "P2"))
        await bench.plan(merge("P2", "P1"))
        for number in ("P1", "P2", "P3"):
            found = bench.store.read(lambda view, number=number: numbers(view, number))
            assert found == {"P1", "P2", "P3"}
            assert bench.store.read(lambda view, number=number: is_known(view, number))
        assert bench.store.read(lambda view: numbers(view, "P9")) == {"P9"}
        assert not bench.store.read(lambda view: is_known(view, "P9"))

    @pytest.mark.parametrize("selection", [P1, P2])
    async def test_a_visit_that_changes_hands_waits_for_either_patient(
        self, bench: Bench, selection: Selection
    ) -> None:
        await bench.plan(a_patient(), other(), a_visit("V1", "P1"), a_visit("V2", "P2"))
        await look(bench)
        pause(bench, selection)
        await bench.plan(move("V1", "P1", "P2"))
        assert await look(bench) == []
        await resume(bench)
        assert await look(bench) == ["PUT patient-visits/V1"]
        assert bench.remote.records["patient-visits", "V1"]["patientId"] == "P2"


class TestOtherWaits:
    @pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.LIMITED])
    async def test_a_wait_for_a_retry_is_neither_ended_nor_made_longer(
        self, bench: Bench, fault: Fault
    ) -> None:
        bench.remote.faults = iter([fault])
        message_id = await bench.plan(a_patient())
        await bench.look()
        (before,) = bench.deliveries([message_id])
        pause(bench, P1)
        await resume(bench, P1)
        assert await look(bench) == []
        assert bench.deliveries([message_id]) == [before]
        await bench.finish()
        assert bench.status(message_id) is Status.DELIVERED
        assert sent(bench) == ["POST patients/P1"] * 2

    async def test_a_retry_that_is_due_waits_until_resumed(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.UNREACHABLE])
        await bench.plan(a_patient())
        await bench.look()
        pause(bench, P1)
        bench.clock.now += 60
        assert await look(bench) == []
        await resume(bench)
        assert await look(bench) == ["POST patients/P1"]

    @pytest.mark.parametrize("fault", [Fault.LATE, Fault.LOST, Fault.UNHEARD])
    @pytest.mark.parametrize("resumed_after", [1.0, QUIET + 1, QUIET + PAUSED_SECONDS])
    async def test_an_unanswered_request_is_read_first_and_never_sent_twice(
        self, bench: Bench, fault: Fault, resumed_after: float
    ) -> None:
        bench.remote.faults = iter([fault])
        message_id = await bench.plan(a_patient())
        await bench.look()
        pause(bench, P1)
        bench.clock.now += resumed_after
        assert await look(bench) == []
        await resume(bench)
        await bench.look()
        early = resumed_after < QUIET
        assert sent(bench)[1:] == ([] if early else ["GET patients/P1"])
        await bench.finish()
        assert bench.status(message_id) is Status.DELIVERED
        assert sent(bench)[1] == "GET patients/P1"
        assert bench.remote.creations["patients", "P1"] == 1

    async def test_trying_now_ends_the_waits_of_that_patient_or_channel_only(
        self, bench: Bench
    ) -> None:
        bench.remote.faults = iter([Fault.UNREACHABLE] * 3)
        for number, channel in (("P1", "lab"), ("P2", "default"), ("P3", "lab")):
            await bench.plan(other(number), channel=channel)
            await bench.look()
        now = bench.clock()
        for selection, heads in ((P1, {1}), (P2, {2}), (LAB, {1, 3})):
            found = bench.store.read(
                lambda view, named=selection: waits(view, Target.ZAUTO, now, named)
            )
            assert found == heads
            assert bench.store.read(lambda view: waits(view, Target.HOSPITAL, now, P1)) == set()


async def test_where_nothing_is_paused_nothing_is_read(bench: Bench) -> None:
    message_id = await bench.plan(a_patient())
    (delivery,) = bench.deliveries([message_id])
    nothing = cast(View, None)
    assert paused(nothing, delivery, Pauses()) is None
    assert paused(nothing, delivery, Pauses.of(Selection(resource="providers"))) is None
    assert paused(nothing, delivery, Pauses.of(Selection(resource="patients"))) is not None


@pytest.mark.parametrize(
    ("stated", "visit", "waits"),
    [
        ("P1", "", True),
        ("P9", "", True),
        ("P2", "", False),
        ("", "V1", True),
        # by the number of its appointment
        ("", "A1", True),
        # the hospital's number of the patient is not the one that ZautoAI has
        ("MRN-7", "V1", True),
        ("MRN-7", "V2", False),
        ("", "", False),
    ],
)
async def test_an_order_is_of_whom_it_or_its_visit_names(
    bench: Bench, stated: str, visit: str, waits: bool
) -> None:
    def known(tx: Transaction) -> None:
        tx.put_entity(Entity("patient-visits", "V1", owner="patients/P1"))
        tx.put_entity(Entity("patient-visits", "V2", owner="patients/P2"))
        tx.put_alias(Alias("patient-visits/A1", "patient-visits/V1", "", True, 1, 1.0))
        tx.put_alias(Alias("patients/P9", "patients/P1", "", True, 1, 1.0))

    await bench.store.run(known)
    order = an_order(visit=visit)
    order.payload["segments"].insert(1, ["PID", {"1": "1", "3.1": stated}])
    (delivery,) = bench.deliveries([await bench.plan(order)])
    found = bench.store.read(lambda view: paused(view, delivery, Pauses.of(P1)))
    assert (found is not None) is waits


class TestOrders:
    @pytest.fixture
    async def ward(self, tmp_path: Path) -> AsyncIterator[Ward]:
        made = Ward(tmp_path)
        for patient, visit in (("4711", "V1"), ("5822", "V2")):
            await made.intake.take_hl7(
                made.settings.channels[0], adt(f"C{patient}", patient=patient, visit=visit), "peer"
            )
        await made.translate()
        yield made
        await made.bench.store.close()

    def pause(self, ward: Ward, *selections: Selection) -> None:
        """Exactly these are paused."""
        pauses = Pauses()
        for each in selections:
            pauses = pauses.paused(each)
        cast(Any, ward.bench.deliver._end).pauses = pauses

    async def resume(self, ward: Ward) -> None:
        self.pause(ward)
        now = ward.bench.clock()
        await ward.bench.store.run(lambda tx: tx.end_waits(Target.HOSPITAL, now, paused_only=True))
        await ward.settle()

    def visits(self, ward: Ward) -> list[str]:
        """PV1-19 of each message that the hospital got."""
        return [
            segment.split("|")[19].partition("^")[0]
            for body in ward.received
            for segment in body.decode().split("\r")
            if segment.startswith("PV1")
        ]

    @pytest.mark.parametrize(
        ("selection", "goes"),
        [
            (Selection(patient="4711"), ["V2"]),
            (Selection(patient="5822"), ["V1"]),
            (Selection(patient="V1"), ["V1", "V2"]),
            (Selection(channel="orders"), []),
            (Selection(channel="default"), ["V1", "V2"]),
        ],
    )
    async def test_orders_of_a_patient_or_a_channel_wait_and_others_go(
        self, ward: Ward, selection: Selection, goes: list[str]
    ) -> None:
        self.pause(ward, selection)
        await ward.keep(a_service("SCHEDULED"), visit="V1")
        await ward.keep(a_service("SCHEDULED"), visit="V2")
        await ward.settle()
        assert self.visits(ward) == goes
        await self.resume(ward)
        assert len(ward.received) == 2

    async def test_they_keep_their_order(self, ward: Ward) -> None:
        self.pause(ward, Selection(patient="4711"))
        for said in ("SCHEDULED 300", "SCHEDULED 350", "CANCELLED"):
            await ward.keep(a_service(said, ECG))
        await ward.settle()
        assert ward.received == []
        await self.resume(ward)
        controls = [
            segment.split("|")[1]
            for body in ward.received
            for segment in body.decode().split("\r")
            if segment.startswith("ORC")
        ]
        assert controls == ["NW", "XO", "CA"]

    async def test_an_order_that_is_retried_has_the_same_bytes_after_a_pause(
        self, ward: Ward
    ) -> None:
        ward.answers = [BUSY]
        await ward.keep(a_service("SCHEDULED"))
        await ward.translate()
        await ward.bench.look()
        self.pause(ward, Selection(patient="4711"))
        await ward.settle()
        assert len(ward.received) == 1
        await self.resume(ward)
        assert len(ward.received) == 2
        assert len(set(ward.received)) == 1
