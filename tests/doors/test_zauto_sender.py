"""The sender against a server that answers as oddly as networks do."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest
import trustme

from bridge.delivery import Kind, NetworkFault, Outcome, Reason, Request
from bridge.errors import SettingsError, StoreBusy
from bridge.senders.exchange import BODY_CAP
from bridge.senders.zauto import MOST_PAGES, ZautoSender
from bridge.settings import Zauto
from bridge.zauto.catalogue import load
from tests.patience import PATIENCE

CATALOGUE = load(Path(__file__).parents[2] / "mappings" / "zauto")
GET = Request("GET", "patients", "P1", None)
POST = Request("POST", "patients", "P1", {"id": "P1", "fullName": "Zoë आशा"})
PUT = Request("PUT", "patients", "P1", {"fullName": "Zoë"})
SUCCESS = {"status": "success", "data": {"externalId": "P1"}}
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    #: which connection it came by
    connection: int


Answering = Callable[[asyncio.StreamWriter, "Seen"], Awaitable[None]]


def http(status: int, body: Any = b"", **headers: str) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Date: {DATE}", f"Content-Length: {len(raw)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def say(status: int, body: Any = b"", **headers: str) -> Answering:
    return write(http(status, body, **headers))


def write(raw: bytes, *, hang_up: bool = False) -> Answering:
    async def answer(writer: asyncio.StreamWriter, _seen: Seen) -> None:
        writer.write(raw)
        if hang_up:
            await writer.drain()
            writer.close()

    return answer


async def reset(writer: asyncio.StreamWriter, _seen: Seen) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


async def silence(_writer: asyncio.StreamWriter, _seen: Seen) -> None:
    """Read the request and never answer."""


async def drip(writer: asyncio.StreamWriter, _seen: Seen) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await asyncio.sleep(0.005)


@dataclass
class Server:
    """Gives tokens `t1`, `t2`, … and answers the rest as `answers` say, in order."""

    answers: list[Answering] = field(default_factory=list)
    tokens: list[Answering] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    granted: int = 0
    connections: int = 0
    port: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def grants(self) -> list[str]:
        return [each.body["grant_type"] for each in self.seen if "oAuth" in each.path]

    @property
    def calls(self) -> list[Seen]:
        return [each for each in self.seen if "oAuth" not in each.path]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            while not writer.is_closing():
                seen = await _read(reader, connection)
                self.seen.append(seen)
                await self._next(seen)(writer, seen)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _next(self, seen: Seen) -> Answering:
        if "oAuth" in seen.path:
            return self.tokens.pop(0) if self.tokens else self._grant()
        return self.answers.pop(0) if self.answers else say(200, SUCCESS)

    def _grant(self, **more: Any) -> Answering:
        self.granted += 1
        token = {"access_token": f"t{self.granted}", "refresh_token": "r", "expires_in": 3600}
        return say(200, token | more)


async def _read(reader: asyncio.StreamReader, connection: int) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(method, path, headers, json.loads(raw) if raw else None, connection)


@dataclass
class Clock:
    """Seconds that pass when told to."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    async with _listening(server, None):
        yield server


@asynccontextmanager
async def _listening(server: Server, context: ssl.SSLContext | None) -> AsyncIterator[None]:
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    yield
    listener.close()
    for task in list(server.tasks):
        task.cancel()
    await asyncio.gather(*server.tasks, return_exceptions=True)
    await listener.wait_closed()


@dataclass
class Sending:
    """A sender with its clock and what it reported as spent."""

    sender: ZautoSender
    monotonic: Clock
    spent: list[Mapping[str, str]]

    async def __call__(self, request: Request) -> Outcome:
        return await self.sender.send(request)


async def nothing() -> None:
    """What is awaited before a request leaves."""


