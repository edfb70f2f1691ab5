"""An API in memory with a clock that only the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from bridge.sandbox.accounts import Accounts
from bridge.sandbox.app import make_app
from bridge.sandbox.database import Database
from bridge.sandbox.faults import Plan
from bridge.sandbox.limits import RequestLimits
from bridge.sandbox.parts import Options
from bridge.sandbox.serve import TEST_CLIENT
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import Catalogue, load
from bridge.zauto.contract import TOKEN_PATH


@dataclass
class Clock:
    #: 2024-01-15T10:30:00Z
    now: float = 1705314600.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load(mappings_folder() / "zauto")


@pytest.fixture
def state() -> Iterator[Database]:
    state = Database()
    yield state
    state.close()


@pytest.fixture
def limits() -> RequestLimits | None:
    return None


@pytest.fixture
def plan() -> Plan | None:
    return None


@dataclass
class Sleep:
    """Goes on when the test lets it."""

    asked: list[float] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.over.wait()


@pytest.fixture
def sleep() -> Sleep:
    return Sleep()


@pytest.fixture
async def anyone(
    catalogue: Catalogue,
    state: Database,
    clock: Clock,
    limits: RequestLimits | None,
    plan: Plan | None,
    sleep: Sleep,
) -> AsyncIterator[httpx.AsyncClient]:
    """A caller without a token."""
    Accounts(state).add(TEST_CLIENT)
    app = make_app(catalogue, state, Options(limits, plan=plan, clock=clock, sleep=sleep))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        yield client


@pytest.fixture
async def api(anyone: httpx.AsyncClient) -> httpx.AsyncClient:
    """A caller with one."""
    asked = {
        "grant_type": "client_credentials",
        "client_id": TEST_CLIENT.client_id,
        "client_secret": TEST_CLIENT.client_secret,
    }
    answer = await anyone.post(TOKEN_PATH, json=asked)
    anyone.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return anyone
