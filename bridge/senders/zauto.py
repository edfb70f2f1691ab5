"""The sender to ZautoAI: one request, its token, its deadline, its outcome.

httpx's own timeouts are per read, so a drip never ends; its client inflates what is compressed
and follows what is redirected. So here a total deadline stands over each send, bodies are read
raw up to a cap, nothing but the identity encoding is asked for, and redirects are answers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx

from bridge.delivery import Outcome, Reason, Request
from bridge.errors import SettingsError
from bridge.settings import Zauto
from bridge.zauto.answers import Answer, Failure, judge
from bridge.zauto.catalogue import Catalogue
from bridge.zauto.token import NO_TOKEN, PATH, Credentials, Token, grants, judge_token, postponed

#: bytes of one answer; a page of a hundred records is a tenth of it
BODY_CAP = 1024 * 1024
#: seconds an idle connection is kept: less than servers do (Node.js and uvicorn: 5), because a
#: request written into a connection that is being closed has an unknown effect
_KEEPALIVE = 4.0
_JSON = {"content-type": "application/json"}

Headers = Mapping[str, str]
Clock = Callable[[], float]


@dataclass(slots=True)
class _Exchange:
    """What is known of one HTTP exchange, also when it is broken off."""

    sent: bool = False
    status: int | None = None
    headers: Headers = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False

    async def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """httpx's `trace` extension: after this event bytes may have left."""
        if event == "http11.send_request_headers.started":
            self.sent = True

    async def read(self, response: httpx.Response) -> None:
        self.status, self.headers = response.status_code, dict(response.headers)
        async for chunk in response.aiter_raw():
            self.body += chunk
            if len(self.body) > BODY_CAP:
                return
        self.complete = True

    def result(self, error: BaseException | None) -> Answer | Failure:
        if self.status is not None:
            return Answer(self.status, self.headers, bytes(self.body), self.complete)
        if self.sent:
            return Failure.NO_ANSWER
        return Failure.CERTIFICATE if _distrusted(error) else Failure.UNREACHABLE


class ZautoSender:
    """Makes requests to ZautoAI; safe for many tasks of one event loop at once."""

    def __init__(
        self,
        settings: Zauto,
        catalogue: Catalogue,
        *,
        monotonic: Clock,
        clock: Clock,
        spent: Callable[[Headers], None],
    ) -> None:
        """`spent` is told of every HTTP request that left, tokens included, with the headers of
        its answer (none: empty). Raises SettingsError when address or credentials are not set.
        """
        self._credentials = _credentials(settings)
        self._base = httpx.URL(settings.base_url or "")
        self._prefix = self._base.path.rstrip("/")
        self._deadline = settings.deadline_seconds
        self._catalogue = catalogue
        self._monotonic = monotonic
        self._clock = clock
        self._spent = spent
        self._client = _client(settings)
        self._token: Token | None = None
        self._renewal: asyncio.Task[Token | Outcome] | None = None

    async def send(self, request: Request) -> Outcome:
        """Make one request; never raises, and takes no longer than the deadline.

        A token that is refused is renewed once for all who wait, and the request made again.
        """
        ends = asyncio.get_running_loop().time() + self._deadline
        outcome, token = await self._send(request, ends)
        if outcome.reason is Reason.UNAUTHORIZED and token is not None:
            self._forget(token)
            outcome, _ = await self._send(request, ends)
        return outcome

    async def close(self) -> None:
        """Close all connections; sends under way end with an outcome of their own."""
        if self._renewal is not None:
            self._renewal.cancel()
        await self._client.aclose()

    async def _send(self, request: Request, ends: float) -> tuple[Outcome, Token | None]:
        token = await self._valid_token(ends)
        if isinstance(token, Outcome):
            return token, None
        answer = await self._exchange(
            request.method,
            self._path(request),
            request.body,
            {"authorization": f"Bearer {token.access}"},
            ends,
        )
        return judge(request, answer, now=self._clock()), token

    def _path(self, request: Request) -> str:
        path = self._catalogue[request.resource].path
        if request.method == "POST":
            return path
        # A dot segment would be resolved away, here or by the server (RFC 3986, 5.2.4).
        return f"{path}/{quote(request.external_id, safe='').replace('.', '%2E')}"

    async def _valid_token(self, ends: float) -> Token | Outcome:
        token, now = self._token, self._monotonic()
        if token is not None and now < token.renew_at:
            return token
        renewal = self._renewal = self._renewal or asyncio.create_task(self._renew(token))
        if token is not None and now < token.ends_at:
            return token
        remaining = ends - asyncio.get_running_loop().time()
        await asyncio.wait({renewal}, timeout=max(remaining, 0.0))
        return renewal.result() if renewal.done() and not renewal.cancelled() else NO_TOKEN

    def _forget(self, token: Token) -> None:
        """Drop a refused token, unless another task has replaced it already."""
        if self._token is not None and self._token.access == token.access:
            self._token = None

    async def _renew(self, token: Token | None) -> Token | Outcome:
        try:
            granted = await self._ask_for_token(token)
            if isinstance(granted, Token):
                self._token = granted
            elif token is not None and self._token is token:
                self._token = postponed(token, self._monotonic())
            return granted
        finally:
            self._renewal = None

    async def _ask_for_token(self, token: Token | None) -> Token | Outcome:
        ends = asyncio.get_running_loop().time() + self._deadline
        for grant in grants(token, self._credentials):
            asked_at = self._monotonic()
            answer = await self._exchange("POST", PATH, grant, {}, ends)
            granted = judge_token(answer, asked_at=asked_at, now=self._clock())
            if isinstance(granted, Token):
                break
        return granted

    async def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Headers, ends: float
    ) -> Answer | Failure:
        exchange = _Exchange()
        request = self._client.build_request(
            method,
            # The origin is always the configured one: the credentials go nowhere else.
            self._base.copy_with(raw_path=f"{self._prefix}{path}".encode("ascii")),
            content=None if body is None else json.dumps(body).encode("ascii"),
            headers=headers if body is None else {**headers, **_JSON},
            extensions={"trace": exchange.trace},
        )
        try:
            error = await self._run(exchange, request, ends)
        finally:
            if exchange.sent:
                self._spent(exchange.headers)
        return exchange.result(error)

    async def _run(
        self, exchange: _Exchange, request: httpx.Request, ends: float
    ) -> BaseException | None:
        try:
            async with asyncio.timeout_at(ends):
                response = await self._client.send(request, stream=True)
                try:
                    await exchange.read(response)
                finally:
                    await response.aclose()
        # RuntimeError: the client was closed under a send (shutdown). OSError holds TimeoutError.
        except (httpx.HTTPError, OSError, RuntimeError) as error:
            return error
        return None


def _credentials(settings: Zauto) -> Credentials:
    if not (settings.base_url and settings.client_id and settings.client_secret):
        raise SettingsError(
            "ZautoAI cannot be called: set BRIDGE_ZAUTO__BASE_URL, BRIDGE_ZAUTO__CLIENT_ID and "
            "BRIDGE_ZAUTO__CLIENT_SECRET"
        )
    return Credentials(settings.client_id, settings.client_secret.get_secret_value())


def _client(settings: Zauto) -> httpx.AsyncClient:
    # httpx logs the URL of each request at INFO, httpcore headers at DEBUG; both name patients.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        limits=httpx.Limits(
            max_connections=settings.connections + 1,
            max_keepalive_connections=settings.connections + 1,
            keepalive_expiry=_KEEPALIVE,
        ),
        timeout=httpx.Timeout(None, connect=settings.connect_seconds),
        headers={
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "zautoai-bridge",
        },
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


def _distrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
