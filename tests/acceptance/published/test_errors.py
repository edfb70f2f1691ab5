"""Every status, error code and limit of the document can be met in the sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable

import httpx
import jsonschema_rs
import pytest

from bridge.sandbox.accounts import Accounts
from tests.acceptance.published.conftest import Api
from tests.acceptance.published.document import published
from tests.acceptance.published.samples import PATIENTS, PROVIDERS, VISITS, alike, least

DOCUMENT = published()


@pytest.mark.parametrize("status", DOCUMENT.statuses())
async def test_a_status_can_be_met(api: Api, status: int) -> None:
    assert status in STATUSES, f"status {status} has no test"
    answer = await STATUSES[status](api)
    assert answer.status_code == status
    if status >= 400:
        _is_error(answer)


@pytest.mark.parametrize("status", DOCUMENT.statuses())
async def test_an_answer_of_each_status_is_as_openapi_says(api: Api, status: int) -> None:
    """schemathesis, in tests/acceptance/test_openapi.py, meets neither a 403, 429 nor 500."""
    answer = await STATUSES[status](api)
    document = (await api.http.get("/openapi.json")).json()
    path = answer.request.url.path.replace("/nobody", "/{id}")
    said = document["paths"][path][answer.request.method.lower()]["responses"][str(status)]
    schema = said["content"]["application/json"]["schema"]
    whole = {**schema, "components": document["components"]}
    jsonschema_rs.validator_for(whole).validate(answer.json())
    assert {name.lower() for name in said.get("headers", ())} <= set(answer.headers)


@pytest.mark.parametrize("code", DOCUMENT.error_codes())
async def test_an_error_code_can_be_met(api: Api, code: str) -> None:
    assert code in CODES, f"error code {code} has no test"
    answer = await CODES[code](api)
    assert answer.json()["errorCode"] == code
    _is_error(answer)


def _is_error(answer: httpx.Response) -> None:
    """The "Error Response Format"; a 403 and a 500 have no code of the list."""
    shown = DOCUMENT.example("Error Response Format")
    body = answer.json()
    coded = body if "errorCode" in body else body | {"errorCode": ""}
    assert alike(shown, coded)
    assert ("errorCode" in body) == (answer.status_code not in (403, 500))
    assert body["status"] == shown["status"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["timestamp"])


async def _read(api: Api) -> httpx.Response:
    return await api.http.get(PATIENTS)


async def _created(api: Api) -> httpx.Response:
    return await api.http.post(PROVIDERS, json=least(PROVIDERS))


async def _invalid(api: Api) -> httpx.Response:
    return await api.http.post(PROVIDERS, json={})


async def _stranger(api: Api) -> httpx.Response:
    return await api.http.get(PATIENTS, headers={"Authorization": "Bearer expired"})


async def _forbidden(api: Api) -> httpx.Response:
    reader = Accounts(api.state).make("reader", read_only=True)
    await api.sign_in(reader)
    return await _created(api)


async def _failed(api: Api) -> httpx.Response:
    fault = json.dumps({"kind": "status", "status": 500})
    return await api.http.get(PATIENTS, headers={"X-Sandbox-Fault": fault})


async def _missing(api: Api) -> httpx.Response:
    return await api.http.get(f"{PATIENTS}/nobody")


async def _twice(api: Api) -> httpx.Response:
    await _created(api)
    return await _created(api)


async def _unreferenced(api: Api) -> httpx.Response:
    return await api.http.post(VISITS, json=least(VISITS) | {"patientId": "nobody"})


async def _too_many(api: Api) -> httpx.Response:
    for _ in range(DOCUMENT.limits()["minute"]):
        answer = await api.http.get(PATIENTS)
    return answer


Scenario = Callable[[Api], Awaitable[httpx.Response]]
STATUSES: dict[int, Scenario] = {
    200: _read,
    201: _created,
    400: _invalid,
    401: _stranger,
    403: _forbidden,
    404: _missing,
    409: _twice,
    429: _too_many,
    500: _failed,
}
CODES: dict[str, Scenario] = {
    "INVALID_TOKEN": _stranger,
    "VALIDATION_FAILED": _invalid,
    "RESOURCE_NOT_FOUND": _missing,
    "DUPLICATE_EXTERNAL_ID": _twice,
    "REFERENCED_RESOURCE_NOT_FOUND": _unreferenced,
    "RATE_LIMIT_EXCEEDED": _too_many,
}


@pytest.mark.parametrize("window", DOCUMENT.limits())
async def test_a_limit_lets_as_many_through_as_is_said(api: Api, window: str) -> None:
    seconds = {"hour": 3600, "minute": 60}[window]
    most = DOCUMENT.limits()[window]
    api.clock.now += 7200
    await api.sign_in()
    start = api.clock.now
    for number in range(1, most):
        # spread over the window, so that no shorter one refuses
        api.clock.now = start + number * (seconds // 2) / most
        assert (await api.http.get(PATIENTS)).status_code == 200
    assert (await api.http.get(PATIENTS)).status_code == 429
    api.clock.now = start + seconds
    assert (await api.sign_in()).status_code == 200


async def test_the_limits_headers_count_as_the_example_does(api: Api) -> None:
    shown = DOCUMENT.limit_headers()
    api.clock.now = shown["X-RateLimit-Reset"] - 1800
    answer = await api.sign_in()
    assert {name: int(answer.headers[name]) for name in shown} == shown