def sending(
    port: int,
    *,
    scheme: str = "http",
    path: str = "",
    leaving: Callable[[], Awaitable[None]] = nothing,
    **settings: Any,
) -> Sending:
    spent: list[Mapping[str, str]] = []
    monotonic = Clock()
    sender = ZautoSender(
        Zauto.model_validate(
            {
                "base_url": f"{scheme}://127.0.0.1:{port}{path}",
                "client_id": "zauto_city_00000000",
                "client_secret": "hush",
                "deadline_seconds": PATIENCE,
                "connect_seconds": PATIENCE,
                **settings,
            }
        ),
        CATALOGUE,
        monotonic=monotonic,
        clock=Clock(1_800_000_000.0),
        spent=spent.append,
        leaving=leaving,
    )
    return Sending(sender, monotonic, spent)


@pytest.fixture
async def send(server: Server) -> AsyncIterator[Sending]:
    sending_ = sending(server.port)
    yield sending_
    await sending_.sender.close()


@pytest.fixture
async def hasty(server: Server) -> AsyncIterator[Sending]:
    """A sender whose deadline comes soon; its token is there already."""
    sending_ = sending(server.port, deadline_seconds=2)
    await sending_(GET)
    yield sending_
    await sending_.sender.close()


async def test_a_request_carries_token_body_and_nothing_odd(server: Server, send: Sending) -> None:
    server.answers = [say(201, SUCCESS)]
    outcome = await send(POST)
    assert (outcome.kind, outcome.reason, outcome.status) == (
        Kind.DELIVERED,
        Reason.ACCEPTED,
        201,
    )
    token, call = server.seen
    assert (token.path, token.body) == (
        "/api/auth/oAuth/token",
        {
            "grant_type": "client_credentials",
            "client_id": "zauto_city_00000000",
            "client_secret": "hush",
        },
    )
    assert "authorization" not in token.headers
    assert (call.method, call.path, call.body) == ("POST", "/zauto-api/patients", POST.body)
    assert call.headers["authorization"] == "Bearer t1"
    assert call.headers["content-type"] == "application/json"
    assert call.headers["accept-encoding"] == "identity"


async def test_one_token_and_one_connection_serve_many_calls(server: Server, send: Sending) -> None:
    for request in (POST, GET, PUT):
        assert (await send(request)).kind is Kind.DELIVERED
    assert server.grants == ["client_credentials"]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("external_id", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("a b?c#d", "a%20b%3Fc%23d"),
        ("50%", "50%25"),
        ("..", "%2E%2E"),
        ("आ", "%E0%A4%86"),
        ("//evil.example", "%2F%2Fevil%2Eexample"),
        ("a\r\nX: y", "a%0D%0AX%3A%20y"),
    ],
)
async def test_an_external_id_is_one_path_segment(
    server: Server, send: Sending, external_id: str, segment: str
) -> None:
    server.answers = [say(200, {"status": "success", "data": {"externalId": external_id}})]
    outcome = await send(Request("GET", "patients", external_id, None))
    assert outcome.reason is Reason.FOUND
    assert server.calls[0].path == f"/zauto-api/patients/{segment}"


async def test_a_base_url_may_have_a_path(server: Server) -> None:
    send = sending(server.port, path="/gateway/")
    await send(GET)
    assert [each.path for each in server.seen] == [
        "/gateway/api/auth/oAuth/token",
        "/gateway/zauto-api/patients/P1",
    ]
    await send.sender.close()


@pytest.mark.parametrize(
    "answer",
    [
        say(200, b"<html>Welcome</html>", content_type="text/html"),
        say(200, b""),
        say(200, b" " * (BODY_CAP + 1)),
        say(200, gzip.compress(json.dumps(SUCCESS).encode()), content_encoding="gzip"),
        write(b"HTTP/1.1 201 Created\r\n\r\n" + json.dumps(SUCCESS).encode()[:-3], hang_up=True),
        write(http(201, SUCCESS)[:-3], hang_up=True),
    ],
    ids=["html", "empty", "huge", "gzip", "cut without length", "cut"],
)
async def test_a_success_that_cannot_be_read_leaves_the_effect_unknown(
    server: Server, send: Sending, answer: Answering
) -> None:
    server.answers = [answer]
    outcome = await send(PUT)
    assert (outcome.kind, outcome.reason) == (Kind.UNKNOWN, Reason.UNREADABLE_ANSWER)
    assert (await send(PUT)).kind is Kind.DELIVERED


