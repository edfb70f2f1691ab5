from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sandbox.accounts import Accounts
from bridge.sandbox.app import make_app
from bridge.sandbox.database import Database
from bridge.sandbox.limits import Limiter, Quota, RequestLimits
from bridge.sandbox.parts import Options
from bridge.zauto.catalogue import Catalogue
from bridge.zauto.contract import TOKEN_PATH

#: a full hour
START = 1642244400


def test_every_request_is_told_the_hours_window() -> None:
    assert Limiter(RequestLimits()).take("a", START + 1) == Quota(True, 1000, 999, 1642248000)


def test_the_101st_request_of_a_minute_is_refused_until_the_minute_ends() -> None:
    limiter = Limiter(RequestLimits())
    for _ in range(100):
        assert limiter.take("a", START + 5).allowed
    assert limiter.take("a", START + 59) == Quota(False, 100, 0, START + 60)
    assert limiter.take("a", START + 60).allowed


def test_the_1001st_request_of_an_hour_is_refused_until_the_hour_ends() -> None:
    limiter = Limiter(RequestLimits())
    for number in range(1000):
        assert limiter.take("a", START + 60 * (number // 100)).allowed
    assert limiter.take("a", START + 1800) == Quota(False, 1000, 0, START + 3600)
    assert limiter.take("a", START + 3600).remaining == 999


def test_clients_are_counted_apart() -> None:
    limiter = Limiter(RequestLimits(hour=1, minute=1))
    assert limiter.take("a", START).allowed
    assert limiter.take("b", START).allowed
    assert not limiter.take("a", START).allowed


@given(st.lists(st.floats(min_value=0, max_value=90), max_size=200))
def test_no_window_ever_lets_more_through_than_its_limit(waits: list[float]) -> None:
    limiter = Limiter(RequestLimits(hour=20, minute=3))
    now, let = float(START), []
    for wait in waits:
        now += wait
        if limiter.take("a", now).allowed:
            let.append(int(now))
    assert all([at // 60 for at in let].count(minute // 60) <= 3 for minute in let)
    assert all([at // 3600 for at in let].count(hour // 3600) <= 20 for hour in let)


class TestOverHttp:
    @pytest.fixture
    def limits(self) -> RequestLimits:
        return RequestLimits(hour=4, minute=3)

    async def test_the_headers_count_token_requests_too(self, api: httpx.AsyncClient) -> None:
        answer = await api.get("/zauto-api/patients")
        assert answer.headers["X-RateLimit-Limit"] == "4"
        assert answer.headers["X-RateLimit-Remaining"] == "2"
        assert answer.headers["X-RateLimit-Reset"] == "1705316400"

    async def test_a_request_over_the_limit_is_answered_429(
        self, api: httpx.AsyncClient, clock: Any
    ) -> None:
        for _ in range(2):
            assert (await api.get("/zauto-api/patients")).status_code == 200
        answer = await api.post("/zauto-api/providers", json={"id": "x", "fullName": "Dr. Rao"})
        assert answer.status_code == 429
        assert answer.json()["errorCode"] == "RATE_LIMIT_EXCEEDED"
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        assert answer.headers["X-RateLimit-Reset"] == "1705314660"
        assert answer.headers["Date"] == "Mon, 15 Jan 2024 10:30:00 GMT"
        clock.now += 60
        assert (await api.get("/zauto-api/providers/x")).status_code == 404

    async def test_callers_without_a_token_have_headers_and_a_limit(
        self, anyone: httpx.AsyncClient
    ) -> None:
        statuses = [(await anyone.get("/zauto-api/patients")).status_code for _ in range(4)]
        assert statuses == [401, 401, 401, 429]
        assert (await anyone.get("/elsewhere")).headers["X-RateLimit-Limit"] == "3"

    async def test_a_wrong_secret_does_not_use_up_the_clients_limit(
        self, anyone: httpx.AsyncClient, state: Database
    ) -> None:
        client = Accounts(state).make("victim")
        asked = {"grant_type": "client_credentials", "client_id": client.client_id}
        for _ in range(4):
            await anyone.post(TOKEN_PATH, json=asked | {"client_secret": "guess"})
        right = await anyone.post(TOKEN_PATH, json=asked | {"client_secret": client.client_secret})
        assert right.status_code == 200


async def test_without_limits_there_are_no_headers(catalogue: Catalogue, state: Database) -> None:
    app = make_app(catalogue, state, Options(limits=None))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://sandbox"
    ) as anyone:
        answer = await anyone.get("/zauto-api/patients")
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]
