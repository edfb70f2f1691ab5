from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from bridge.listeners import health
from bridge.listeners.http import make_app
from tests.patience import PATIENCE


@pytest.fixture
def reasons() -> list[str]:
    return []


@pytest.fixture
async def client(reasons: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app([], health.door(lambda: reasons, lambda: b"bridge_up 1\n"))
    async with httpx.AsyncClient(
        timeout=PATIENCE, transport=httpx.ASGITransport(app), base_url="http://bridge.test"
    ) as client:
        yield client


async def test_it_lives(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_it_is_ready_while_there_is_no_reason_against_it(
    client: httpx.AsyncClient, reasons: list[str]
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    reasons.append("the store is full")
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "reasons": ["the store is full"]}


async def test_the_numbers_are_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert (answer.status_code, answer.content) == (200, b"bridge_up 1\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/healthz/x", 404),
        ("GET", "/fhirx", 404),
        ("POST", "/readyz", 405),
    ],
)
async def test_there_is_nothing_else(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, "error")
