"""`bridge status`, `messages` and `messages show`, with a running service and without one."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.causes import MASK, Cause, CauseKind
from bridge.cli import app as module
from bridge.cli.look import _sentences, _told
from bridge.errors import BridgeError
from bridge.message import Status
from bridge.reports.messages import MessageRow
from bridge.service.service import Service
from bridge.settings import load
from tests.patience import PATIENCE
from tests.store.samples import keep
from tests.unit.cli.conftest import Run
from tests.unit.pipeline.hl7 import adt
from tests.unit.service.test_service import PARTS

#: what of the message below is a patient's
SECRETS = ("4711", "Nair", "Meera", "9845000001", "V-77", "19840712", "Lake Road")


@pytest.fixture
async def service(run: Run, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    """A service of the same store, with one message that is translated."""
    monkeypatch.setenv("BRIDGE_MLLP__PORT", "0")
    monkeypatch.setenv("BRIDGE_HTTP__PORT", "0")
    made = Service(load(None), PARTS)
    await made.start()
    planned = asyncio.Event()
    made.pipeline.work._planned = planned.set
    await made.pipeline.intake.take_hl7(made.settings.channels[0], adt(visit="V-77"), "a peer")
    await asyncio.wait_for(planned.wait(), PATIENCE)
    yield made
    await made.stop()


async def said(run: Run, *words: str, code: int = 0) -> str:
    result = await asyncio.to_thread(run, *words)
    assert result.exit_code == code, result.output
    return result.stdout


async def data(run: Run, *words: str) -> Any:
    return json.loads(await said(run, *words, "--json"))


async def test_status_counts(run: Run, reached: str) -> None:
    code = 0 if reached == "running" else 2
    report = json.loads(await said(run, "status", "--json", code=code))
    assert report["messages"]["waiting"] == 1
    assert report["running"] is (reached == "running")
    printed = await said(run, "status", code=code)
    assert "on the way" in printed
    assert ("not running" in printed) is (reached == "stopped")


async def test_messages_are_listed(run: Run, reached: str) -> None:
    (row,) = await data(run, "messages")
    assert (row["id"], row["message_type"], row["answer"]) == (1, "ADT^A04", "AA")
    assert "ADT^A04" in await said(run, "messages")


async def test_messages_are_listed_by_status(run: Run, reached: str) -> None:
    assert await data(run, "messages", "--status", "parked") == []
    assert len(await data(run, "messages", "--status", "waiting")) == 1


@pytest.fixture
async def parked(run: Run, service: Service) -> Service:
    """The same with a message that lacks a phone number, parked."""
    cause = Cause(CauseKind.INCOMPLETE, fields=("phoneNumber",))
    kept = await service.store.run(lambda tx: keep(tx, status=Status.PARKED, cause=cause))
    assert kept.id == 2
    return service


@pytest.mark.parametrize("how", ["running", "stopped"])
@pytest.mark.parametrize("name", ["incomplete", "Incomplete"])
async def test_messages_are_listed_by_cause(run: Run, parked: Service, name: str, how: str) -> None:
    if how == "stopped":
        await parked.stop()
    (row,) = await data(run, "messages", "--cause", name)
    assert (row["id"], row["cause"]) == (2, "incomplete")
    assert await data(run, "messages", "--cause", name, "--status", "held") == []
    printed = await said(run, "messages", "--cause", "two-records")
    assert printed == "No message has the cause two_records.\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [("incomplet", "did you mean 'incomplete'?"), ("zzz", "docs/reference/causes.md lists all")],
)
def test_a_cause_that_is_none_is_told_with_the_nearest(run: Run, name: str, told: str) -> None:
    result = run("messages", "--cause", name)
    assert isinstance(result.exception, BridgeError)
    assert f"'{name}' is not a cause; {told}" in str(result.exception)


async def test_a_message_names_its_paragraph_of_the_runbook(run: Run, parked: Service) -> None:
    printed = await said(run, "messages", "show", "2")
    assert "incomplete: phoneNumber" in printed
    assert "docs/reference/causes.md#incomplete" in printed
    page = (Path(__file__).parents[3] / "docs/reference/causes.md").read_text(encoding="utf-8")
    assert "\n## incomplete\n" in page


async def test_one_message_is_shown_with_its_calls_and_their_lineage(
    run: Run, reached: str
) -> None:
    report = await data(run, "messages", "show", "1")
    assert [each["resource"] for each in report["deliveries"]] == [
        "patients",
        "providers",
        "patient-visits",
    ]
    printed = await said(run, "messages", "show", "1")
    assert "upsert patients" in printed
    assert "PID-5" in printed


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--json"),
        ("messages",),
        ("messages", "--json"),
        ("messages", "show", "1"),
        ("messages", "show", "1", "--json"),
        ("messages", "quarantine"),
    ],
)
async def test_nothing_of_a_patient_is_printed(
    run: Run, reached: str, words: tuple[str, ...]
) -> None:
    stopped = words[0] == "status" and reached == "stopped"
    printed = await said(run, *words, code=2 if stopped else 0)
    assert [secret for secret in SECRETS if secret in printed] == []


async def test_what_is_asked_for_is_printed(run: Run, reached: str) -> None:
    printed = await said(run, "messages", "show", "1", "--reveal")
    assert [secret for secret in SECRETS if secret not in printed] == []
    assert MASK not in printed


async def test_of_a_pruned_message_all_but_its_text_is_shown(
    run: Run, reached: str, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "bridge.db")) as file, file:
        file.execute("UPDATE message SET status = 'delivered'")
        file.execute("DELETE FROM body")
    printed = await said(run, "messages", "show", "1", "--reveal")
    assert (
        "Payload pruned: the text of this message was deleted; everything else is kept." in printed
    )
    assert "ADT^A04" in printed
    told = await data(run, "messages", "show", "1", "--reveal", "--json")
    assert (told["body_gone"], told["body"]) == (True, None)


async def test_what_is_wrong_with_its_structure_is_told_where_its_channel_asks(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "warn.yaml").write_text("channels: [{name: default, structure: warn}]")
    monkeypatch.setenv("BRIDGE_MLLP__PORT", "0")
    monkeypatch.setenv("BRIDGE_HTTP__PORT", "0")
    asked = ("messages", "show", "1", "--config", "warn.yaml")
    service = Service(load(tmp_path / "warn.yaml"), PARTS)
    await service.start()
    without_visit = adt().partition(b"PV1")[0]
    await service.pipeline.intake.take_hl7(service.settings.channels[0], without_visit, "a peer")
    running = await said(run, *asked)
    await service.stop()
    for printed in (running, await said(run, *asked)):
        assert "PV1 is missing after PID; ADT_A01 of HL7 2.5.1 requires it." in printed


async def test_an_empty_quarantine_says_so(run: Run, reached: str) -> None:
    assert await said(run, "messages", "quarantine") == "Nothing is in quarantine.\n"


async def test_a_message_that_is_not_there_is_told(run: Run, reached: str) -> None:
    result = await asyncio.to_thread(run, "messages", "show", "99")
    assert isinstance(result.exception, BridgeError)
    assert "there is no message 99" in str(result.exception)


async def test_pause_and_resume_reach_the_service(run: Run, service: Service) -> None:
    assert "paused" in await said(run, "pause")
    assert "Delivery is paused" in await said(run, "status", code=2)
    assert service.pipeline.destinations.pausing.pauses.all
    await said(run, "resume")
    assert not service.pipeline.destinations.pausing.pauses.all


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_without_a_service_there_is_nothing_to_pause(
    run: Run, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bridge", command])
    with pytest.raises(SystemExit, match="bridge: no service answers at"):
        module.main()


@pytest.mark.parametrize("command", [("status",), ("messages",), ("messages", "show", "1")])
def test_without_service_and_store_that_is_told(run: Run, command: tuple[str, ...]) -> None:
    result = run(*command)
    assert result.exit_code == 1
    assert isinstance(result.exception, BridgeError)
    assert "no service runs and there is no store at" in str(result.exception)
    assert "bridge run" in str(result.exception)


def test_a_store_that_is_none_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_bytes(b"this is no database, whatever its name is" * 100)
    result = run("status")
    assert isinstance(result.exception, BridgeError)
    assert "cannot be read as a store" in str(result.exception)


@pytest.mark.parametrize(
    "words", [("messages", "--status", "lost"), ("messages", "--limit", "0"), ("messages", "show")]
)
def test_what_is_typed_wrong_is_told_and_exits_2(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


async def test_no_message_of_a_status_is_said_in_a_sentence(run: Run, reached: str) -> None:
    assert await said(run, "messages", "--status", "parked") == "No message is parked.\n"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({}, ""),
        ({"remarks": [{}]}, "1 remark"),
        ({"reason": "incomplete", "remarks": [{}, {}]}, "incomplete; 2 remarks"),
        ({"reason": "nothing changed", "duplicates": 2}, "nothing changed; came again 2x"),
        (
            {"status": "held", "reason": "waits", "waits_for": f"patients/{MASK}"},
            f"waits; for patients/{MASK}",
        ),
    ],
)
def test_a_row_tells_why_a_message_is_where_it_is(row: dict[str, Any], told: str) -> None:
    usual = {"status": "delivered", "reason": "", "waits_for": "", "duplicates": 0, "remarks": []}
    assert _told(MessageRow.model_construct(**usual | row)) == told


def test_of_very_many_faults_the_first_are_printed() -> None:
    faults = [f"OBX-{n} is empty." for n in range(1, 23)]
    assert _sentences(faults[:2]) == ("OBX-1 is empty.", "OBX-2 is empty.")
    last = ["OBX-20 is empty.", "2 more; --json has them all"]
    assert list(_sentences(faults)[19:]) == last
