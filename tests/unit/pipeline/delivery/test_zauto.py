"""ZautoAI as a far end: what waits for what, which breakers open, and what heals."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bridge.delivery import Entity, Outcome, Request, Step, Target
from bridge.message import Status
from bridge.pipeline.delivery.call_limit import CallLimit
from bridge.pipeline.delivery.poison import POISON
from bridge.pipeline.delivery.referents import MOST_RETURNS
from bridge.settings import CallLimits
from bridge.store.contract import Transaction
from bridge.zauto.budget import Budget
from tests.unit.pipeline.bench import LATE, Bench, a_patient, a_provider, a_visit
from tests.unit.pipeline.remote import QUIET, Fault, refusal


def unclear_times(tx: Transaction, delivery_id: int, times: int) -> None:
    """A delivery had no clear answer so often, and others were written since."""
    for _ in range(times + 1):
        tx.count_unclear(delivery_id)
        tx.record_written()


def record(bench: Bench, resource: str, number: str) -> dict[str, object]:
    return bench.remote.records[resource, number]


class TestOrder:
    async def test_a_visit_goes_after_its_patient_and_provider(self, bench: Bench) -> None:
        message_id = await bench.plan(a_patient(), a_provider(), a_visit(providerId="D1"))
        await bench.finish()
        assert bench.methods()[-1] == "POST patient-visits"
        assert bench.status(message_id) is Status.DELIVERED

    async def test_a_visit_waits_for_the_provider_in_the_providers_own_lane(
        self, bench: Bench
    ) -> None:
        message_id = await bench.plan(a_provider(), a_patient(), a_visit(providerId="D1"))
        bench.remote.faults = iter([Fault.NONE, Fault.LOST])
        await bench.look()  # the patient is made, the provider goes unanswered
        await bench.look()
        assert bench.methods() == ["POST patients", "POST providers"]
        visit = bench.deliveries([message_id])[-1]
        assert (visit.status, visit.waits_for) == (Status.WAITING, "providers/D1")
        await bench.finish()
        assert bench.methods()[2:] == ["GET providers", "POST providers", "POST patient-visits"]

    async def test_what_waits_for_a_parked_record_is_held_without_calls(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.INVALID])
        message_id = await bench.plan(a_patient(), a_visit())
        await bench.finish()
        assert bench.methods() == ["POST patients"]
        _, visit = bench.deliveries([message_id])
        assert (visit.status, visit.waits_for) == (Status.HELD, "patients/P1")
        assert bench.status(message_id) is Status.PARKED

    async def test_what_was_held_goes_when_its_record_arrives(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.INVALID])
        first = await bench.plan(a_patient(), a_visit())
        await bench.finish()
        await bench.plan(a_patient(fullName="Meera K Nair"))
        await bench.finish()
        assert bench.deliveries([first])[1].status is Status.DELIVERED

    async def test_a_later_event_of_a_record_stays_behind_a_held_one(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.INVALID])
        await bench.plan(a_patient())
        early = await bench.plan(a_visit(purposeOfVisit="Fever"))
        late = await bench.plan(a_visit(purposeOfVisit="Follow-up"))
        await bench.finish()
        assert {bench.status(early), bench.status(late)} == {Status.HELD}
        await bench.plan(a_patient(fullName="Meera K Nair"))
        await bench.finish()
        assert record(bench, "patient-visits", "V1")["purposeOfVisit"] == "Follow-up"
        assert {bench.status(early), bench.status(late)} == {Status.DELIVERED}

    async def test_an_unanswered_request_keeps_its_lane_quiet(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.LATE])
        await bench.plan(a_patient())
        await bench.look()
        await bench.plan(a_patient(fullName="Meera K Nair"))
        bench.clock.now += QUIET - 1
        await bench.look()
        assert bench.methods() == ["POST patients"]
        await bench.finish()
        assert record(bench, "patients", "P1")["fullName"] == "Meera K Nair"
        assert bench.remote.creations["patients", "P1"] == 1


class TestIncomplete:
    async def test_a_sparse_registration_is_carried_by_what_completes_it(
        self, bench: Bench
    ) -> None:
        sparse = a_patient(address="12 Lake Road")
        del sparse.payload["phoneNumber"]
        first = await bench.plan(sparse)
        await bench.finish()
        assert (bench.status(first), bench.reason(first)) == (
            Status.PARKED,
            "incomplete: phoneNumber",
        )
        second = await bench.plan(a_patient())
        await bench.finish()
        assert bench.status(first) is Status.SUPERSEDED
        assert bench.status(second) is Status.DELIVERED
        assert record(bench, "patients", "P1")["address"] == "12 Lake Road"

    async def test_the_same_again_makes_no_call(self, bench: Bench) -> None:
        await bench.plan(a_patient())
        again = await bench.plan(a_patient())
        await bench.finish()
        assert bench.methods() == ["POST patients"]
        assert bench.status(again) is Status.SUPPRESSED


class TestConflict:
    async def test_a_record_of_the_same_person_is_updated(self, bench: Bench) -> None:
        bench.remote.records["patients", "P1"] = {"id": "P1", "uhid": 4711, "fullName": "M. Nair"}
        message_id = await bench.plan(a_patient())
        await bench.finish()
        assert bench.methods() == ["POST patients", "GET patients", "PUT patients"]
        assert bench.status(message_id) is Status.DELIVERED

    async def test_a_record_of_somebody_else_is_left_alone(self, bench: Bench) -> None:
        theirs = {"id": "P1", "uhid": 9, "fullName": "Somebody Else"}
        bench.remote.records["patients", "P1"] = dict(theirs)
        message_id = await bench.plan(a_patient())
        await bench.finish()
        assert record(bench, "patients", "P1") == theirs
        assert bench.status(message_id) is Status.PARKED
        assert bench.reason(message_id).startswith("conflict")

    async def test_a_provider_that_is_there_is_left_alone(self, bench: Bench) -> None:
        bench.remote.records["providers", "D1"] = {"id": "D1", "fullName": "Dr. A. Rao, MD"}
        message_id = await bench.plan(a_provider())
        await bench.finish()
        assert record(bench, "providers", "D1")["fullName"] == "Dr. A. Rao, MD"
        assert bench.status(message_id) is Status.SUPPRESSED

    async def test_an_id_of_another_authority_is_parked(self, bench: Bench) -> None:
        await bench.plan(replace(a_patient(), authority="NORTH"))
        other = await bench.plan(replace(a_patient(fullName="Leela Das"), authority="SOUTH"))
        await bench.finish()
        assert bench.status(other) is Status.PARKED
        assert record(bench, "patients", "P1")["fullName"] == "Meera Nair"


class TestLostReferents:
    async def test_a_referent_that_was_wiped_is_made_again_first(self, bench: Bench) -> None:
        await bench.plan(a_patient(), a_provider(), a_visit(providerId="D1"))
        await bench.finish()
        bench.remote.wipe()
        again = await bench.plan(a_visit(providerId="D1", purposeOfVisit="Fever"))
        await bench.finish()
        assert bench.status(again) is Status.DELIVERED
        assert bench.remote.creations.total() == 3

    async def test_a_referent_that_only_the_fold_names_is_made_again_too(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient(), a_provider(), a_visit(providerId="D1"))
        await bench.finish()
        bench.remote.wipe()
        again = await bench.plan(a_patient(), a_visit(purposeOfVisit="Fever"))
        await bench.finish()
        assert bench.status(again) is Status.DELIVERED
        assert record(bench, "patient-visits", "V1")["providerId"] == "D1"

    async def test_an_unknown_referent_is_waited_for(self, bench: Bench) -> None:
        visit = await bench.plan(a_visit())
        await bench.finish()
        assert bench.methods() == ["POST patient-visits"]
        (held,) = bench.deliveries([visit])
        assert (held.status, held.waits_for) == (Status.HELD, "patients/P1")
        await bench.plan(a_patient())
        await bench.finish()
        assert bench.status(visit) is Status.DELIVERED

    async def test_a_far_end_that_misses_what_it_has_is_not_asked_for_ever(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused = refusal(404, "REFERENCED_RESOURCE_NOT_FOUND")
        created = bench.remote._created
        monkeypatch.setattr(
            bench.remote,
            "_created",
            lambda key, body: refused if key[0] == "patient-visits" else created(key, body),
        )
        message_id = await bench.plan(a_patient(), a_visit())
        await bench.finish()
        assert bench.methods().count("POST patient-visits") == MOST_RETURNS
        assert bench.status(message_id) is Status.PARKED

    @pytest.mark.parametrize("named", [("patient",), ()])
    async def test_a_name_that_is_no_field_of_ours_means_any_of_them(
        self, bench: Bench, named: tuple[str, ...]
    ) -> None:
        await bench.plan(a_patient(), a_provider())
        await bench.finish()
        bench.remote.wipe()
        bench.remote.naming = lambda field: named
        visit = await bench.plan(a_visit(providerId="D1"))
        await bench.finish()
        assert bench.status(visit) is Status.DELIVERED

    async def test_what_misses_a_record_without_referring_to_any_is_parked(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refused = refusal(404, "REFERENCED_RESOURCE_NOT_FOUND", "clinicId")
        monkeypatch.setattr(bench.remote, "_created", lambda key, body: refused)
        message_id = await bench.plan(a_patient())
        await bench.finish()
        assert bench.status(message_id) is Status.PARKED


class TestDoubt:
    async def test_what_a_given_up_request_may_have_written_is_sent_anew(
        self, bench: Bench
    ) -> None:
        await bench.plan(a_patient(address="12 Lake Road"))
        await bench.finish()
        bench.remote.faults = iter([Fault.UNHEARD])
        moved = await bench.plan(a_patient(address="7 Hill View"))
        await self._until_parked(bench, moved)
        back = await bench.plan(a_patient(address="12 Lake Road"))
        await bench.finish()
        assert bench.status(back) is Status.DELIVERED
        assert record(bench, "patients", "P1")["address"] == "12 Lake Road"

    async def _until_parked(self, bench: Bench, message_id: int) -> None:
        """Let it go unanswered while others are written."""
        await bench.look()
        await bench.plan(a_patient("P9", uhid=9))
        await bench.look()
        (delivery,) = bench.deliveries([message_id])
        await bench.store.run(lambda tx: unclear_times(tx, delivery.id, POISON - 1))
        bench.remote.faults = iter([Fault.LOST])
        await bench.store.run(lambda tx: tx.postpone(delivery.id, Step.APPLY, due_at=0, attempts=8))
        await bench.look()
        assert bench.status(message_id) is Status.PARKED


class TestOpenBreaker:
    async def test_an_endpoint_that_failed_is_asked_by_one_at_a_time(self, bench: Bench) -> None:
        for number in range(6):
            await bench.plan(a_patient(f"P{number}", uhid=number))
        bench.remote.faults = iter([Fault.UNREACHABLE] * 6)
        await bench.look()
        assert len(bench.remote.requests) == 6
        bench.clock.now += 2
        await bench.deliver.once()
        await bench.deliver.once()
        assert len(bench.deliver._under_way) == 1
        await bench.deliver.until_idle()
        await bench.finish()
        assert len(bench.remote.records) == 6

    async def test_a_refused_token_stops_all_and_parks_nothing(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.UNAUTHORIZED])
        ids = [await bench.plan(a_patient(f"P{number}", uhid=number)) for number in range(2)]
        bench.deliver = bench.carrier(concurrency=1)
        await bench.look()
        assert list(bench.end.breakers.all(bench.clock())) == [""]
        assert await bench.look() > 0
        assert len(bench.remote.requests) == 1
        await bench.finish()
        assert [bench.status(number) for number in ids] == [Status.DELIVERED] * 2

    async def test_a_forbidden_resource_stops_alone(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.FORBIDDEN])
        bench.deliver = bench.carrier(concurrency=1)
        patient = await bench.plan(a_patient())
        provider = await bench.plan(a_provider())
        await bench.look()
        await bench.look()
        assert bench.status(provider) is Status.DELIVERED
        assert bench.status(patient) is Status.WAITING
        await bench.finish()
        assert bench.status(patient) is Status.DELIVERED

    async def test_the_limit_stops_all_until_its_reset(self, bench: Bench) -> None:
        bench.remote.faults = iter([Fault.LIMITED])
        message_id = await bench.plan(a_patient())
        await bench.look()
        assert await bench.look() == pytest.approx(30)
        await bench.finish()
        (delivery,) = bench.deliveries([message_id])
        assert (delivery.status, delivery.attempts) == (Status.DELIVERED, 0)


class TestBudget:
    @pytest.fixture
    def bench(self, bench: Bench) -> Bench:
        bench.budget = Budget(CallLimits(hour=20, minute=10))
        bench.end = bench.far_end()
        bench.deliver = bench.carrier()
        return bench

    async def test_no_more_leaves_than_the_limit_and_all_ends(self, bench: Bench) -> None:
        self._count(bench)
        for number in range(30):
            await bench.plan(a_patient(f"P{number}", uhid=number))
        started = bench.clock()
        await bench.finish()
        assert len(bench.remote.records) == 30
        assert bench.clock() - started > 3600
        assert max(self._in_an_hour(bench)) <= 20

    def _count(self, bench: Bench) -> None:
        send = bench.remote.send
        self.times: list[float] = []

        async def counted(request: Request) -> Outcome:
            self.times.append(bench.clock())
            assert bench.end.calls.use_reserved()
            bench.end.calls.spent(bench.clock(), {})
            return await send(request)

        bench.end._send = counted

    def _in_an_hour(self, bench: Bench) -> list[int]:
        return [sum(at <= t < at + 3600 for t in self.times) for at in self.times]

    async def test_its_count_is_kept_for_the_next_start(self, bench: Bench) -> None:
        self._count(bench)
        await bench.plan(a_patient())
        await bench.finish()
        assert self._restored(bench).state(bench.clock()).used == 1

    async def test_a_call_under_way_is_kept_too_for_a_crash(self, bench: Bench) -> None:
        answered = asyncio.Event()

        async def slow(request: Request) -> Outcome:
            await answered.wait()
            return await bench.remote.send(request)

        bench.end._send = slow
        await bench.plan(a_patient())
        await bench.deliver.once()
        restored = self._restored(bench)
        answered.set()
        await bench.deliver.until_idle()
        assert restored.state(bench.clock()).used == 1

    def _restored(self, bench: Bench) -> Budget:
        """The budget of a next start."""
        restored = Budget(CallLimits(hour=20, minute=10))
        calls = CallLimit(restored, Target.ZAUTO, limited=True, late=LATE)
        bench.store.read(lambda view: calls.take_up(view, bench.clock()))
        return restored

    async def test_all_calls_are_given_back(self, bench: Bench) -> None:
        bench.remote.faults = iter(Fault)
        for number in range(3):
            await bench.plan(a_patient(f"P{number}", uhid=number))
        await bench.finish()
        assert bench.end.calls.state(bench.clock()).used == 0


async def test_a_visit_whose_patient_is_known_needs_no_pending_one(bench: Bench) -> None:
    def known(tx: Transaction) -> None:
        tx.put_entity(Entity("patients", "P1", sent={"id": "P1"}))

    bench.remote.records["patients", "P1"] = {"id": "P1"}
    await bench.store.run(known)
    message_id = await bench.plan(a_visit())
    await bench.finish()
    assert bench.status(message_id) is Status.DELIVERED


async def test_a_refused_field_is_told_with_the_far_ends_words_quoted(bench: Bench) -> None:
    bench.remote.faults = iter([Fault.INVALID])
    message_id = await bench.plan(a_patient())
    await bench.finish()
    assert (
        bench.reason(message_id)
        == "refused as invalid: fullName “fullName: fullName 4711 is not right”"
    )


async def test_fields_the_staff_own_are_not_reset(bench: Bench) -> None:
    await bench.plan(a_patient(), a_visit())
    await bench.finish()
    record(bench, "patient-visits", "V1")["status"] = "IN_PROGRESS"
    await bench.plan(a_patient(), a_visit(purposeOfVisit="Fever"))
    await bench.finish()
    assert record(bench, "patient-visits", "V1")["status"] == "IN_PROGRESS"
    assert record(bench, "patient-visits", "V1")["purposeOfVisit"] == "Fever"
