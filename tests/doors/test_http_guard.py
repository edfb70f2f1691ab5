"""The guard on a real socket: what a browser, a proxy or an attacker can put on the wire."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from bridge.errors import StoreBusy, StoreUnusable
from bridge.listeners import wire
from bridge.listeners.http import (
    Door,
    Lock,
    Refused,
    json_refusal,
    json_response,
    make_app,
    read_body,
    server_config,
)
from bridge.service.web import WebServer
from bridge.settings import Http
from tests.patience import PATIENCE

SETTINGS = Http(port=0, body=100_000, read_seconds=PATIENCE)
KEY = b"X-API-Key: the-key\r\n"
POST = b"POST /door HTTP/1.1\r\nHost: x\r\n"


class Room:
    """What is behind the door: notes the bodies it read and how reading them failed."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.refused: list[tuple[int, int]] = []
        self.failure: Exception | None = None
        self.settings = SETTINGS

    async def answer(self, request: Request) -> Response:
        if self.failure is not None:
            raise self.failure
        try:
            self.bodies.append(await read_body(request, self.settings))
        except Refused as refused:
            self.refused.append((refused.status, len(refused.head)))
            raise
        return json_response({"read": len(self.bodies[-1])})


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
async def port(room: Room) -> AsyncIterator[int]:
    async with listening(room, SETTINGS) as port:
        yield port


@pytest.fixture
async def hasty(room: Room) -> AsyncIterator[int]:
    """A door that soon gives up what does not come."""
    async with listening(room, SETTINGS.model_copy(update={"read_seconds": 1.0})) as port:
        yield port


@asynccontextmanager
async def listening(room: Room, settings: Http) -> AsyncIterator[int]:
    room.settings = settings
    lock = Lock(SecretStr("the-key"), "BRIDGE_DOOR__API_KEY", frozenset({"/door/open"}))
    doors = [
        Door("/door", room.answer, json_refusal, lock),
        Door("/shut", room.answer, json_refusal, Lock(None, "BRIDGE_SHUT__API_KEY")),
        Door("/empty", room.answer, json_refusal, Lock(SecretStr(""), "BRIDGE_EMPTY__API_KEY")),
    ]
    app = make_app(doors, Door("", room.answer, json_refusal))
    server = WebServer(server_config(app, settings))
    _, port = await server.start()
    yield port
    await server.stop()


