"""The way of every request to the API: who asks, within which limits, what, written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import TypeAlias

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bridge.sandbox.accounts import Accounts
from bridge.sandbox.answers import Answer, Refusal, TokenRefusal
from bridge.sandbox.limits import Limiter
from bridge.sandbox.state import Entry, State
from bridge.sandbox.validation import BODY_LIMIT
from bridge.zauto.contract import ErrorCode

Clock: TypeAlias = Callable[[], float]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, read to its end."""

    method: str
    path: str
    query: Mapping[str, str]
    #: external id in the path; "" where it has none
    external_id: str
    authorization: str
    body: bytes
    #: address of the caller, which is counted where no client is known
    peer: str
    #: seconds since the epoch
    at: float


#: makes the answer; raises Refusal or TokenRefusal
Act: TypeAlias = Callable[[Asked], Answer]


class Desk:
    """Takes requests one at a time, each in one transaction together with its journal entry."""

    def __init__(
        self, state: State, accounts: Accounts, limiter: Limiter | None, clock: Clock
    ) -> None:
        self._state = state
        self._accounts = accounts
        self._limiter = limiter
        self._clock = clock

    def secured(self, act: Act, resource: str) -> Endpoint:
        """An endpoint that takes an access token."""

        def client(asked: Asked) -> str | None:
            return self._accounts.bearer(asked.authorization, asked.at)

        def allowed(asked: Asked) -> Answer:
            if client(asked) is None:
                raise Refusal(
                    ErrorCode.INVALID_TOKEN,
                    "Access token is invalid or expired",
                    headers={"WWW-Authenticate": "Bearer"},  # RFC 6750 section 3
                )
            return act(asked)

        return self._endpoint(allowed, client, resource)

    def open(self, act: Act, client: Callable[[Asked], str | None]) -> Endpoint:
        """An endpoint without an access token; `client` says who is counted."""
        return self._endpoint(act, client, "")

    def _endpoint(self, act: Act, client: Callable[[Asked], str | None], resource: str) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            try:
                asked = await self._read(request)
            except ClientDisconnect:
                return Response(status_code=400)
            return _response(self._answer(asked, act, client, resource), asked.at)

        return endpoint

    async def _read(self, request: Request) -> Asked:
        return Asked(
            method=request.method,
            path=request.scope["path"],
            query=request.query_params,
            external_id=request.path_params.get("id", ""),
            authorization=request.headers.get("authorization", ""),
            body=await _body(request),
            peer=request.client.host if request.client else "",
            at=self._clock(),
        )

    def _answer(
        self, asked: Asked, act: Act, client: Callable[[Asked], str | None], resource: str
    ) -> Answer:
        with self._state.transaction():
            name = client(asked)
            answer = self._within_limits(asked, act, name or f"peer {asked.peer}")
            self._state.write(
                Entry(
                    at=asked.at,
                    client=name or "",
                    method=asked.method,
                    path=asked.path,
                    status=answer.status,
                    resource=resource,
                    external_id=answer.external_id or asked.external_id,
                    created=answer.created,
                )
            )
        return answer

    def _within_limits(self, asked: Asked, act: Act, counted: str) -> Answer:
        if self._limiter is None:
            return _acted(act, asked)
        standing = self._limiter.take(counted, asked.at)
        if standing.allowed:
            answer = _acted(act, asked)
        else:
            refusal = Refusal(ErrorCode.RATE_LIMIT_EXCEEDED, "API rate limit exceeded")
            answer = refusal.answer(asked.at)
        headers = {**answer.headers, **standing.headers()}
        return Answer(answer.status, answer.body, headers, answer.external_id, answer.created)


def _acted(act: Act, asked: Asked) -> Answer:
    try:
        return act(asked)
    except Refusal as refusal:
        return refusal.answer(asked.at)
    except TokenRefusal as refusal:
        return refusal.answer()


def _response(answer: Answer, at: float) -> Response:
    # the sandbox's clock, so that X-RateLimit-Reset can be read against it
    headers = {**answer.headers, "Date": formatdate(at, usegmt=True)}
    body = orjson.dumps(answer.body)
    return Response(body, answer.status, headers, media_type="application/json")


async def _body(request: Request) -> bytes:
    """The body, of one that is too large only enough to see that it is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            break
    return bytes(body)
