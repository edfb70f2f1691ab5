"""What a fault does to an answer, and to the record it is about.

Those that break the connection are in tests/doors/test_sandbox_faults.py.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

import httpx
import orjson
import pytest

from bridge.sandbox.database import Database
from bridge.sandbox.faults import FaultKind, FaultRule, Match, Plan, PlayedFault
from bridge.sandbox.journal import Effect
from bridge.sandbox.serve import TEST_CLIENT
from bridge.zauto.contract import TOKEN_PATH
from tests.unit.sandbox.conftest import Clock, Sleep

PROVIDER = {"id": "d1", "fullName": "Dr. Farah Khan"}
PROVIDERS = "/zauto-api/providers"
ASKED = {
    "grant_type": "client_credentials",
    "client_id": TEST_CLIENT.client_id,
    "client_secret": TEST_CLIENT.client_secret,
}


@pytest.fixture
def plan() -> Plan:
    return Plan()


async def create(api: httpx.AsyncClient, fault: str | dict[str, Any]) -> httpx.Response:
    said = fault if isinstance(fault, str) else orjson.dumps(fault).decode()
    return await api.post(PROVIDERS, json=PROVIDER, headers={"X-Sandbox-Fault": said})


async def exists(api: httpx.AsyncClient) -> bool:
    return (await api.get(f"{PROVIDERS}/d1")).status_code == 200


def effects(state: Database) -> list[tuple[Effect, str, int, int]]:
    """Of each entry for d1: effect, fault, status and which request's effect it is."""
    entries = [(n, e) for n, e in state.journal.after(0, 100) if e.external_id == "d1"]
    return [(e.effect, e.fault, e.status, e.late_for) for _, e in entries]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "VALIDATION_FAILED"),
        (401, "INVALID_TOKEN"),
        (403, None),
        (404, None),
        (409, "DUPLICATE_EXTERNAL_ID"),
        (429, "RATE_LIMIT_EXCEEDED"),
        (500, None),
        (503, None),
    ],
)
async def test_a_status_comes_with_its_error_and_without_an_effect(
    api: httpx.AsyncClient, state: Database, status: int, code: str | None
) -> None:
    answer = await create(api, {"kind": "status", "status": status})
    assert (answer.status_code, answer.json()["status"]) == (status, "error")
    assert answer.json().get("errorCode") == code
    assert effects(state) == [(Effect.NONE, "status", status, 0)]
    assert not await exists(api)


async def test_a_status_after_the_effect_hides_it(api: httpx.AsyncClient, state: Database) -> None:
    answer = await create(api, {"kind": "status", "status": 500, "when": "after"})
    assert answer.status_code == 500
    assert effects(state) == [(Effect.CREATED, "status", 201, 0)]
    assert await exists(api)


@pytest.mark.parametrize(
    ("odd", "reset"),
    [
        ("past", "1705311000"),
        ("far", "2020674600"),
        ("seconds", "30"),
        ("milliseconds", "1705314630000"),
        ("words", "soon"),
        ("absent", None),
    ],
)
async def test_a_limit_may_end_at_an_odd_time(
    api: httpx.AsyncClient, odd: str, reset: str | None
) -> None:
    answer = await create(api, {"kind": "limited", "reset": odd})
    assert answer.status_code == 429
    assert answer.json()["errorCode"] == "RATE_LIMIT_EXCEEDED"
    assert answer.headers.get("X-RateLimit-Reset") == reset
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert not await exists(api)


