"""Faults that break the connection, seen by a client that reads bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from bridge.sandbox.faults import Plan
from bridge.sandbox.parts import Options
from bridge.sandbox.serve import TEST_CLIENT, Sandbox, running
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import load
from bridge.zauto.contract import TOKEN_PATH
from tests.patience import PATIENCE

PROVIDER = {"id": "d1", "fullName": "Dr. Farah Khan"}
PROVIDERS = "/zauto-api/providers"


@dataclass
class Slept:
    """No pause at all, but counted."""

    times: int = 0

    async def __call__(self, seconds: float) -> None:
        self.times += 1
        await asyncio.sleep(0)


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
async def sandbox(slept: Slept) -> AsyncIterator[Sandbox]:
    catalogue = load(mappings_folder() / "zauto")
    options = Options(limits=None, plan=Plan(), sleep=slept)
    async with running(catalogue, client=TEST_CLIENT, options=options) as sandbox:
        yield sandbox


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=PATIENCE, base_url=sandbox.url, trust_env=False) as api:
        asked = {"grant_type": "client_credentials"}
        asked |= {"client_id": TEST_CLIENT.client_id, "client_secret": TEST_CLIENT.client_secret}
        answer = await api.post(TOKEN_PATH, json=asked)
        api.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield api


async def create(api: httpx.AsyncClient, sandbox: Sandbox, fault: str) -> bytes:
    """Every byte that comes back until the connection ends; raises where it is reset."""
    body = json.dumps(PROVIDER)
    head = [
        f"POST {PROVIDERS} HTTP/1.1",
        "Host: sandbox",
        f"Authorization: {api.headers['Authorization']}",
        f"X-Sandbox-Fault: {fault}",
        f"Content-Length: {len(body)}",
    ]
    reader, writer = await asyncio.open_connection(sandbox.host, sandbox.port)
    try:
        writer.write("\r\n".join([*head, "", body]).encode())
        return await reader.read()
    finally:
        writer.close()


async def exists(api: httpx.AsyncClient) -> bool:
    return (await api.get(f"{PROVIDERS}/d1")).status_code == 200


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_is_no_byte_and_the_connection_ends(
    api: httpx.AsyncClient, sandbox: Sandbox, when: str
) -> None:
    assert await create(api, sandbox, f'{{"kind": "lost", "when": "{when}"}}') == b""
    assert await exists(api) is (when == "after")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_reset_is_told_to_the_client_as_one(
    api: httpx.AsyncClient, sandbox: Sandbox, when: str
) -> None:
    with pytest.raises(ConnectionResetError):
        await create(api, sandbox, f'{{"kind": "reset", "when": "{when}"}}')
    assert await exists(api) is (when == "after")


async def test_a_cut_answer_promises_more_than_it_holds(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    answer = await create(api, sandbox, '{"kind": "cut", "bytes": 12}')
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201 Created\r\n")
    assert body == b'{"status":"s'
    (length,) = (line for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
    assert int(length.split()[1]) > 100
    with pytest.raises(httpx.RemoteProtocolError):
        await api.get(PROVIDERS, headers={"X-Sandbox-Fault": "cut"})


async def test_a_cut_answer_without_its_length_looks_whole(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    answer = await api.get(PROVIDERS, headers={"X-Sandbox-Fault": "cut_unframed"})
    assert answer.status_code == 200
    assert "content-length" not in answer.headers
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


async def test_a_dripped_answer_comes_a_byte_at_a_time(
    api: httpx.AsyncClient, sandbox: Sandbox, slept: Slept
) -> None:
    answer = await create(api, sandbox, '{"kind": "drip", "seconds": 3}')
    body = answer.partition(b"\r\n\r\n")[2]
    assert json.loads(body)["data"]["externalId"] == "d1"
    assert slept.times == 1 + len(body)


async def test_a_drip_ends_when_the_client_hangs_up(
    api: httpx.AsyncClient, sandbox: Sandbox, slept: Slept
) -> None:
    head = f"GET {PROVIDERS} HTTP/1.1\r\nHost: s\r\nX-Sandbox-Fault: drip\r\n"
    head += f"Authorization: {api.headers['Authorization']}\r\n\r\n"
    reader, writer = await asyncio.open_connection(sandbox.host, sandbox.port)
    writer.write(head.encode())
    await reader.readexactly(20)
    writer.transport.abort()
    await asyncio.wait_for(_quiet(slept), PATIENCE)
    assert (await api.get(PROVIDERS)).status_code == 200


async def _quiet(slept: Slept) -> None:
    """Return once nothing sleeps any more."""
    before = -1
    while before != slept.times:
        before = slept.times
        for _ in range(20):
            await asyncio.sleep(0)


async def test_a_late_effect_takes_place_after_the_connection_has_ended(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    assert await create(api, sandbox, '{"kind": "late", "seconds": 60}') == b""
    assert await exists(api)
    effects = [(e.effect, e.late_for > 0) for _, e in sandbox.state.journal.after(1, 9)]
    assert effects[:2] == [("", False), ("created", True)]


async def test_the_next_request_of_the_same_client_is_answered(api: httpx.AsyncClient) -> None:
    for fault in ("lost", "cut"):
        with pytest.raises(httpx.HTTPError):
            await api.get(PROVIDERS, headers={"X-Sandbox-Fault": fault})
        assert (await api.get(PROVIDERS)).status_code == 200
