"""What stands between the bridge and the sandbox: writes down each request, and plays faults.

Plain asyncio and its own reading of HTTP/1.1, so that it can do what no server does on purpose.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

from tests.acceptance.processes import until
from tests.patience import PATIENCE


@dataclass(slots=True)
class Asked:
    """One request of the bridge, and how it was answered."""

    method: str
    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    #: the bridge's run that sent it, from 0
    run: int
    began: float = field(default_factory=time.time)
    #: when it was answered or the bridge hung up
    ended: float | None = None
    status: int | None = None

    @property
    def resource(self) -> str:
        """`patients`; "" for the token."""
        parts = self.path.split("/")
        return parts[2] if parts[1] == "zauto-api" else ""

    @property
    def external_id(self) -> str:
        """The record's id, from the path or, for a POST, the body."""
        parts = self.path.split("/", 3)
        return unquote(parts[3]) if len(parts) > 3 and self.resource else str(self.body.get("id"))


@dataclass(frozen=True, slots=True)
class Said:
    """An answer's status, headers and body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    #: bytes of the body that are promised and never sent
    cut: int = 0


#: has the sandbox do what was asked
Forward = Callable[[], Awaitable[Said]]
#: returns once the bridge has closed the connection
HungUp = Callable[[], Awaitable[None]]
#: answers one request in place of the sandbox; None closes without an answer
Fault = Callable[[Forward, HungUp], Awaitable[Said | None]]


class Relay:
    """One listening port in front of a sandbox."""

    def __init__(self, sandbox_url: str) -> None:
        self.asked: list[Asked] = []
        self.run = 0
        self.url = ""
        self._faults: list[tuple[str, str, str, Fault]] = []
        self._sandbox = httpx.AsyncClient(base_url=sandbox_url, trust_env=False, timeout=PATIENCE)
        self._talks: set[asyncio.Task[None]] = set()

    def plan(self, method: str, resource: str, *faults: Fault, of: str = "") -> None:
        """Answer the next such requests so, one each; `resource` "" is the token, `of` an id."""
        self._faults += [(method, resource, of, fault) for fault in faults]

    def of(self, resource: str, external_id: str) -> list[Asked]:
        """The requests about one record, in the order of their arrival."""
        return [a for a in self.asked if (a.resource, a.external_id) == (resource, external_id)]

    def methods(self, resource: str, external_id: str) -> list[str]:
        """Their methods."""
        return [asked.method for asked in self.of(resource, external_id)]

    async def next_run(self) -> None:
        """The bridge was killed: once all it still sent is served, what comes is a new run's."""
        await until(lambda: not self._talks, "the connections of a killed bridge end")
        self.run += 1

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def close(self) -> None:
        """End every connection."""
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        await self._sandbox.aclose()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        method, path, headers, body = await _read(reader)
        asked = Asked(method, path, json.loads(body) if body else {}, headers, self.run)
        self.asked.append(asked)

        async def forward() -> Said:
            sent = {k: v for k, v in headers.items() if k in ("authorization", "content-type")}
            answer = await self._sandbox.request(method, path, content=body, headers=sent)
            return Said(answer.status_code, answer.content, {"Content-Type": "application/json"})

        async def hung_up() -> None:
            await reader.read()

        fault = self._fault(asked)
        try:
            said = await (fault(forward, hung_up) if fault else forward())
        finally:
            asked.ended = time.time()
        if said is None:
            return False
        asked.status = said.status
        writer.write(_written(said))
        await writer.drain()
        return not said.cut

    def _fault(self, asked: Asked) -> Fault | None:
        for planned in self._faults:
            method, resource, of, fault = planned
            if (asked.method, asked.resource) == (method, resource) and of in (
                "",
                asked.external_id,
            ):
                self._faults.remove(planned)
                return fault
        return None


@asynccontextmanager
async def relaying(sandbox_url: str) -> AsyncIterator[Relay]:
    """A relay in this event loop, on a free port."""
    relay = Relay(sandbox_url)
    server = await asyncio.start_server(relay.talk, "127.0.0.1", 0)
    relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        server.close()
        await relay.close()


async def _read(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return method, path, headers, await reader.readexactly(int(headers.get("content-length", 0)))


def _written(said: Said) -> bytes:
    length = len(said.body) + said.cut
    headers = {**said.headers, "Content-Length": str(length)}
    lines = [f"HTTP/1.1 {said.status} Said", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + said.body


# The faults.


def say(status: int, body: object = None, **headers: str) -> Fault:
    """Answer this, and let the sandbox know nothing of it; `retry_after="1"` is a header."""
    content = body if isinstance(body, bytes) else json.dumps(body or {"status": "error"}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    said = Said(status, content, {"Content-Type": "application/json"} | named)

    async def fault(forward: Forward, hung_up: HungUp) -> Said:
        return said

    return fault


async def never_arrive(forward: Forward, hung_up: HungUp) -> None:
    """The request is lost, and the connection with it."""


async def answer_lost(forward: Forward, hung_up: HungUp) -> None:
    """The sandbox does it, and the connection is lost before the answer."""
    await forward()


def in_flight(fault: Fault) -> Fault:
    """The same, but the connection stays open until the bridge hangs up."""

    async def held(forward: Forward, hung_up: HungUp) -> Said | None:
        said = await fault(forward, hung_up)
        await hung_up()
        return said

    return held


async def arrive_late(forward: Forward, hung_up: HungUp) -> None:
    """The sandbox does it only after the bridge has given up waiting."""
    await hung_up()
    await forward()


async def cut_answer(forward: Forward, hung_up: HungUp) -> Said:
    """The sandbox does it, and its answer breaks off."""
    said = await forward()
    return Said(said.status, said.body[:-20], said.headers, cut=20)


async def answer_for_another(forward: Forward, hung_up: HungUp) -> Said:
    """The sandbox does it, and the answer names another record."""
    said = await forward()
    body = json.loads(said.body)
    body["data"]["externalId"] = "SOMEONE-ELSE"
    return Said(said.status, json.dumps(body).encode(), said.headers)


def change_then_lose(sandbox_put: Callable[[], Awaitable[None]]) -> Fault:
    """The sandbox does it, somebody changes the record, and the connection is lost."""

    async def fault(forward: Forward, hung_up: HungUp) -> None:
        await forward()
        await sandbox_put()

    return fault