async def test_an_endless_answer_is_cut_at_the_cap(server: Server, send: Sending) -> None:
    async def endless(writer: asyncio.StreamWriter, _seen: Seen) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" " * 65_536)
            await writer.drain()

    server.answers = [endless]
    assert (await send(PUT)).reason is Reason.UNREADABLE_ANSWER


@pytest.mark.parametrize(
    "answer",
    [
        reset,
        write(b"", hang_up=True),
        write(b"HTTP/1.1 2", hang_up=True),
        write(b"SSH-2.0\r\n\r\n"),
    ],
    ids=["reset", "hung up", "cut head", "not HTTP"],
)
async def test_a_connection_that_breaks_after_the_request_is_no_answer(
    server: Server, send: Sending, answer: Answering
) -> None:
    server.answers = [answer]
    outcome = await send(PUT)
    assert (outcome.kind, outcome.reason) == (Kind.UNKNOWN, Reason.NO_ANSWER)
    assert outcome.fault is NetworkFault.CLOSED
    assert (await send(PUT)).kind is Kind.DELIVERED


async def test_silence_ends_at_the_deadline(server: Server, hasty: Sending) -> None:
    server.answers = [silence]
    outcome = await hasty(PUT)
    assert (outcome.kind, outcome.reason) == (Kind.UNKNOWN, Reason.NO_ANSWER)
    assert outcome.fault is NetworkFault.TIMEOUT


async def test_a_drip_ends_at_the_deadline(server: Server, hasty: Sending) -> None:
    server.answers = [drip]
    outcome = await hasty(PUT)
    assert (outcome.kind, outcome.status) == (Kind.UNKNOWN, 200)


async def test_a_connection_that_was_given_up_is_not_used_again(
    server: Server, hasty: Sending
) -> None:
    server.answers = [silence, say(200, SUCCESS)]
    await hasty(PUT)
    assert (await hasty(PUT)).kind is Kind.DELIVERED
    assert server.calls[-1].connection != server.calls[-2].connection


async def test_waiting_for_a_token_past_the_deadline_sent_nothing(server: Server) -> None:
    send = sending(server.port, deadline_seconds=0.1)
    server.tokens = [silence]
    outcome = await send(PUT)
    assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNREACHABLE)
    assert outcome.fault is NetworkFault.TIMEOUT
    assert server.calls == []
    await send.sender.close()


async def test_a_refused_connection_sent_nothing() -> None:
    nobody = Server()
    async with _listening(nobody, None):
        port = nobody.port
    send = sending(port)
    outcome = await send(PUT)
    assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNREACHABLE)
    assert outcome.fault is NetworkFault.REFUSED
    assert send.spent == []
    await send.sender.close()


async def test_an_unknown_host_sent_nothing() -> None:
    send = sending(1, base_url="http://zauto.invalid:1")
    outcome = await send(PUT)
    assert (outcome.reason, outcome.fault) == (Reason.UNREACHABLE, NetworkFault.DNS)
    assert send.spent == []
    await send.sender.close()


async def test_a_server_that_goes_away_between_calls_was_sent_nothing(server: Server) -> None:
    gone = Server()
    async with _listening(gone, None):
        send = sending(gone.port)
        assert (await send(PUT)).kind is Kind.DELIVERED
        gone.answers = [write(http(200, SUCCESS), hang_up=True)]
        assert (await send(PUT)).kind is Kind.DELIVERED
    outcome = await send(PUT)
    assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNREACHABLE)
    assert outcome.fault is NetworkFault.REFUSED
    await send.sender.close()