async def test_a_page_of_html_stands_in_for_the_answer(api: httpx.AsyncClient) -> None:
    answer = await create(api, {"kind": "html", "status": 200, "when": "after"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert await exists(api)


async def test_a_huge_answer_is_still_json(api: httpx.AsyncClient) -> None:
    answer = await create(api, {"kind": "huge", "bytes": 3_000_000})
    assert len(answer.content) > 3_000_000
    assert answer.json()["data"]["externalId"] == "d1"


async def test_a_compressed_answer_is_small_until_it_is_inflated(api: httpx.AsyncClient) -> None:
    headers = {"X-Sandbox-Fault": '{"kind": "gzip", "bytes": 6000000}', "Accept-Encoding": "x"}
    async with api.stream("POST", PROVIDERS, json=PROVIDER, headers=headers) as answer:
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert len(raw) < 60_000
    inflated = zlib.decompress(raw, wbits=31)
    assert len(inflated) > 5_900_000
    assert orjson.loads(inflated)["data"]["externalId"] == "d1"


async def test_an_answer_may_name_another_record(api: httpx.AsyncClient) -> None:
    answer = await create(api, "wrong_id")
    assert answer.status_code == 201
    assert answer.json()["data"]["externalId"] == "not-d1"
    assert await exists(api)


async def test_an_answer_without_a_record_names_none(api: httpx.AsyncClient) -> None:
    answer = await api.get(PROVIDERS, headers={"X-Sandbox-Fault": "wrong_id"})
    assert answer.json()["data"][0]["externalId"] == "test-provider-001"


@pytest.mark.parametrize(("when", "done_meanwhile"), [("before", False), ("after", True)])
async def test_a_delay_is_before_or_after_the_effect(
    api: httpx.AsyncClient, sleep: Sleep, when: str, done_meanwhile: bool
) -> None:
    asking = asyncio.create_task(create(api, {"kind": "delay", "seconds": 7, "when": when}))
    while not sleep.asked:
        await asyncio.sleep(0)
    assert await exists(api) is done_meanwhile
    sleep.over.set()
    assert (await asking).status_code == 201
    assert sleep.asked == [7]
    assert await exists(api)


async def test_a_revoked_token_refuses_the_request(api: httpx.AsyncClient) -> None:
    answer = await create(api, "token")
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "INVALID_TOKEN")
    assert not await exists(api)


@pytest.mark.parametrize(
    ("odd", "changed"),
    [
        ({"token": "short", "seconds": 2}, {"expires_in": 2.0}),
        ({"token": "words"}, {"expires_in": "an hour"}),
        ({"token": "absent"}, {"access_token": None}),
        ({"token": "no_refresh"}, {"refresh_token": None}),
    ],
)
async def test_a_token_may_be_odd(
    anyone: httpx.AsyncClient, odd: dict[str, Any], changed: dict[str, Any]
) -> None:
    headers = {"X-Sandbox-Fault": orjson.dumps({"kind": "token", **odd}).decode()}
    answer = (await anyone.post(TOKEN_PATH, json=ASKED, headers=headers)).json()
    assert {name: answer.get(name) for name in changed} == changed
    assert len(answer) == 4 - list(changed.values()).count(None)


async def test_a_token_may_be_invalid_from_the_start(anyone: httpx.AsyncClient) -> None:
    headers = {"X-Sandbox-Fault": '{"kind": "token", "token": "revoked"}'}
    answer = (await anyone.post(TOKEN_PATH, json=ASKED, headers=headers)).json()
    token = {"Authorization": f"Bearer {answer['access_token']}"}
    assert (await anyone.get(PROVIDERS, headers=token)).status_code == 401


async def test_a_plan_is_played_without_a_header(
    api: httpx.AsyncClient, plan: Plan, state: Database
) -> None:
    plan.add([FaultRule(fault=PlayedFault(kind=FaultKind.STATUS), match=Match(external_id="d1"))])
    other = await api.post(PROVIDERS, json={**PROVIDER, "id": "d2"})
    met = await api.post(PROVIDERS, json=PROVIDER)
    again = await api.post(PROVIDERS, json=PROVIDER)
    assert [other.status_code, met.status_code, again.status_code] == [201, 503, 201]


async def test_a_header_that_is_no_fault_is_told(api: httpx.AsyncClient, state: Database) -> None:
    answer = await create(api, "explode")
    assert answer.status_code == 400
    assert "x-sandbox-fault" in answer.json()["message"]
    assert effects(state) == []


class TestOff:
    @pytest.fixture
    def plan(self) -> None:
        return None

    async def test_a_fault_that_is_asked_for_is_not_played(self, api: httpx.AsyncClient) -> None:
        assert (await create(api, "reset")).status_code == 201

    async def test_a_plan_is_refused_with_what_to_do(self, api: httpx.AsyncClient) -> None:
        for method in ("GET", "POST", "DELETE"):
            answer = await api.request(method, "/sandbox/faults", json=[])
            assert answer.status_code == 409
            assert "--faults" in answer.json()["message"]


async def test_rules_are_added_shown_and_dropped(api: httpx.AsyncClient) -> None:
    rule = {"fault": {"kind": "html"}, "match": {"path": PROVIDERS}}
    assert (await api.post("/sandbox/faults", json=[rule])).json() == {
        "rules": [{**rule, "fitted": 0}]
    }
    assert (await api.post(PROVIDERS, json=PROVIDER)).status_code == 503
    assert (await api.get("/sandbox/faults")).json()["rules"][0]["fitted"] == 1
    assert (await api.delete("/sandbox/faults")).json() == {"rules": []}


@pytest.mark.parametrize("body", [b"", b"{}", b'[{"fault": {"kind": "x"}}]'])
async def test_rules_that_are_wrong_are_refused(api: httpx.AsyncClient, body: bytes) -> None:
    answer = await api.post("/sandbox/faults", content=body)
    assert answer.status_code == 400


async def test_a_late_effect_is_written_down_when_it_takes_place(
    clock: Clock, state: Database, sleep: Sleep, api: httpx.AsyncClient
) -> None:
    with pytest.raises(Exception, match="only the sandbox's own server"):
        await create(api, {"kind": "late", "seconds": 9})
    assert effects(state) == [(Effect.NONE, "late", 0, 0)]
    sequence = state.journal.last(1)[0][0]
    clock.now += 9
    sleep.over.set()
    while len(effects(state)) == 1:
        await asyncio.sleep(0)
    assert effects(state)[1] == (Effect.CREATED, "late", 201, sequence)
    assert state.journal.last(1)[0][1].at == clock.now
    assert await exists(api)
