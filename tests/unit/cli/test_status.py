"""`bridge status`: its exit code, and what it lists of parked messages and work by hand."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from rich.console import Console

from bridge.causes import MASK, Cause, CauseKind
from bridge.cli import app as module
from bridge.cli.status import StatusCode, paused_lines, resumed_lines, status_code, stuck_tables
from bridge.delivery import Entity, Kind, Outcome, Reason
from bridge.message import Message, Protocol, Status
from bridge.notices import EXPLANATIONS, NoticeKind, sentence
from bridge.reports.destinations import ResumedReport
from bridge.reports.status import StatusReport
from bridge.service.service import Service
from bridge.settings import load
from bridge.store.contract import Transaction
from tests.unit.cli.conftest import Run
from tests.unit.service.test_service import PARTS

ZONE = "Asia/Kolkata"
TASK = {"what": "prior_unknown", "do": "look for it " * 9, "count": 12, "since": 1.8e9}


def report(**changes: Any) -> StatusReport:
    """A report of a service that has nothing to complain of."""
    usual: dict[str, Any] = {
        "running": True,
        "acknowledging": True,
        "ended": [],
        "paused": False,
        "paused_destinations": [],
        "paused_resources": [],
        "paused_channels": [],
        "paused_patients": [],
        "destinations": [of()],
        "resumed": None,
        "messages": {},
        "deliveries": {},
        "oldest_waiting_seconds": None,
        "held_for": [],
        "unmapped_types": [],
        "quarantined": 0,
        "application_acknowledgments": {},
        "parked_by": [],
        "tasks": [],
        "lines": [],
        "notices": [],
    }
    stated = usual | changes
    stated["messages"] = dict.fromkeys(Status, 0) | stated["messages"]
    return StatusReport.model_validate(stated)


def of(*, stops: list[str] | None = None, needs_person: bool | None = None) -> dict[str, Any]:
    """A destination whose calls for these resources are stopped, or that is in trouble."""
    since = {"reason": Reason.UNREACHABLE, "since": 1.0}
    trouble = since | {"fault": "", "next_try": None, "needs_person": needs_person}
    return {
        "name": "zautoai",
        "address": "h:1",
        "paused": False,
        "trouble": None if needs_person is None else trouble,
        "stops": [since | {"resource": resource, "until": 9.0} for resource in stops or []],
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, StatusCode.FINE),
        ({"messages": {"waiting": 5, "held": 2}}, StatusCode.FINE),
        # it is tried again automatically
        ({"destinations": [of(needs_person=False)]}, StatusCode.FINE),
        ({"messages": {"parked": 1}}, StatusCode.PERSON),
        ({"tasks": [TASK]}, StatusCode.PERSON),
        ({"destinations": [of(stops=["patients"])]}, StatusCode.PERSON),
        ({"running": False}, StatusCode.STOPPED),
        ({"acknowledging": False}, StatusCode.STOPPED),
        ({"ended": ["translation"]}, StatusCode.STOPPED),
        ({"paused_destinations": ["hospital"]}, StatusCode.STOPPED),
        ({"paused_resources": ["patients"]}, StatusCode.STOPPED),
        ({"paused_channels": ["lab"]}, StatusCode.STOPPED),
        ({"paused_patients": [MASK]}, StatusCode.STOPPED),
        ({"destinations": [of(stops=["", "patients"])]}, StatusCode.STOPPED),
        ({"destinations": [of(needs_person=True)]}, StatusCode.STOPPED),
        # the worst counts
        ({"running": False, "messages": {"parked": 1}}, StatusCode.STOPPED),
    ],
)
def test_the_exit_code_is_that_of_the_worst(changes: dict[str, Any], code: StatusCode) -> None:
    assert status_code(report(**changes)) is code


def test_the_exit_codes_are_those_of_the_docs() -> None:
    assert [int(code) for code in StatusCode] == [0, 1, 2]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, []),
        (
            {"paused": True, "paused_destinations": ["hospital", "zautoai"]},
            ["Delivery is paused, 3 messages waiting. Go on: bridge resume"],
        ),
        (
            {"paused_destinations": ["hospital"], "paused_resources": ["patients"]},
            [
                "Delivery to the hospital is paused. Go on: bridge resume --destination hospital",
                "Calls for patients are paused. Go on: bridge resume --resource patients",
            ],
        ),
        (
            {"paused_channels": ["lab", "old lab"]},
            [
                "Deliveries of channel lab are paused. Go on: bridge resume --channel lab",
                "Deliveries of channel old lab are paused. Go on: bridge resume --channel "
                "'old lab'",
            ],
        ),
        (
            {"paused_patients": [MASK]},
            [
                "Deliveries of 1 hidden patient are paused. Go on: bridge resume --patient ID "
                "('bridge status --reveal' shows each ID)"
            ],
        ),
        (
            {"paused_patients": ["4711", MASK, MASK]},
            [
                "Deliveries of patient 4711 are paused. Go on: bridge resume --patient 4711",
                "Deliveries of 2 hidden patients are paused. Go on: bridge resume --patient ID "
                "('bridge status --reveal' shows each ID)",
            ],
        ),
    ],
)
def test_what_is_paused_is_named_with_the_command_that_ends_it(
    changes: dict[str, Any], lines: list[str]
) -> None:
    assert [sentence(each, ZONE) for each in paused_lines(report(**changes), 3)] == lines


def test_that_waits_were_ended_is_shown_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    resumed = ResumedReport(at=0.0, reason="the limit was raised")
    monkeypatch.setattr(time, "time", lambda: 86_399.0)
    (notice,) = resumed_lines(resumed)
    assert (
        sentence(notice, ZONE)
        == "waits ended by hand at 1970-01-01 05:30:00 IST: the limit was raised"
    )
    monkeypatch.setattr(time, "time", lambda: 86_401.0)
    assert list(resumed_lines(resumed)) == []
    assert list(resumed_lines(None)) == []


def test_the_tables_fit_80_columns() -> None:
    parked = {
        "cause": str(max(CauseKind, key=len)),
        "sending_application": "MEDIS_HIS",
        "sending_facility": "RIVERSIDE",
        "channel": "default",
        "count": 123_456,
        "oldest": 1_800_000_000.0,
    }
    out = Console(width=80, record=True)
    for made in stuck_tables(report(parked_by=[parked], tasks=[TASK]), ZONE):
        out.print(made)
    lines = out.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    words = " ".join(lines).split()
    assert {parked["cause"], "MEDIS_HIS|RIVERSIDE", "123456", "prior_unknown"} <= set(words)


@pytest.fixture
async def service(run: Run, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setenv("BRIDGE_MLLP__PORT", "0")
    monkeypatch.setenv("BRIDGE_HTTP__PORT", "0")
    monkeypatch.setenv("BRIDGE_ZAUTO__BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("BRIDGE_ZAUTO__CLIENT_ID", "id")
    monkeypatch.setenv("BRIDGE_ZAUTO__CLIENT_SECRET", "secret")
    made = Service(load(None), PARTS)
    await made.start()
    yield made
    await made.stop()


def stuck(tx: Transaction) -> None:
    """A message that is parked, one that is held, and something to do by hand."""
    parked = Cause(CauseKind.REFUSED, name="refused", said="Nair")
    held = Cause(CauseKind.WAITS_FOR_RECORD, key="Patient/4711")
    for status, cause in ((Status.PARKED, parked), (Status.HELD, held)):
        kept = tx.keep(
            Message("default", Protocol.HL7V2, "ADT^A04", "C1", "HIS", "LOTUS", 1.0, b"MSH|"),
            status=status,
            answer_code="AA",
            acknowledgment=b"",
            identity=None,
            cause=cause,
        )
        if status is Status.HELD:
            tx.mark(kept.id, status, at=2.0, cause=cause, waits_for="Patient/4711")
    tx.add_task(1, "prior_unknown", 5.0)


async def status(run: Run, *words: str) -> tuple[int, str]:
    result = await asyncio.to_thread(run, "status", *words)
    return result.exit_code, result.stdout


async def test_what_is_stuck_is_listed_running_and_stopped(run: Run, service: Service) -> None:
    assert (await status(run))[0] == StatusCode.FINE
    await service.store.run(stuck)
    for code in (StatusCode.PERSON, StatusCode.STOPPED):
        if code is StatusCode.STOPPED:
            await service.stop()
        exited, printed = await status(run)
        assert exited == code
        assert all(word in printed for word in ("HIS|LOTUS", "refused", "prior_unknown"))
        assert "4711" not in printed
        assert "Patient/4711" in (await status(run, "--reveal"))[1]
        exited, printed = await status(run, "--json")
        assert exited == code
        data = json.loads(printed)
        assert (data["parked_by"][0]["count"], data["parked_by"][0]["oldest"]) == (1, 1.0)
        assert [(task["what"], task["since"]) for task in data["tasks"]] == [("prior_unknown", 5.0)]


async def test_json_has_the_kind_of_each_line(run: Run, service: Service) -> None:
    await service.store.run(stuck)
    lines = json.loads((await status(run, "--json"))[1])["lines"]
    kinds = [line["kind"] for line in lines]
    assert kinds[:2] == ["parked", "held"]
    assert {"by_hand", "hospital_not_set_up", "mappings_in_use", "calls_used"} <= set(kinds)
    assert [EXPLANATIONS[NoticeKind(line["kind"])].by for line in lines] == [
        line["by"] for line in lines
    ]
    assert lines[0]["text"] == "1 message needs a person: bridge messages --status parked"
    assert lines[0]["parameters"] == {"number": 1}


async def test_a_destination_or_a_resource_is_paused_and_let_go(run: Run, service: Service) -> None:
    for words in (("--destination", "hospital"), ("--resource", "patients")):
        said = await asyncio.to_thread(run, "pause", *words)
        assert f"bridge resume {' '.join(words)}" in said.stdout
    exited, printed = await status(run)
    assert exited == StatusCode.STOPPED
    assert "Delivery to the hospital is paused" in printed
    assert "Calls for patients are paused" in printed
    left = await asyncio.to_thread(run, "resume", "--destination", "hospital")
    assert left.stdout.endswith("patients are paused. Go on: bridge resume --resource patients\n")
    assert "hospital is paused" not in left.stdout
    assert (await asyncio.to_thread(run, "resume")).stdout.endswith("Delivery goes on.\n")
    assert (await status(run))[0] == StatusCode.FINE


async def test_a_channel_is_paused_and_let_go(run: Run, service: Service) -> None:
    said = await asyncio.to_thread(run, "pause", "--channel", "orders")
    line = "Deliveries of channel orders are paused. Go on: bridge resume --channel orders"
    assert line in said.stdout
    exited, printed = await status(run)
    assert (exited, line in printed) == (StatusCode.STOPPED, True)
    said = await asyncio.to_thread(run, "resume", "--now", "--channel", "orders")
    assert said.stdout.endswith("Delivery goes on.\n")
    assert (await status(run))[0] == StatusCode.FINE


async def test_a_paused_patient_is_shown_to_who_typed_it_or_asks(
    run: Run, service: Service
) -> None:
    said = await asyncio.to_thread(run, "pause", "--patient", " MRN 1 ")
    shown = "Deliveries of patient MRN 1 are paused. Go on: bridge resume --patient 'MRN 1'"
    unknown = "No message about this patient has come yet: check the number."
    assert said.stdout.splitlines() == [shown, unknown, "What is under way ends."]
    await service.store.run(lambda tx: tx.put_entity(Entity("patients", "MRN-2")))
    said = await asyncio.to_thread(run, "pause", "--patient", "MRN-2")
    assert "patient MRN-2 are paused" in said.stdout
    assert unknown not in said.stdout
    assert "Deliveries of 1 hidden patient are paused" in said.stdout
    for running in (True, False):
        if not running:
            await service.stop()
        exited, printed = await status(run)
        assert exited == StatusCode.STOPPED
        assert (
            "Deliveries of 2 hidden patients are paused. Go on: bridge resume --patient ID"
            in printed
        )
        assert "MRN" not in printed
        assert json.loads((await status(run, "--json"))[1])["paused_patients"] == [MASK, MASK]
        assert shown in (await status(run, "--reveal"))[1]
        revealed = json.loads((await status(run, "--json", "--reveal"))[1])
        assert revealed["paused_patients"] == ["MRN 1", "MRN-2"]


async def test_a_patient_is_let_go_alone(run: Run, service: Service) -> None:
    for number in ("MRN-1", "MRN-2"):
        await asyncio.to_thread(run, "pause", "--patient", number)
    said = await asyncio.to_thread(run, "resume", "--patient", "MRN-1")
    assert "Deliveries of 1 hidden patient are paused" in said.stdout
    assert "MRN" not in said.stdout
    assert service.pipeline.destinations.pausing.pauses.patients == {"MRN-2"}
    said = await asyncio.to_thread(run, "resume")
    assert said.stdout.endswith("Delivery goes on.\n")


async def test_resume_now_says_what_still_waits(run: Run, service: Service) -> None:
    assert service.pipeline.destinations.zauto is not None
    end = service.pipeline.destinations.zauto.far_end
    limited = Outcome(Kind.TRANSIENT, Reason.LIMITED, 429, retry_after=3600.0)
    end.breakers.note(limited, "patients", service._clock())
    assert (await status(run))[0] == StatusCode.STOPPED
    said = await asyncio.to_thread(run, "resume", "--now", "--destination", "zautoai")
    assert "ZautoAI: all calls stopped until" in said.stdout
    assert "bridge resume --now --reason TEXT" in said.stdout
    said = await asyncio.to_thread(run, "resume", "--now", "--reason", "the limit was raised")
    assert said.stdout.endswith("Delivery goes on.\n")
    exited, printed = await status(run)
    assert exited == StatusCode.FINE
    assert "the limit was raised" in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("resume", "--reason", "x"), "give --now with it"),
        (("pause", "--resource", "patient"), "there is no resource 'patient'"),
        (("pause", "--resource", "patients", "--destination", "hospital"), "has no resources"),
        (("pause", "--channel", "lab"), "there is no channel 'lab'; there are default"),
        (("resume", "--channel", "lab"), "there is no channel 'lab'; there are default"),
        (("pause", "--channel", "orders", "--patient", "1"), "cannot be combined"),
        (("resume", "--now", "--reason", "x", "--patient", "1"), "--reason ends a wait of all"),
        # a variable of a script that is not set must not pause or resume everything
        (("pause", "--patient", ""), "--patient is empty"),
        (("resume", "--channel", " "), "--channel is empty"),
        (("resume", "--resource", ""), "--resource is empty"),
    ],
)
async def test_what_cannot_be_named_is_refused(
    run: Run, service: Service, words: tuple[str, ...], said: str
) -> None:
    result = await asyncio.to_thread(run, *words)
    assert said in str(result.exception)


def test_a_destination_that_there_is_not_is_refused(run: Run) -> None:
    result = run("pause", "--destination", "his")
    assert result.exit_code == 2
    assert "'zautoai', 'hospital'" in result.output


def test_where_there_is_no_status_the_code_is_that_of_a_stop(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bridge", "status"])
    with pytest.raises(SystemExit) as exited:
        module.main()
    assert exited.value.code == StatusCode.STOPPED
    assert "bridge: no service runs and there is no store at" in capsys.readouterr().err