async def test_a_certificate_that_is_not_trusted_sent_nothing() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = Server()
    async with _listening(server, context):
        send = sending(server.port, scheme="https")
        outcome = await send(PUT)
        assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.CERTIFICATE)
        assert outcome.fault is NetworkFault.TLS
        assert server.seen == []
        assert send.spent == []
        await send.sender.close()


async def test_a_server_without_tls_where_tls_is_expected_sent_nothing(server: Server) -> None:
    send = sending(server.port, scheme="https", connect_seconds=0.1)
    assert (await send(PUT)).reason is Reason.UNREACHABLE
    await send.sender.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 smtp\r\n", b""])
async def test_a_server_that_does_not_speak_tls_is_named(answer: bytes) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    send = sending(server.sockets[0].getsockname()[1], scheme="https")
    outcome = await send(PUT)
    server.close()
    assert (outcome.reason, outcome.fault) == (Reason.UNREACHABLE, NetworkFault.TLS)
    assert send.spent == []
    await send.sender.close()


async def test_a_redirect_is_never_followed(server: Server, send: Sending) -> None:
    server.answers = [say(307, location=f"http://127.0.0.1:{server.port}/elsewhere")]
    assert (await send(PUT)).reason is Reason.REDIRECTED
    assert len(server.calls) == 1


async def test_cookies_are_not_kept(server: Server, send: Sending) -> None:
    server.answers = [say(200, SUCCESS, set_cookie="session=1; Path=/")]
    await send(PUT)
    await send(PUT)
    assert "cookie" not in server.calls[-1].headers


async def test_proxies_of_the_environment_are_not_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    send = sending(server.port)
    assert (await send(PUT)).kind is Kind.DELIVERED
    await send.sender.close()


async def test_the_limit_headers_and_every_call_reach_the_budget(
    server: Server, hasty: Sending
) -> None:
    hasty.spent.clear()
    server.answers = [say(200, SUCCESS, X_RateLimit_Remaining="7"), silence]
    await hasty(PUT)
    await hasty(PUT)
    answered, unanswered = hasty.spent
    assert answered["x-ratelimit-remaining"] == "7"
    assert unanswered == {}


async def test_token_calls_are_spent_too(server: Server, send: Sending) -> None:
    await send(PUT)
    assert len(send.spent) == len(server.seen) == 2


class TestLeaving:
    async def test_is_told_before_each_request_reaches_the_server(self, server: Server) -> None:
        seen: list[int] = []

        async def leaving() -> None:
            await asyncio.sleep(0.01)
            seen.append(len(server.seen))

        send = sending(server.port, leaving=leaving)
        await send(PUT)
        await send(PUT)
        assert seen == [0, 1, 2]
        assert len(send.spent) == len(server.seen) == 3
        await send.sender.close()

    async def test_is_not_told_where_nothing_leaves(self) -> None:
        told: list[int] = []

        async def leaving() -> None:
            told.append(1)

        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        send = sending(port, leaving=leaving)
        outcome = await send(PUT)
        assert (outcome.reason, told, send.spent) == (Reason.UNREACHABLE, [], [])
        await send.sender.close()

    async def test_nothing_leaves_where_the_store_cannot_count_it(self, server: Server) -> None:
        async def leaving() -> None:
            raise StoreBusy("the disk is full")

        send = sending(server.port, leaving=leaving)
        outcome = await send(PUT)
        assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNREACHABLE)
        assert (send.spent, server.seen) == ([], [])
        await send.sender.close()


