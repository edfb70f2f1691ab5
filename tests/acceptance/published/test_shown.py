"""Every request and answer that the document shows, field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.acceptance.published.conftest import Api
from tests.acceptance.published.document import (
    ORDER_TITLES,
    TEST_RECORDS,
    Example,
    named,
    published,
)
from tests.acceptance.published.samples import (
    PATIENTS,
    PROVIDERS,
    VISITS,
    alike,
    enveloped,
    least,
    make_providers,
)

DOCUMENT = published()


@pytest.mark.parametrize("example", DOCUMENT.examples(), ids=named)
async def test_what_is_shown_is_what_is_sent_and_answered(api: Api, example: Example) -> None:
    assert example.title in SHOWN, f"what is shown under '{example.title}' has no test"
    await SHOWN[example.title](api, example)


async def _token_request(api: Api, example: Example) -> None:
    own = {"client_id": api.client.client_id, "client_secret": api.client.client_secret}
    answer = await api.http.post(example.path, json=example.value | own)
    assert answer.status_code == 200
    formats = DOCUMENT.credential_formats()
    assert all(re.fullmatch(formats[name], value) for name, value in own.items())


async def _token_answer(api: Api, example: Example) -> None:
    body = (await api.sign_in()).json()
    assert alike(example.value, body)
    exact = ("token_type", "expires_in")
    assert [body[name] for name in exact] == [example.value[name] for name in exact]


async def _pagination(api: Api, example: Example) -> None:
    await make_providers(api.http, example.value["pagination"]["totalCount"] - 1)
    answer = await api.http.get(PROVIDERS)
    assert answer.json()["pagination"] == example.value["pagination"]


async def _record(api: Api, example: Example) -> None:
    """A "Request Example": made as shown and read back with each field."""
    await _make_referents(api, example)
    made = await api.http.post(example.path, json=example.value)
    assert made.status_code == 201
    await _is_kept(api, example.path, example.value)


async def _make_referents(api: Api, example: Example) -> None:
    if example.path == VISITS:
        await api.http.post(PATIENTS, json=DOCUMENT.example("Request Example", PATIENTS))
        provider = least(PROVIDERS) | {"id": example.value["providerId"]}
        await api.http.post(PROVIDERS, json=provider)


async def _is_kept(api: Api, path: str, record: dict[str, Any]) -> None:
    answer = await api.http.get(f"{path}/{record['id']}")
    assert answer.status_code == 200
    data = enveloped(answer)
    own = {name: data.pop(name) for name in ("id", "externalId", "createdAt", "updatedAt")}
    assert own["externalId"] == record["id"]
    assert data == {name: value for name, value in record.items() if name != "id"}


async def _answer_to_create(api: Api, example: Example) -> None:
    answer = await api.http.post(PATIENTS, json=DOCUMENT.example("Request Example", PATIENTS))
    body = answer.json()
    assert list(body) == list(example.value)
    assert list(body["data"]) == list(example.value["data"])
    body["data"]["id"] = example.value["data"]["id"]  # their own id, which nobody can foresee
    assert body == example.value


async def _error(api: Api, example: Example) -> None:
    answer = await api.http.post(PROVIDERS, json={})
    assert list(answer.json()) == list(example.value)
    assert alike(example.value, answer.json())
    assert answer.json()["timestamp"] == example.value["timestamp"]


async def _test_record(api: Api, example: Example) -> None:
    await _is_kept(api, TEST_RECORDS[example.title], example.value)


async def _order(api: Api, example: Example) -> None:
    kind = ORDER_TITLES[example.title]
    answer = await api.http.post(f"/sandbox/push/{kind}", json=example.value)
    assert answer.status_code == 202
    (asked,) = api.partner.asked
    assert json.loads(asked) == example.value


SHOWN: dict[str, Callable[[Api, Example], Awaitable[None]]] = {
    "Content-Type: application/json": _token_request,
    "Response (200 OK):": _token_answer,
    "Pagination Format": _pagination,
    "Request Example": _record,
    "Response (201 Created)": _answer_to_create,
    "Error Response Format": _error,
    "Test Patient": _test_record,
    "Test Provider": _test_record,
    "Test Visit": _test_record,
    **dict.fromkeys(ORDER_TITLES, _order),
}
