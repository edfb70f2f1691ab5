from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bridge.errors import StoreBusy
from bridge.listeners import health, push
from bridge.listeners.http import make_app
from bridge.message import Protocol, Receipt
from bridge.settings import Http, Key
from tests.patience import PATIENCE

PRESCRIPTION: dict[str, Any] = {
    "externalVisitId": "V-1",
    "Medications": [
        {
            "externalMedicineId": "M-1",
            "name": "Paracetamol",
            "dose": "500 mg",
            "when": "after food",
            "frequency": "1-0-1",
            "duration": "5 days",
            "notes": "",
        }
    ],
}
SERVICE: dict[str, Any] = {
    "externalVisitId": "V-1",
    "Services": [{"externalServiceId": "S-1", "name": "X-ray", "price": 300, "status": "ordered"}],
}


class Intake:
    """Keeps in memory what it is handed; an order with a known key is a duplicate."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes, str]] = []
        self.refused: list[tuple[Protocol, str, bytes, int, str]] = []
        self.busy = False

    async def take_order(self, message_type: str, body: bytes, *, idempotency_key: str) -> Receipt:
        if self.busy:
            raise StoreBusy("full")
        order = (message_type, body, idempotency_key)
        if order in self.taken:
            return Receipt(self.taken.index(order) + 1, duplicate=True)
        self.taken.append(order)
        return Receipt(len(self.taken))

    async def refuse(
        self, protocol: Protocol, message_type: str, body: bytes, status_code: int, reason: str
    ) -> None:
        self.refused.append((protocol, message_type, body, status_code, reason))


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
async def client(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    door = push.door(intake, Key(api_key=SecretStr("a-key")), Http(body=2048))
    app = make_app([door], health.door(list, bytes))
    async with httpx.AsyncClient(
        timeout=PATIENCE,
        transport=httpx.ASGITransport(app),
        base_url="http://bridge.test",
        headers={"X-API-Key": "a-key"},
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body", "message_type"),
    [
        ("/orders/prescriptions", PRESCRIPTION, "prescription-order"),
        ("/orders/services", SERVICE, "service-order"),
    ],
)
async def test_an_order_is_answered_once_it_is_kept(
    client: httpx.AsyncClient,
    intake: Intake,
    path: str,
    body: dict[str, Any],
    message_type: str,
) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == 202
    assert answer.json() == {"status": "success", "message": "Order kept", "data": {"id": 1}}
    ((kept_type, kept, key),) = intake.taken
    assert (kept_type, kept, key) == (message_type, answer.request.content, "")


async def test_the_same_order_gets_the_same_answer(
    client: httpx.AsyncClient, intake: Intake
) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first, second = [
        await client.post("/orders/services", json=SERVICE, headers=headers) for _ in range(2)
    ]
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert len(intake.taken) == 1
    assert intake.taken[0][2] == "k-1"


@pytest.mark.parametrize(
    "line", [{"name": "X-ray", "urgency": {"vendor": 1}}, {"externalServiceId": "S", "price": None}]
)
async def test_unknown_and_null_fields_are_taken(
    client: httpx.AsyncClient, line: dict[str, Any]
) -> None:
    body = {"externalVisitId": "V-1", "Services": [line], "more": True}
    assert (await client.post("/orders/services", json=body)).status_code == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**SERVICE, "externalVisitId": ""}, "externalVisitId"),
        ({**SERVICE, "externalVisitId": 7}, "externalVisitId"),
        ({"Services": SERVICE["Services"]}, "externalVisitId"),
        ({"externalVisitId": "V-1"}, "Services"),
        ({**SERVICE, "Services": []}, "Services"),
        ({**SERVICE, "Services": {"name": "X-ray"}}, "Services"),
        ({**SERVICE, "Services": ["X-ray"]}, "Services[0]"),
        ({**SERVICE, "Services": [{"price": 1}]}, "Services[0]"),
        ({**SERVICE, "Services": [{"name": "a"}, {"name": 1}]}, "Services[1].name"),
        ({**SERVICE, "Services": [{"name": "a", "price": "300"}]}, "Services[0].price"),
        ({**SERVICE, "Services": [{"name": "a", "price": True}]}, "Services[0].price"),
    ],
)
async def test_a_fault_is_told_with_its_field_and_the_order_kept_as_refused(
    client: httpx.AsyncClient, intake: Intake, body: dict[str, Any], field: str
) -> None:
    answer = await client.post("/orders/services", json=body)
    assert answer.status_code == 400
    told = answer.json()
    assert told["status"] == "error"
    assert [each["field"] for each in told["errors"]] == [field]
    assert told["errors"][0]["message"].startswith(field)
    assert intake.taken == []
    assert intake.refused[0][:4] == (
        Protocol.ORDERS,
        "service-order",
        answer.request.content,
        400,
    )


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": NaN}', b"\xff"])
async def test_what_is_no_json_object_is_refused_and_kept(
    client: httpx.AsyncClient, intake: Intake, content: bytes
) -> None:
    answer = await client.post("/orders/prescriptions", content=content)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert intake.refused[0][2] == content


async def test_an_endless_idempotency_key_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k" * 256}
    answer = await client.post("/orders/services", json=SERVICE, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


async def test_too_large_an_order_is_refused(client: httpx.AsyncClient, intake: Intake) -> None:
    answer = await client.post("/orders/services", content=b" " * 3000)
    assert answer.status_code == 413
    assert intake.refused[0][1:4] == ("service-order", b"", 413)


async def test_other_paths_and_methods_are_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/orders/labs", json={})).status_code == 404
    answer = await client.get("/orders/services")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_without_the_key_nothing_is_taken(client: httpx.AsyncClient, intake: Intake) -> None:
    client.headers["X-API-Key"] = "another"
    answer = await client.post("/orders/services", json=SERVICE)
    assert (answer.status_code, answer.json()["status"]) == (401, "error")
    assert (intake.taken, intake.refused) == ([], [])


async def test_a_busy_store_asks_to_send_again(client: httpx.AsyncClient, intake: Intake) -> None:
    intake.busy = True
    answer = await client.post("/orders/services", json=SERVICE)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