class TestLookingUpInTheList:
    def page(self, *ids: str, more: bool = False) -> Answering:
        data = [{"externalId": each} for each in ids]
        return say(200, {"status": "success", "data": data, "pagination": {"hasNext": more}})

    async def test_goes_from_page_to_page(self, server: Server, send: Sending) -> None:
        server.answers = [self.page("P11", "P12", more=True), self.page("P1")]
        outcome = await send(Request("GET", "patients", "P1", None, by_list=True))
        assert outcome.reason is Reason.FOUND
        assert [call.path for call in server.calls] == [
            "/zauto-api/patients?page=1&limit=100&search=P1",
            "/zauto-api/patients?page=2&limit=100&search=P1",
        ]
        assert len(send.spent) == 3

    async def test_ends_after_some_pages(self, server: Server, send: Sending) -> None:
        server.answers = [self.page("P11", more=True) for _ in range(MOST_PAGES)]
        outcome = await send(Request("GET", "patients", "P 1&x", None, by_list=True))
        assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNREADABLE_ANSWER)
        assert len(server.calls) == MOST_PAGES
        assert server.calls[0].path.endswith("search=P%201%26x")


class TestCredentials:
    """The secret and the token go to the configured origin and to no other."""

    @pytest.fixture
    async def elsewhere(self) -> AsyncIterator[Server]:
        other = Server()
        async with _listening(other, None):
            yield other

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    @pytest.mark.parametrize("what", ["token", "call"])
    async def test_do_not_follow_a_redirect(
        self, server: Server, elsewhere: Server, send: Sending, status: int, what: str
    ) -> None:
        redirect = say(status, location=f"http://127.0.0.1:{elsewhere.port}/")
        (server.tokens if what == "token" else server.answers).append(redirect)
        outcome = await send(PUT)
        assert outcome.reason is Reason.REDIRECTED
        assert elsewhere.seen == []
        assert outcome.kind is (Kind.TRANSIENT if what == "token" else Kind.UNKNOWN)

    @pytest.mark.parametrize("external_id", ["@evil.example/x", "//evil.example/x", "http://e/x"])
    async def test_are_not_led_away_by_an_external_id(
        self, server: Server, send: Sending, external_id: str
    ) -> None:
        await send(Request("GET", "patients", external_id, None))
        assert server.calls[-1].path.startswith("/zauto-api/patients/")
        assert server.calls[-1].headers["host"] == f"127.0.0.1:{server.port}"


def test_the_documented_bounds_are_the_usual_ones() -> None:
    usual = Zauto()
    assert (usual.deadline_seconds, usual.connect_seconds, BODY_CAP) == (40, 5, 1024 * 1024)


