"""`bridge zauto` against the sandbox, through a running service and without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.causes import MASK
from bridge.cli.zauto import drained_by
from bridge.delivery import Kind, Outcome, Reason
from bridge.errors import BridgeError
from bridge.notices import NoticeKind, sentence
from bridge.reports.status import budget_report
from bridge.sandbox.limits import RequestLimits
from bridge.sandbox.parts import Options
from bridge.sandbox.serve import TEST_CLIENT, Sandbox, running
from bridge.service.service import Service
from bridge.settings import load
from bridge.zauto.budget import BudgetState
from tests.unit.cli.conftest import Run
from tests.unit.service.test_service import PARTS

#: of the sandbox's test patient
SECRETS = ("test-patient-001", "99999", "Test Patient", "+1234567890", "test@example.com")


@pytest.fixture
async def sandbox(run: Run, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """ZautoAI, with settings that lead there."""
    options = Options(limits=RequestLimits())
    async with running(PARTS.catalogue, client=TEST_CLIENT, options=options) as made:
        monkeypatch.setenv("BRIDGE_ZAUTO__BASE_URL", made.url)
        monkeypatch.setenv("BRIDGE_ZAUTO__CLIENT_ID", TEST_CLIENT.client_id)
        monkeypatch.setenv("BRIDGE_ZAUTO__CLIENT_SECRET", TEST_CLIENT.client_secret)
        monkeypatch.setenv("BRIDGE_MLLP__PORT", "0")
        monkeypatch.setenv("BRIDGE_HTTP__PORT", "0")
        yield made


@pytest.fixture
async def service(sandbox: Sandbox) -> AsyncIterator[Service]:
    made = Service(load(None), PARTS)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(params=["running", "stopped", "never started"])
async def reached(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[str]:
    """The same ZautoAI, with a service running, stopped, or before the first one."""
    made = Service(load(None), PARTS)
    if request.param != "never started":
        await made.start()
    if request.param == "stopped":
        await made.stop()
    yield str(request.param)
    await made.stop()


async def told(run: Run, *words: str, exit_code: int = 0) -> str:
    result = await asyncio.to_thread(run, "zauto", *words)
    assert result.exit_code == exit_code, result.output
    return result.stdout


async def data(run: Run, *words: str) -> Any:
    return json.loads(await told(run, *words, "--json"))


async def refused(run: Run, *words: str) -> str:
    result = await asyncio.to_thread(run, "zauto", *words)
    assert isinstance(result.exception, BridgeError), result.output
    return str(result.exception)


async def test_a_ping_says_that_all_is_right(run: Run, reached: str, sandbox: Sandbox) -> None:
    report = await data(run, "ping")
    assert (report["address"], report["client_id"]) == (sandbox.url, TEST_CLIENT.client_id)
    assert report["limit"]["limit"] == 1000
    assert abs(report["clock_ahead_seconds"]) <= 2
    printed = await told(run, "ping")
    assert "ZautoAI answers and takes the credentials" in printed
    assert TEST_CLIENT.client_secret not in printed


async def test_a_record_is_shown_without_what_could_name_a_person(run: Run, reached: str) -> None:
    record = (await data(run, "get", "patients", "test-patient-001"))["record"]
    assert record["fullName"] == record["uhid"] == MASK
    assert record["createdAt"] != MASK
    # who typed it knows it
    assert record["externalId"] == "test-patient-001"
    printed = await told(run, "get", "patients", "test-patient-001")
    assert [secret for secret in SECRETS if secret in printed] == ["test-patient-001"]


async def test_a_record_is_shown_whole_when_asked_for(run: Run, reached: str) -> None:
    printed = await told(run, "get", "patients", "test-patient-001", "--reveal")
    assert [secret for secret in SECRETS if secret not in printed] == []
    assert MASK not in printed


async def test_that_patient_data_was_shown_is_logged(run: Run, service: Service) -> None:
    with capture_logs() as logged:
        await told(run, "list", "patients", "--reveal")
    assert [line["event"] for line in logged if line["log_level"] == "warning"] == [
        "patient data shown"
    ]


async def test_a_record_that_is_not_there_is_said_and_exits_1(run: Run, reached: str) -> None:
    printed = await told(run, "get", "patients", "P-404", exit_code=1)
    assert printed == "ZautoAI has no P-404 among patients.\n"


async def test_a_list_is_searched_and_paged(run: Run, reached: str) -> None:
    assert (await data(run, "list", "patients", "--search", "nobody"))["records"] == []
    with capture_logs():
        (found,) = (await data(run, "list", "patients", "--search", "test", "--reveal"))["records"]
    assert found["fullName"] == "Test Patient"
    printed = await told(run, "list", "patients")
    assert "1 of 1 patients" in printed
    assert [secret for secret in SECRETS if secret in printed] == []


async def test_a_resource_that_is_none_is_told_with_those_there_are(run: Run, reached: str) -> None:
    said = await refused(run, "list", "patient")
    assert "there is no resource 'patient'; there are facilities, " in said


async def test_without_a_service_its_calls_are_counted_in_the_store(
    run: Run, service: Service
) -> None:
    await service.stop()
    await told(run, "ping")
    await told(run, "get", "patients", "test-patient-001")
    budget = await data(run, "budget")
    assert (budget["used"], budget["limit"]) == (4, 1000)
    again = Service(load(None), PARTS)
    await again.start()
    assert (await data(run, "budget"))["used"] == 4
    await again.stop()


async def test_a_running_service_counts_them_with_its_own_and_keeps_the_count(
    run: Run, service: Service
) -> None:
    await told(run, "get", "patients", "test-patient-001")
    await told(run, "list", "patients")
    budget = await data(run, "budget")
    assert (budget["used"], budget["remaining_at_zauto"]) == (3, 997)
    await service.stop()
    assert (await data(run, "budget"))["used"] == 3
    assert "3 of 1000" in await told(run, "budget")


async def test_before_the_first_start_no_store_is_made(
    run: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    await told(run, "ping")
    assert list(tmp_path.iterdir()) == []
    assert "there is no store" in await refused(run, "budget")


async def test_wrong_credentials_are_told_with_what_to_do(
    run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_ZAUTO__CLIENT_SECRET", "wrong")
    said = await refused(run, "ping")
    assert (
        f"ZautoAI at {sandbox.url}: client credentials refused (HTTP 401): invalid_client" in said
    )
    assert "check BRIDGE_ZAUTO__CLIENT_ID and BRIDGE_ZAUTO__CLIENT_SECRET" in said
    assert "wrong" not in said


async def test_an_address_where_nobody_is_is_told_with_what_to_do(
    run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_ZAUTO__BASE_URL", "http://127.0.0.1:9")
    assert "check zauto.base_url, the name service and the firewalls" in await refused(run, "ping")


async def test_without_settings_it_says_what_to_set(run: Run) -> None:
    assert "set BRIDGE_ZAUTO__BASE_URL" in await refused(run, "ping")


async def test_a_command_with_other_credentials_than_the_service_is_refused(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_ZAUTO__CLIENT_SECRET", "the new one")
    said = await refused(run, "ping")
    assert "another address or other credentials" in said
    assert "restart the service" in said


async def test_a_used_up_limit_is_told_and_no_call_made(
    run: Run, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.pipeline.destinations.zauto is not None
    monkeypatch.setattr(service.pipeline.destinations.zauto.far_end.calls, "take", lambda now: 34.0)
    said = await refused(run, "list", "patients")
    assert "the next call may go in 34 s" in said
    assert service.pipeline.destinations.zauto.gauge()[0] == 0


async def test_a_ping_that_is_answered_closes_the_breakers(run: Run, service: Service) -> None:
    assert service.pipeline.destinations.zauto is not None

    breakers = service.pipeline.destinations.zauto.far_end.breakers
    breakers.note(
        Outcome(Kind.TRANSIENT, Reason.BAD_CREDENTIALS, 401), "patients", service._clock()
    )
    first = next(iter(service.status.notices()))
    assert first.kind is NoticeKind.CREDENTIALS_REFUSED
    said = sentence(first, "Asia/Kolkata")
    assert "client credentials refused; check BRIDGE_ZAUTO__CLIENT_ID" in said
    await told(run, "ping")
    assert NoticeKind.CREDENTIALS_REFUSED not in {each.kind for each in service.status.notices()}


async def test_what_the_document_does_not_say_is_shown_running_and_stopped(
    run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_ZAUTO__LIMITS__HOUR", "500")
    monkeypatch.setenv("BRIDGE_ZAUTO__LIMITS__MINUTE", "50")
    service = Service(load(None), PARTS)
    await service.start()
    await told(run, "ping")
    for running_ in (True, False):
        if not running_:
            metrics = service._metrics.render()
            assert b'what="other limit",where="X-RateLimit-Limit 1000"} 2.0' in metrics
            await service.stop()
        result = await asyncio.to_thread(run, "status", "--json")
        report = json.loads(result.stdout)
        assert report["running"] is running_
        (odd,) = report["contract"]
        assert (odd["what"], odd["where"]) == ("other limit", "X-RateLimit-Limit 1000")
        assert odd["count"] >= 1
        printed = (await asyncio.to_thread(run, "status")).stdout
        assert "ZautoAI answered what its document does not say" in printed


def test_the_forecast_is_told_to_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)

    def told(drained_in: int | None, waiting: int = 200) -> str:
        state = BudgetState(900, 1000, None, 0.0)
        return drained_by(
            budget_report(state, waiting=waiting, drained_in=drained_in), "Asia/Kolkata"
        )

    assert told(720) == "13:42"
    assert told(86_400) == "2027-01-16 13:30"
    assert told(None) == ""
    assert told(720, waiting=0) == ""
