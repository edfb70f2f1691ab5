from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import httpx
import pytest

from bridge.sandbox.accounts import Accounts
from bridge.sandbox.database import Database
from bridge.sandbox.serve import TEST_CLIENT
from bridge.zauto.contract import CLIENT_ID_PATTERN, CLIENT_SECRET_PATTERN, TOKEN_PATH

ASKED = {
    "grant_type": "client_credentials",
    "client_id": TEST_CLIENT.client_id,
    "client_secret": TEST_CLIENT.client_secret,
}


async def token(api: httpx.AsyncClient, **change: Any) -> httpx.Response:
    return await api.post(TOKEN_PATH, json=ASKED | change)


async def status_with(api: httpx.AsyncClient, access_token: str) -> int:
    headers = {"Authorization": f"Bearer {access_token}"}
    return (await api.get("/zauto-api/patients", headers=headers)).status_code


async def test_a_token_is_answered_as_the_document_shows(anyone: httpx.AsyncClient) -> None:
    answer = await token(anyone)
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert list(body) == ["access_token", "token_type", "expires_in", "refresh_token"]
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert await status_with(anyone, body["access_token"]) == 200


async def test_a_token_ends_after_an_hour(anyone: httpx.AsyncClient, clock: Any) -> None:
    access = (await token(anyone)).json()["access_token"]
    clock.now += 3599
    assert await status_with(anyone, access) == 200
    clock.now += 1
    assert await status_with(anyone, access) == 401


async def test_a_refresh_token_gives_a_new_token_once(anyone: httpx.AsyncClient) -> None:
    refresh = (await token(anyone)).json()["refresh_token"]
    renewed = await token(anyone, grant_type="refresh_token", refresh_token=refresh)
    assert renewed.status_code == 200
    assert await status_with(anyone, renewed.json()["access_token"]) == 200
    again = await token(anyone, grant_type="refresh_token", refresh_token=refresh)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_a_refresh_token_is_no_access_token(anyone: httpx.AsyncClient) -> None:
    assert await status_with(anyone, (await token(anyone)).json()["refresh_token"]) == 401


async def test_a_refresh_token_of_another_client_is_refused(
    anyone: httpx.AsyncClient, state: Database
) -> None:
    refresh = (await token(anyone)).json()["refresh_token"]
    other = Accounts(state).make("other")
    answer = await token(
        anyone,
        grant_type="refresh_token",
        refresh_token=refresh,
        client_id=other.client_id,
        client_secret=other.client_secret,
    )
    assert answer.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"client_secret": "zauto_wrong"}, 401, "invalid_client"),
        ({"client_id": "zauto_nobody_00000000"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"client_secret": 5}, 400, "invalid_request"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
    ],
)
async def test_a_refused_token_request_has_the_body_of_rfc_6749(
    anyone: httpx.AsyncClient, change: dict[str, Any], status: int, word: str
) -> None:
    answer = await token(anyone, **change)
    assert answer.status_code == status
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.json()["error"] == word


async def test_a_token_request_that_is_no_json_is_refused(anyone: httpx.AsyncClient) -> None:
    answer = await anyone.post(TOKEN_PATH, content=b"grant_type=client_credentials")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_made_client_has_the_documents_format_and_its_secret_is_not_kept(
    state: Database,
) -> None:
    made = Accounts(state).make("clinic")
    assert re.fullmatch(r"zauto_clinic_[0-9a-f]{8}", made.client_id)
    assert re.fullmatch(r"zauto_[0-9a-f]{64}", made.client_secret)
    assert Accounts(state).knows(made)
    assert made.client_secret not in "".join(state.db.iterdump())


async def test_no_token_is_kept_as_it_is(anyone: httpx.AsyncClient, state: Database) -> None:
    body = (await token(anyone)).json()
    kept = "".join(map(str, state.db.execute("SELECT * FROM tokens").fetchall()))
    assert body["access_token"] not in kept
    assert body["refresh_token"] not in kept


async def test_a_client_is_made_by_name_and_its_secret_told_once(
    anyone: httpx.AsyncClient, state: Database
) -> None:
    made = await anyone.post("/sandbox/clients", json={"name": "st-marys"})
    client = made.json()
    assert made.status_code == 201
    assert re.fullmatch(CLIENT_ID_PATTERN, client["client_id"])
    assert client["client_id"].startswith("zauto_st-marys_")
    assert re.fullmatch(CLIENT_SECRET_PATTERN, client["client_secret"])
    assert (await token(anyone, **client)).status_code == 200
    kept = "".join(str(row) for row in state.db.execute("SELECT * FROM clients"))
    assert client["client_secret"] not in kept


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"name": 5}', b'{"name": "a", "read_only": 1}', b'{"name": "a b"}'],
)
async def test_a_client_without_a_good_name_is_refused(
    anyone: httpx.AsyncClient, body: bytes
) -> None:
    assert (await anyone.post("/sandbox/clients", content=body)).status_code == 400


async def test_a_read_only_client_may_read_and_not_write(anyone: httpx.AsyncClient) -> None:
    made = await anyone.post("/sandbox/clients", json={"name": "viewer", "read_only": True})
    granted = (await token(anyone, **made.json())).json()
    anyone.headers["Authorization"] = f"Bearer {granted['access_token']}"
    assert (await anyone.get("/zauto-api/patients")).status_code == 200
    assert (await anyone.get("/zauto-api/patients/test-patient-001")).status_code == 200
    for method, path in (
        ("POST", "/zauto-api/providers"),
        ("PUT", "/zauto-api/providers/test-provider-001"),
        ("DELETE", "/zauto-api/providers/test-provider-001"),
    ):
        answer = await anyone.request(method, path, json={"id": "d1", "fullName": "Dr. Rao"})
        assert (answer.status_code, answer.json().get("errorCode")) == (403, None)
        assert answer.json()["status"] == "error"


async def test_revoked_tokens_are_invalid_of_one_client_or_of_all(
    anyone: httpx.AsyncClient, state: Database
) -> None:
    other = Accounts(state).make("other")
    ours = (await token(anyone)).json()
    theirs = (await token(anyone, **asdict(other))).json()
    revoked = await anyone.post(f"/sandbox/tokens/revoke?client={other.client_id}")
    assert revoked.json() == {"revoked": 2}
    assert await status_with(anyone, theirs["access_token"]) == 401
    assert await status_with(anyone, ours["access_token"]) == 200
    await anyone.post("/sandbox/tokens/revoke")
    assert await status_with(anyone, ours["access_token"]) == 401
    refreshed = await token(anyone, grant_type="refresh_token", refresh_token=ours["refresh_token"])
    assert refreshed.json()["error"] == "invalid_grant"
