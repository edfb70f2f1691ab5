"""A sandbox in memory whose clock stands where the document's answers were made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import pytest

from bridge.sandbox import push
from bridge.sandbox.accounts import Accounts, ClientCredentials
from bridge.sandbox.app import make_app
from bridge.sandbox.database import Database
from bridge.sandbox.faults import Plan
from bridge.sandbox.parts import Options
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import load
from bridge.zauto.contract import TOKEN_PATH
from tests.acceptance.published.document import published
from tests.patience import PATIENCE


@dataclass
class Clock:
    now: float

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Api:
    """The sandbox and one client of it, with the document's limits."""

    http: httpx.AsyncClient
    state: Database
    clock: Clock
    client: ClientCredentials
    partner: Partner

    async def sign_in(self, client: ClientCredentials | None = None) -> httpx.Response:
        """Ask for a token and use it from now on."""
        who = client or self.client
        asked = {"grant_type": "client_credentials"}
        asked |= {"client_id": who.client_id, "client_secret": who.client_secret}
        answer = await self.http.post(TOKEN_PATH, json=asked)
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer


@pytest.fixture
def clock() -> Clock:
    shown = published().example("Response (201 Created)")["data"]["createdAt"]
    return Clock(datetime.fromisoformat(shown).timestamp())


@pytest.fixture
def state() -> Iterator[Database]:
    state = Database()
    yield state
    state.close()


@dataclass
class Partner:
    """Whom orders are pushed to: keeps what it is sent."""

    url: str = ""
    asked: list[bytes] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        self.asked.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()


@pytest.fixture
async def partner() -> AsyncIterator[Partner]:
    partner = Partner()
    server = await asyncio.start_server(partner.talk, "127.0.0.1", 0)
    partner.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield partner
    server.close()


@pytest.fixture
async def api(state: Database, clock: Clock, partner: Partner) -> AsyncIterator[Api]:
    app = make_app(
        load(mappings_folder() / "zauto"),
        state,
        # plays no fault but for the request that asks for one
        Options(partner=push.Partner(partner.url), plan=Plan(), clock=clock),
    )
    client = Accounts(state).make("hospital")
    async with httpx.AsyncClient(
        timeout=PATIENCE, transport=httpx.ASGITransport(app), base_url="http://sandbox"
    ) as http:
        api = Api(http, state, clock, client, partner)
        await api.sign_in()
        yield api
