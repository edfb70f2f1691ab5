"""One HTTP exchange with one origin: a request out, and an answer or the reason there is none.

httpx's own timeouts are per read, so a drip never ends; its client inflates what is compressed,
keeps cookies and follows what is redirected. So this is httpx's transport without its client,
under one deadline: bodies are read raw up to a cap, nothing but the identity encoding is asked
for, and a redirect is an answer like any other.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from bridge.errors import StoreError
from bridge.zauto.answers import Answer, Failure

#: bytes of one answer; a page of a hundred records is a tenth of it
BODY_CAP = 1024 * 1024
#: seconds an idle connection is kept: less than servers do (Node.js and uvicorn: 5), because a
#: request written into a connection that is being closed has an unknown effect
_KEEPALIVE = 4.0
_ONE_CONNECTION = httpx.Limits(
    max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEPALIVE
)

Headers = Mapping[str, str]


async def uncounted() -> None:
    """Let a request leave that nobody counts beforehand."""


@dataclass(slots=True)
class _Exchange:
    """What is known of one HTTP exchange, also when it is broken off."""

    #: called before the first byte leaves
    leaving: Callable[[], Awaitable[None]]
    #: TCP is connected and TLS begun
    securing: bool = False
    sent: bool = False
    status: int | None = None
    headers: Headers = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """httpx's `trace` extension: after the second event bytes may have left."""
        if event == "connection.start_tls.started":
            self.securing = True
        elif event == "http11.send_request_headers.started":
            await self.leaving()
            self.sent = True

    async def read(self, response: httpx.Response) -> None:
        self.status, self.headers = response.status_code, dict(response.headers)
        async for chunk in cast(AsyncIterable[bytes], response.stream):
            self.body += chunk
            if len(self.body) > BODY_CAP:
                return
        self.complete = True

    def result(self, error: BaseException | None) -> Answer | Failure:
        if self.status is not None:
            return Answer(self.status, self.headers, bytes(self.body), self.complete)
        if self.sent:
            late = any(isinstance(each, TimeoutError) for each in _causes(error))
            return Failure.NO_ANSWER if late else Failure.CLOSED
        failure = _unsent(error)
        # A server that hangs up on a TLS client raises nothing of TLS.
        return Failure.TLS if self.securing and failure is Failure.UNREACHABLE else failure


class ConnectionPool:
    """Connections to one scheme, host and port, kept and used again; nothing goes elsewhere."""

    def __init__(
        self,
        base_url: str,
        *,
        connect_seconds: float,
        spent: Callable[[Headers], None],
        leaving: Callable[[], Awaitable[None]] = uncounted,
    ) -> None:
        """`spent` is told of every request that left, with the headers of its answer (none: {});
        `leaving` is awaited before the first byte of each leaves, and nothing leaves where it
        raises StoreError."""
        _silence_libraries()
        self._url = httpx.URL(base_url)
        self._prefix = self._url.path.rstrip("/")
        self._spent = spent
        self._leaving = leaving
        self._context = httpx.create_ssl_context(trust_env=False)
        #: each of one connection: a pool of several looks at all of them for each request, with
        #: two system calls each
        self._transports: list[httpx.AsyncHTTPTransport] = []
        #: those that nobody uses now, the one used last at the end
        self._idle: list[httpx.AsyncHTTPTransport] = []
        # None: only the deadline ends a read or write.
        self._timeout = {"connect": connect_seconds, "read": None, "write": None, "pool": None}
        self._headers = [
            (b"Host", self._url.netloc),
            (b"Accept", b"application/json"),
            (b"Accept-Encoding", b"identity"),
            (b"User-Agent", b"zautoai-bridge"),
        ]
        self._closed = False

    async def exchange(
        self, method: str, target: str, body: bytes | None, authorization: bytes, ends: float
    ) -> Answer | Failure:
        """Make one request; never raises.

        `target` is path and query below the base URL, in ASCII; `authorization` may be empty;
        `ends` is the time of the running loop at which it is given up.
        """
        exchange = _Exchange(self._leaving)
        request = self._request(method, target, body, authorization, exchange)
        try:
            error = None if self._closed else await self._run(exchange, request, ends)
        finally:
            if exchange.sent:
                self._spent(exchange.headers)
        return exchange.result(error)

    async def close(self) -> None:
        """Close all connections; exchanges under way end without an answer."""
        self._closed = True
        for transport in self._transports:
            await transport.aclose()

    def _transport(self) -> httpx.AsyncHTTPTransport:
        if self._idle:
            return self._idle.pop()
        made = httpx.AsyncHTTPTransport(
            verify=self._context, trust_env=False, limits=_ONE_CONNECTION
        )
        self._transports.append(made)
        return made

    def _request(
        self,
        method: str,
        target: str,
        body: bytes | None,
        authorization: bytes,
        exchange: _Exchange,
    ) -> httpx.Request:
        headers = list(self._headers)
        if authorization:
            headers.append((b"Authorization", authorization))
        if body is not None:
            headers.append((b"Content-Type", b"application/json"))
            headers.append((b"Content-Length", str(len(body)).encode()))
        return httpx.Request(
            method,
            self._url,
            headers=headers,
            stream=httpx.ByteStream(body or b""),
            extensions={
                "timeout": self._timeout,
                "trace": exchange.trace,
                # What is asked for stands here, so that no URL is parsed anew for each request.
                "target": f"{self._prefix}{target}".encode("ascii"),
            },
        )

    async def _run(
        self, exchange: _Exchange, request: httpx.Request, ends: float
    ) -> BaseException | None:
        transport = self._transport()
        try:
            async with asyncio.timeout_at(ends):
                response = await transport.handle_async_request(request)
                try:
                    await exchange.read(response)
                finally:
                    await response.aclose()
        # RuntimeError: closed under a request (shutdown). OSError holds TimeoutError.
        except (httpx.HTTPError, OSError, RuntimeError, StoreError) as error:
            return error
        finally:
            self._idle.append(transport)
        return None


def _silence_libraries() -> None:
    """httpx logs the URL of each request at INFO, httpcore headers at DEBUG; both name patients."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


#: why nothing was sent, by what was raised; the first that fits
_UNSENT: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Failure], ...] = (
    (ssl.SSLCertVerificationError, Failure.CERTIFICATE),
    (ssl.SSLError, Failure.TLS),
    (socket.gaierror, Failure.DNS),
    (ConnectionRefusedError, Failure.REFUSED),
    ((TimeoutError, httpx.ConnectTimeout), Failure.CONNECT_TIMEOUT),
)


def _unsent(error: BaseException | None) -> Failure:
    causes = _causes(error)
    for kinds, failure in _UNSENT:
        if any(isinstance(each, kinds) for each in causes):
            return failure
    return Failure.UNREACHABLE


def _causes(error: BaseException | None) -> list[BaseException]:
    """The error and all that led to it; an attempt at several addresses failed several times."""
    if error is None:
        return []
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    behind = (error.__cause__ or error.__context__, *inner)
    return [error, *(each for cause in behind for each in _causes(cause))]
