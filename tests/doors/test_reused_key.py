"""An Idempotency-Key that comes again with another order: no order is lost in silence."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bridge.listeners import health, push
from bridge.listeners.http import make_app
from bridge.message import Status
from bridge.metrics import Metrics
from bridge.pipeline.intake.keep import Intake
from bridge.settings import Http, Key, Settings
from bridge.store.contract import Store
from bridge.store.open import open_store
from tests.patience import PATIENCE


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 1000.0)
    yield opened
    await opened.close()


@pytest.fixture
async def client(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    numbers = itertools.count(1)
    intake = Intake(
        store,
        Settings(),
        takes=lambda channel, protocol, message_type: True,
        clock=lambda: 1000.0,
        new_id=lambda: str(next(numbers)),
        metrics=Metrics(),
        wake=lambda: None,
    )
    door = push.door(intake, Key(api_key=SecretStr("a-key")), Http())
    async with httpx.AsyncClient(
        timeout=PATIENCE,
        transport=httpx.ASGITransport(make_app([door], health.door(list, bytes))),
        base_url="http://bridge.test",
        headers={"X-API-Key": "a-key", "Idempotency-Key": "V-1"},
    ) as client:
        yield client


async def test_another_order_under_a_known_key_is_refused_and_kept(
    client: httpx.AsyncClient, store: Store
) -> None:
    answers = [
        await client.post(
            "/orders/prescriptions",
            json={"externalVisitId": "V-1", "Medications": [{"name": medicine}]},
        )
        for medicine in ("Paracetamol", "Amoxicillin")
    ]

    assert [answer.status_code for answer in answers] == [202, 422]
    assert answers[1].json()["errors"][0]["field"] == "Idempotency-Key"
    refused, kept = store.read(lambda view: view.messages())
    assert (kept.status, kept.duplicates) == (Status.WAITING, 0)
    assert (refused.status, refused.answer_code) == (Status.REJECTED, "422")


async def test_the_same_order_written_otherwise_is_the_same(client: httpx.AsyncClient) -> None:
    answers = [
        await client.post("/orders/prescriptions", content=body)
        for body in (
            b'{"externalVisitId": "V-1", "Medications": [{"name": "Paracetamol"}]}',
            b'{"Medications":[{"name":"Paracetamol"}],"externalVisitId":"V-1"}',
        )
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