async def ask(port: int, *parts: bytes) -> bytes:
    """Send the parts on one connection; what comes back until it is closed or answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    answer = await answered(reader)
    writer.close()
    return answer


async def answered(reader: asyncio.StreamReader) -> bytes:
    """One answer with its body, or what came before the connection was closed."""
    async with asyncio.timeout(PATIENCE):
        head = b""
        while b"\r\n\r\n" not in head:
            more = await reader.read(4096)
            if not more:
                return head
            head += more
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
        missing = size - len(head.partition(b"\r\n\r\n")[2])
        return head + (await reader.readexactly(missing) if missing > 0 else b"")


def status(answer: bytes) -> int:
    return int(answer[9:12])


def body(size: int) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % size + b"x" * size


@pytest.mark.parametrize(
    "key",
    [
        KEY,
        b"x-api-key: the-key\r\n",
        b"Authorization: Bearer the-key\r\n",
        b"Authorization: bearer the-key\r\n",
        b"Authorization: Basic eDp5\r\nX-API-Key: the-key\r\n",
    ],
)
async def test_the_key_opens_the_door(port: int, room: Room, key: bytes) -> None:
    assert status(await ask(port, POST + key + body(3))) == 200
    assert room.bodies == [b"xxx"]


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"X-API-Key: the-ke\r\n",
        b"X-API-Key: the-key2\r\n",
        b"X-API-Key:\r\n",
        b"X-API-Key: \xc3\xa9\r\n",
        b"Authorization: Bearer\r\n",
        b"Authorization: Bearer other\r\n",
        b"Authorization: Basic dGhlLWtleQ==\r\n",
        b"Authorization: the-key\r\n",
    ],
)
async def test_without_the_key_it_stays_shut(port: int, room: Room, key: bytes) -> None:
    answer = await ask(port, POST + key + body(3))
    assert status(answer) == 401
    assert b"www-authenticate: bearer" in answer.lower()
    assert room.bodies == []


@pytest.mark.parametrize("path", [b"/shut", b"/shut/x", b"/empty"])
@pytest.mark.parametrize("key", [b"", KEY, b"X-API-Key:\r\n", b"Authorization: Bearer \r\n"])
async def test_a_door_without_a_key_opens_to_nobody(
    port: int, room: Room, path: bytes, key: bytes
) -> None:
    answer = await ask(port, b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + key + body(3))
    assert status(answer) == 401
    assert room.bodies == []


async def test_a_shut_door_says_what_the_operator_must_set(port: int) -> None:
    answer = await ask(port, b"POST /shut HTTP/1.1\r\nHost: x\r\n" + KEY + body(0))
    assert b"BRIDGE_SHUT__API_KEY" in answer


@pytest.mark.parametrize("path", [b"/door/x", b"/%64oor", b"/door%2Fx", b"/door?a=1"])
async def test_no_writing_of_the_path_leads_round_the_key(port: int, path: bytes) -> None:
    assert status(await ask(port, b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + body(0))) == 401


async def test_an_open_path_is_read_without_the_key_and_not_written(port: int) -> None:
    rest = b" /door/open HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    assert status(await ask(port, b"GET" + rest)) == 200
    assert status(await ask(port, b"POST" + rest)) == 401


async def test_the_key_is_looked_at_before_the_body_comes(port: int) -> None:
    assert status(await ask(port, POST + b"Content-Length: 50000\r\n\r\n")) == 401
    expecting = b"Expect: 100-continue\r\nContent-Length: 50000\r\n\r\n"
    assert status(await ask(port, POST + expecting)) == 401


async def test_a_body_declared_too_large_is_not_read(port: int, room: Room) -> None:
    answer = await ask(port, POST + KEY + b"Content-Length: 100001\r\n\r\n")
    assert status(answer) == 413
    assert room.refused == [(413, 0)]


async def test_a_body_of_the_cap_is_read(port: int, room: Room) -> None:
    assert status(await ask(port, POST + KEY + body(SETTINGS.body))) == 200
    assert len(room.bodies[0]) == SETTINGS.body


async def test_a_sender_that_goes_on_sending_sees_the_answer(port: int) -> None:
    many = [b"x" * 65_536] * 200
    answer = await ask(port, POST + KEY + b"Content-Length: 13107200\r\n\r\n", *many)
    assert status(answer) == 413


async def test_what_comes_after_the_answer_is_not_taken_for_ever(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LINGER_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST + KEY + b"Content-Length: 999999999\r\n\r\nx")
    assert status(await answered(reader)) == 413
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(send_on(writer), PATIENCE)


async def send_on(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 1000)
        await writer.drain()
        await asyncio.sleep(0)


async def test_chunks_are_counted_while_they_come(port: int, room: Room) -> None:
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    head = POST + KEY + b"Transfer-Encoding: chunked\r\n\r\n"
    assert status(await ask(port, head, chunk, b"0\r\n\r\n")) == 200
    assert status(await ask(port, head, chunk, chunk, chunk, chunk)) == 413
    assert room.refused == [(413, 4096)]


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
    ],
)
async def test_two_lengths_or_a_doubtful_one_end_the_connection(
    port: int, room: Room, lengths: bytes
) -> None:
    smuggled = b"5\r\nhello\r\n0\r\n\r\nGET /door HTTP/1.1\r\nHost: x\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST + KEY + lengths + b"\r\n" + smuggled)
    async with asyncio.timeout(PATIENCE):
        everything = await reader.read()
    writer.close()
    assert status(everything) == 400
    assert everything.count(b"HTTP/1.1 ") == 1
    assert room.bodies == []


async def test_a_body_that_does_not_come_is_given_up(hasty: int, room: Room) -> None:
    answer = await ask(hasty, POST + KEY + b"Content-Length: 10\r\n\r\nhalf")
    assert status(answer) == 408
    assert b"connection: close" in answer.lower()
    assert room.refused == [(408, 4)]


async def test_a_head_that_does_not_come_is_given_up(hasty: int) -> None:
    assert await ask(hasty, b"POST /door HT") == b""
    assert await ask(hasty) == b""


@pytest.mark.parametrize("head", [POST + b"X: " + b"a" * 400_000, b"POST /" + b"a" * 400_000])
async def test_an_endless_head_is_refused(port: int, head: bytes) -> None:
    assert status(await ask(port, head)) == 431


@pytest.mark.parametrize(
    "junk", [b"\x00\x01\x02\r\n\r\n", b"\x0bMSH|^~\\&|A\r\x1c\r", b"\x16\x03\x01"]
)
async def test_what_is_not_http_is_refused_and_ended(port: int, junk: bytes) -> None:
    answer = await ask(port, junk)
    assert answer == b"" or status(answer) == 400


async def test_requests_follow_one_another_on_a_connection(port: int, room: Room) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in (1, 2, 3):
        writer.write(POST + KEY + body(number))
        assert status(await answered(reader)) == 200
    writer.write((POST + KEY + body(1)) * 2)
    first = await answered(reader)
    assert status(first) == 200
    writer.close()
    assert [len(each) for each in room.bodies[:3]] == [1, 2, 3]


async def test_a_sender_that_leaves_early_harms_nobody(port: int, room: Room) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST + KEY + b"Content-Length: 10\r\n\r\nhalf")
    await writer.drain()
    writer.close()
    assert status(await ask(port, POST + KEY + body(3))) == 200
    assert room.bodies == [b"xxx"]


@pytest.mark.parametrize("failure", [StoreBusy("full"), StoreUnusable("gone")])
async def test_what_the_store_cannot_keep_is_to_be_sent_again(
    port: int, room: Room, failure: Exception
) -> None:
    room.failure = failure
    answer = await ask(port, POST + KEY + body(3))
    assert status(answer) == 503
    assert b"retry-after: " in answer.lower()


async def test_a_failure_is_answered_500_and_tells_nothing_of_the_message(
    port: int, room: Room
) -> None:
    room.failure = ValueError("Asha Rao")
    answer = await ask(port, POST + KEY + body(3))
    assert status(answer) == 500
    assert b"Asha" not in answer
    room.failure = None
    assert status(await ask(port, POST + KEY + body(3))) == 200


async def test_no_url_is_logged(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await ask(port, b"PUT /door/MRN-4711 HTTP/1.1\r\nHost: x\r\n" + KEY + body(3))
    await ask(port, b"PUT /door/MRN-4711 HTTP/1.1\r\nHost: x\r\n" + body(3))
    assert "4711" not in caplog.text


async def test_every_answer_carries_the_security_headers_and_names_no_server(port: int) -> None:
    for request in (POST + KEY + body(3), POST + body(3)):
        answer = (await ask(port, request)).lower()
        assert b"x-content-type-options: nosniff" in answer
        assert b"cache-control: no-store" in answer
        assert b"content-security-policy: default-src 'none'" in answer
        assert b"\r\nserver:" not in answer