async def test_a_host_that_does_not_take_the_connection_is_given_up_early() -> None:
    """A listening socket whose queue is full answers nothing."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        send = sending(full.getsockname()[1], connect_seconds=0.1, deadline_seconds=1000)
        outcome = await send(PUT)
        assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNREACHABLE)
        assert outcome.fault is NetworkFault.TIMEOUT
        assert send.spent == []
        await send.sender.close()


class TestTheToken:
    async def test_is_asked_for_once_for_all_who_wait(self, server: Server, send: Sending) -> None:
        outcomes = await asyncio.gather(*(send(PUT) for _ in range(8)))
        assert {outcome.kind for outcome in outcomes} == {Kind.DELIVERED}
        assert server.grants == ["client_credentials"]

    async def test_is_renewed_before_it_ends_while_calls_go_on(
        self, server: Server, send: Sending
    ) -> None:
        await send(PUT)
        send.monotonic.now += 3545
        await send(PUT)
        await _until(lambda: len(send.spent) == 4)
        await send(PUT)
        assert server.grants == ["client_credentials", "refresh_token"]
        assert server.calls[-1].headers["authorization"] == "Bearer t2"

    async def test_is_waited_for_when_it_has_ended(self, server: Server, send: Sending) -> None:
        await send(PUT)
        send.monotonic.now += 3601
        await send(PUT)
        assert server.calls[-1].headers["authorization"] == "Bearer t2"

    async def test_comes_by_credentials_where_refreshing_is_refused(
        self, server: Server, send: Sending
    ) -> None:
        await send(PUT)
        send.monotonic.now += 3601
        server.tokens = [say(400, {"error": "unsupported_grant_type"})]
        assert (await send(PUT)).kind is Kind.DELIVERED
        assert server.grants[1:] == ["refresh_token", "client_credentials"]

    async def test_is_used_to_its_end_while_it_cannot_be_renewed(
        self, server: Server, send: Sending
    ) -> None:
        await send(PUT)
        send.monotonic.now += 3545
        server.tokens = [say(500), say(500)]
        assert (await send(PUT)).kind is Kind.DELIVERED
        await _until(lambda: not server.tokens)
        assert (await send(PUT)).kind is Kind.DELIVERED
        assert len(server.grants) == 3

    async def test_that_is_refused_is_renewed_once_for_all_and_each_call_made_again(
        self, server: Server, send: Sending
    ) -> None:
        await send(PUT)

        async def only_t2(writer: asyncio.StreamWriter, seen: Seen) -> None:
            good = seen.headers["authorization"] == "Bearer t2"
            body = SUCCESS if good else {"status": "error", "errorCode": "INVALID_TOKEN"}
            writer.write(http(200 if good else 401, body))

        server.answers = [only_t2] * 16
        outcomes = await asyncio.gather(*(send(PUT) for _ in range(8)))
        assert {outcome.kind for outcome in outcomes} == {Kind.DELIVERED}
        assert server.grants == ["client_credentials", "client_credentials"]
        assert len(server.calls) == 1 + 16

    async def test_that_is_refused_again_is_unauthorized(
        self, server: Server, send: Sending
    ) -> None:
        server.answers = [say(401, {"errorCode": "INVALID_TOKEN"})] * 2
        outcome = await send(PUT)
        assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNAUTHORIZED)
        assert len(server.calls) == 2

    async def test_is_not_to_be_had_with_wrong_credentials(
        self, server: Server, send: Sending
    ) -> None:
        server.tokens = [say(401, {"error": "invalid_client", "error_description": "unknown"})]
        outcome = await send(PUT)
        assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.BAD_CREDENTIALS)
        assert outcome.detail == "invalid_client: unknown"
        assert server.calls == []
        assert (await send(PUT)).kind is Kind.DELIVERED


async def test_a_send_that_is_cancelled_is_counted_and_frees_its_connection(
    server: Server, send: Sending
) -> None:
    await send(PUT)
    server.answers = [silence]
    task = asyncio.create_task(send(PUT))
    await _until(lambda: len(server.calls) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(send.spent) == 3
    assert (await send(PUT)).kind is Kind.DELIVERED


async def test_closing_ends_sends_under_way_with_an_outcome(server: Server) -> None:
    send = sending(server.port)
    await send(PUT)
    server.answers = [silence]
    under_way = asyncio.create_task(send(PUT))
    await _until(lambda: len(server.calls) == 2)
    await send.sender.close()
    assert (await under_way).reason is Reason.NO_ANSWER
    assert (await send(PUT)).reason is Reason.UNREACHABLE


async def test_closing_ends_the_wait_for_a_token_with_an_outcome(server: Server) -> None:
    send = sending(server.port)
    server.tokens = [silence]
    waiting = asyncio.create_task(send(PUT))
    await _until(lambda: bool(server.seen))
    await send.sender.close()
    assert (await waiting).reason is Reason.UNREACHABLE


async def test_nothing_of_a_request_is_logged(
    server: Server, send: Sending, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answers = [say(200, SUCCESS), reset]
    await send(GET)
    await send(PUT)
    logged = " ".join(record.getMessage() for record in caplog.records if record.name != "asyncio")
    assert "P1" not in logged
    assert "/zauto-api" not in logged


@pytest.mark.parametrize("name", ["base_url", "client_id", "client_secret"])
def test_a_sender_without_address_or_credentials_says_what_to_set(name: str) -> None:
    settings: dict[str, Any] = {name: None}
    with pytest.raises(SettingsError, match=f"BRIDGE_ZAUTO__{name.upper()}"):
        sending(1, **settings)


def test_sniffio_is_installed() -> None:
    """httpcore imports it four times a call; to search for it in vain costs 0.5 ms each call."""
    assert find_spec("sniffio") is not None


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)
