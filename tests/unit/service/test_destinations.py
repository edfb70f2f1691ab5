"""A running service's destinations: what is paused, stopped and in trouble, over a restart too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from bridge.causes import MASK, Cause, CauseKind
from bridge.delivery import Alias, Call, Kind, NetworkFault, Outcome, Reason, Target
from bridge.errors import BridgeError
from bridge.pipeline.delivery.pauses import PAUSED_NOTE, Destination, Pauses, Selection
from bridge.service.service import Service
from bridge.settings import Settings
from bridge.store.contract import Transaction
from bridge.store.far_end import Trouble
from tests.unit.pipeline.bench import a_patient, keep
from tests.unit.pipeline.planning.test_plan import an_order
from tests.unit.service.test_service import NOWHERE, PARTS, asked, settings

__all__ = ["settings"]

CONNECTED = {
    "BRIDGE_ZAUTO__BASE_URL": NOWHERE,
    "BRIDGE_ZAUTO__CLIENT_ID": "id",
    "BRIDGE_ZAUTO__CLIENT_SECRET": "secret",
    "BRIDGE_HOSPITAL__PORT": "9",
}
LIMITED = Outcome(Kind.TRANSIENT, Reason.LIMITED, 429, retry_after=3600.0)
REFUSED = Outcome(Kind.TRANSIENT, Reason.BAD_CREDENTIALS, 401, retry_after=3600.0)

Start = Callable[..., Any]


@pytest.fixture
async def start(settings: Callable[..., Settings]) -> Any:
    """Starts a service of the same store; the one before is stopped first."""
    running: list[Service] = []

    async def started(**changes: str) -> Service:
        while running:
            await running.pop().stop()
        service = Service(settings(**CONNECTED | changes), PARTS)
        running.append(service)
        await service.start()
        return service

    yield started
    while running:
        await running.pop().stop()


async def stop_calls(service: Service, outcome: Outcome, resource: str = "patients") -> None:
    """An answer that stops calls, as deliver settles it."""
    assert service.pipeline.destinations.zauto is not None
    end = service.pipeline.destinations.zauto.far_end
    now = service._clock()

    def settle(tx: Transaction) -> None:
        end._break(outcome, resource, now)
        end.note(tx, now)

    await service.store.run(settle)


def stops(report: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = report["destinations"][0]["stops"]
    return found


def paused(service: Service) -> dict[Target, bool]:
    return {target: each.paused for target, each in service.pipeline.destinations.delivers.items()}


@pytest.mark.parametrize("outcome", [LIMITED, REFUSED], ids=["429", "credentials"])
async def test_a_stop_of_all_calls_survives_a_restart(start: Start, outcome: Outcome) -> None:
    service = await start()
    await stop_calls(service, outcome)
    (before,) = stops(await asked(service, {"ask": "status"}))
    service = await start()
    report = await asked(service, {"ask": "status"})
    assert stops(report) == [before]
    assert (before["resource"], before["reason"]) == ("", str(outcome.reason))
    until = datetime.fromtimestamp(before["until"], ZoneInfo("Asia/Kolkata"))
    shown = f"ZautoAI (127.0.0.1:9): all calls stopped until {until:%H:%M:%S} IST"
    assert shown in report["notices"][0]
    assert (report["budget"]["waiting"] > 0) is (outcome is LIMITED)


async def test_new_credentials_are_tried_at_once(start: Start) -> None:
    service = await start()
    await stop_calls(service, REFUSED)
    service = await start(BRIDGE_ZAUTO__CLIENT_SECRET="another")
    assert stops(await asked(service, {"ask": "status"})) == []


async def test_resume_ends_a_stop_and_a_wait_after_a_429_with_a_reason_only(start: Start) -> None:
    service = await start()
    await stop_calls(service, REFUSED)
    assert stops(await asked(service, {"ask": "resume"})) == []
    await stop_calls(service, LIMITED)
    assert stops(await asked(service, {"ask": "resume"}))[0]["reason"] == "over the call limit"
    other = await asked(service, {"ask": "resume", "destination": "hospital", "reason": "no"})
    assert len(stops(other)) == 1
    assert stops(await asked(service, {"ask": "resume", "reason": "ZautoAI raised it"})) == []
    service = await start()
    report = await asked(service, {"ask": "status"})
    assert stops(report) == []
    assert report["resumed"]["reason"] == "ZautoAI raised it"
    assert report["budget"]["waiting"] == 0


async def test_a_destination_is_paused_alone_over_a_restart(start: Start) -> None:
    service = await start()
    await asked(service, {"ask": "pause", "paused": True, "destination": "hospital"})
    service = await start()
    report = await asked(service, {"ask": "status"})
    assert paused(service) == {Target.ZAUTO: False, Target.HOSPITAL: True}
    assert (report["paused"], report["paused_destinations"]) == (False, ["hospital"])
    assert [each["paused"] for each in report["destinations"]] == [False, True]
    await asked(service, {"ask": "pause", "paused": True})
    await asked(service, {"ask": "pause", "paused": False, "destination": "hospital"})
    assert paused(service) == {Target.ZAUTO: True, Target.HOSPITAL: False}
    await asked(service, {"ask": "resume"})
    assert paused(service) == {Target.ZAUTO: False, Target.HOSPITAL: False}


async def test_the_pause_of_an_earlier_version_holds(start: Start) -> None:
    service = await start()
    await service.store.run(lambda tx: tx.put_note(PAUSED_NOTE, "yes"))
    service = await start()
    assert paused(service) == {Target.ZAUTO: True, Target.HOSPITAL: True}


async def test_a_resource_is_paused_over_a_restart(start: Start) -> None:
    service = await start()
    await asked(service, {"ask": "pause", "paused": True, "resource": "patients"})
    service = await start()
    assert service.pipeline.destinations.zauto is not None
    assert service.pipeline.destinations.zauto.far_end.pauses.resources == {"patients"}
    assert (await asked(service, {"ask": "status"}))["paused_resources"] == ["patients"]
    await asked(service, {"ask": "pause", "paused": False})
    assert service.pipeline.destinations.zauto.far_end.pauses == Pauses()


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"channel": "orders"}, {"paused_channels": ["orders"]}),
        ({"patient": "4711"}, {"paused_patients": [MASK]}),
    ],
)
async def test_a_channel_or_a_patient_is_paused_over_a_restart(
    start: Start, named: dict[str, str], told: dict[str, Any]
) -> None:
    service = await start()
    answer = await asked(service, {"ask": "pause", "paused": True} | named)
    assert answer | told == answer
    service = await start()
    expected = Pauses.of(Selection(**named))
    assert service.pipeline.destinations.pausing.pauses == expected
    assert [each.pauses for each in service.pipeline.destinations._ends] == [expected] * 2
    report = await asked(service, {"ask": "status"})
    assert report | told == report
    assert (report["paused"], paused(service)) == (
        False,
        {Target.ZAUTO: False, Target.HOSPITAL: False},
    )
    await asked(service, {"ask": "pause", "paused": False} | named)
    service = await start()
    assert service.pipeline.destinations.pausing.pauses == Pauses()


async def test_of_a_patient_one_number_is_paused_and_each_ends_the_pause(start: Start) -> None:
    service = await start()
    alias = Alias("patients/4711", "patients/5822", "LOTUS", True, 1, 5.0)
    await service.store.run(lambda tx: tx.put_alias(alias))
    for number in ("4711", "9", "5822"):
        await asked(service, {"ask": "pause", "paused": True, "patient": number})
    assert service.pipeline.destinations.pausing.pauses.patients == {"5822", "9"}
    await asked(service, {"ask": "resume", "patient": "4711"})
    assert service.pipeline.destinations.pausing.pauses.patients == {"9"}


async def test_a_channel_that_left_the_settings_can_be_resumed(start: Start) -> None:
    service = await start()
    gone = Pauses.of(Selection(channel="old lab"))
    await service.store.run(lambda tx: tx.put_note(PAUSED_NOTE, gone.note()))
    service = await start()
    await asked(service, {"ask": "resume", "channel": "old lab"})
    assert service.pipeline.destinations.pausing.pauses == Pauses()
    with pytest.raises(BridgeError, match="no channel 'old lab'; there are default, fhir, orders"):
        await asked(service, {"ask": "pause", "paused": True, "channel": "old lab"})


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({}, {"target": "all"}),
        ({"resource": "patients"}, {"target": "all", "resource": "patients"}),
        ({"destination": "hospital"}, {"target": "hospital"}),
        ({"channel": "orders"}, {"target": "channel", "channel": "orders"}),
        ({"patient": "4711"}, {"target": "patient"}),
    ],
)
async def test_the_log_says_what_was_resumed_and_of_a_patient_not_which(
    start: Start, named: dict[str, str], told: dict[str, str]
) -> None:
    service = await start()
    with capture_logs() as logged:
        await asked(service, {"ask": "pause", "paused": True} | named)
        await asked(service, {"ask": "resume"} | named)
    (line,) = (line for line in logged if line["event"] == "waits ended")
    assert line | {"resource": "", "channel": ""} | told == line
    assert "4711" not in str(logged)


async def waiting(service: Service, call: Call, lane: str, cause: Cause) -> int:
    """A delivery whose next attempt is due in an hour."""
    due_at = service._clock() + 3600

    def job(tx: Transaction) -> int:
        delivery_id = tx.add(keep(tx, 1.0), 0, lane, call, 1.0)
        (head,) = tx.claim(call.target, due_at, 1)
        assert head.id == delivery_id
        tx.postpone(delivery_id, head.step, due_at=due_at, attempts=1, cause=cause)
        return delivery_id

    return await service.store.run(job)


@pytest.mark.parametrize("end", Target)
async def test_what_was_paused_is_ready_at_once_and_a_retry_is_not(
    start: Start, end: Target
) -> None:
    service = await start()
    await stop_calls(service, LIMITED)
    service.pipeline.destinations.delivers[Target.HOSPITAL].paused = True
    call, lane = (
        (an_order(), "orders/V1") if end is Target.HOSPITAL else (a_patient(), "patients/P1")
    )
    held = await waiting(service, call, lane, Cause(CauseKind.PAUSED, name="orders"))
    retry = Cause(CauseKind.RETRY, name=Reason.UNREACHABLE)
    await waiting(service, replace(call, external_id="P2"), "another", retry)
    now = service._clock()
    before = service.store.read(lambda view: [each.id for each in view.waits(end, now)])
    await service.pipeline.destinations.pausing.pause(False, Selection(channel="orders"))
    left = service.store.read(lambda view: [each.id for each in view.waits(end, now + 1)])
    assert set(before) - set(left) == {held}


@pytest.mark.parametrize("end", Target)
async def test_trying_a_patient_now_leaves_others_and_a_stop_of_all_calls(
    start: Start, end: Target
) -> None:
    service = await start()
    await stop_calls(service, LIMITED)
    service.pipeline.destinations.delivers[Target.HOSPITAL].paused = True
    retry = Cause(CauseKind.RETRY, name=Reason.UNREACHABLE)
    meant = {}
    for number in ("P1", "P2"):
        order = an_order(number)
        order.payload["segments"].append(["PID", {"3.1": number}])
        call, lane = a_patient(number), f"patients/{number}"
        if end is Target.HOSPITAL:
            call, lane = order, f"orders/{number}"
        meant[number] = await waiting(service, call, lane, retry)
    now = service._clock()
    await service.pipeline.destinations.pausing.try_now(Selection(patient="P1"))
    left = service.store.read(lambda view: [each.id for each in view.waits(end, now + 1)])
    assert left == [meant["P2"]]
    assert len(stops(await asked(service, {"ask": "status"}))) == 1


@pytest.mark.parametrize(
    ("destination", "resource", "error"),
    [
        (None, "patient", "there is no resource 'patient'; there are"),
        (Destination.HOSPITAL, "patients", "the hospital has no resources"),
    ],
)
async def test_what_is_not_there_cannot_be_paused(
    start: Start, destination: Destination | None, resource: str, error: str
) -> None:
    service = await start()
    named = {"destination": destination and str(destination), "resource": resource}
    for question in ({"ask": "pause", "paused": True}, {"ask": "resume"}):
        with pytest.raises(BridgeError, match=error):
            await asked(service, question | named)
    assert service.pipeline.destinations.pausing.pauses.resources == frozenset()


async def test_trouble_is_reported_with_address_fault_and_since(start: Start) -> None:
    service = await start()
    trouble = Trouble(0.0, Reason.UNREACHABLE, NetworkFault.REFUSED)
    service.pipeline.destinations.delivers[Target.HOSPITAL].health.trouble = trouble
    report = await asked(service, {"ask": "status"})
    zauto, hospital = report["destinations"]
    assert zauto == {
        "name": "zautoai",
        "address": "127.0.0.1:9",
        "paused": False,
        "trouble": None,
        "stops": [],
    }
    assert hospital["trouble"] == {
        "reason": "not reachable",
        "fault": "refused",
        "since": 0.0,
        "next_try": None,
        "needs_person": False,
    }
    assert report["notices"] == [
        "the hospital (127.0.0.1:9) takes nothing since 1970-01-01 05:30:00 IST "
        "(not reachable: connection refused); it is tried again with the next call"
    ]
    assert (report["acknowledging"], report["ended"]) == (True, [])
