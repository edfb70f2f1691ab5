"""The way of every request to the API: who asks, within which limits, what, written down.

A request is answered after the transaction that holds its effect and its journal entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from typing import TypeAlias

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from bridge.sandbox.accounts import ApiClient
from bridge.sandbox.answers import ApiError, ApiResponse, TokenRefusal
from bridge.sandbox.journal import Effect, JournalEntry
from bridge.sandbox.parts import SandboxParts
from bridge.sandbox.validation import BODY_LIMIT
from bridge.zauto.contract import ErrorCode

Endpoint: TypeAlias = Callable[[Request], Awaitable[ASGIApp]]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request, read to its end."""

    method: str
    path: str
    query: Mapping[str, str]
    #: external id in the path; "" where it has none
    external_id: str
    headers: Mapping[str, str]
    body: bytes
    #: address of the caller, which is counted where no client is known
    peer: str
    #: seconds since the epoch
    at: float

    @property
    def authorization(self) -> str:
        """The header of that name."""
        return self.headers.get("authorization", "")


#: makes the answer; raises ApiError or TokenRefusal
Act: TypeAlias = Callable[[ApiRequest], ApiResponse]
#: says who is counted
Whose: TypeAlias = Callable[[ApiRequest], ApiClient | None]


@dataclass(frozen=True, slots=True)
class Case:
    """A request with what is to be done about it."""

    asked: ApiRequest
    act: Act
    whose: Whose
    #: catalogue name; "" for the token and other addresses
    resource: str


class Desk:
    """Takes requests one at a time."""

    def __init__(self, parts: SandboxParts) -> None:
        self._journal = parts.state.journal
        self._group = parts.state.group
        self._accounts = parts.accounts
        self._limiter = parts.limiter
        self._resets = parts.resets
        self._clock = parts.options.clock

    def close(self) -> None:
        """Nothing more takes effect."""

    def secured(self, act: Act, resource: str, *, changes: bool) -> Endpoint:
        """An endpoint that takes an access token; of a client that may write if it `changes`."""

        def allowed(asked: ApiRequest) -> ApiResponse:
            caller = self._bearer(asked)
            if caller is None:
                raise ApiError(
                    ErrorCode.INVALID_TOKEN,
                    "Access token is invalid or expired",
                    headers={"WWW-Authenticate": "Bearer"},  # RFC 6750 section 3
                )
            if changes and caller.read_only:
                raise ApiError(None, "This client may only read", status=403)
            return act(asked)

        return self._endpoint(allowed, self._bearer, resource)

    def open(self, act: Act, whose: Whose | None = None) -> Endpoint:
        """An endpoint without an access token; whoever sends a good one is counted by it."""
        return self._endpoint(act, whose or self._bearer, "")

    async def answer(self, case: Case, *, fault: str = "", late_for: int = 0) -> ApiResponse:
        """Do what is asked and write it down; for a late effect, which request's it is."""
        with self._group.join() as committed:
            caller = case.whose(case.asked)
            answer = self._within_limits(case, caller)
            self._write(case, caller, answer, fault, late_for)
        # others wait for it too: a request that is cancelled must not cancel them
        await asyncio.shield(committed)
        return answer

    async def respond(self, case: Case) -> ASGIApp:
        """Answer a request."""
        return response(await self.answer(case), case.asked.at)

    def _bearer(self, asked: ApiRequest) -> ApiClient | None:
        return self._accounts.bearer(asked.authorization, asked.at)

    def _endpoint(self, act: Act, whose: Whose, resource: str) -> Endpoint:
        async def endpoint(request: Request) -> ASGIApp:
            try:
                asked = await self._read(request)
            except ClientDisconnect:
                return Response(status_code=400)
            self._resets.keep_up(asked.at)
            return await self.respond(Case(asked, act, whose, resource))

        return endpoint

    async def _read(self, request: Request) -> ApiRequest:
        return ApiRequest(
            method=request.method,
            path=request.scope["path"],
            query=request.query_params,
            external_id=request.path_params.get("id", ""),
            headers=request.headers,
            body=await _body(request),
            peer=request.client.host if request.client else "",
            at=self._clock(),
        )

    def _write(
        self, case: Case, caller: ApiClient | None, answer: ApiResponse, fault: str, late_for: int
    ) -> int:
        asked, named = case.asked, answer.effect in (Effect.CREATED, Effect.UPDATED)
        return self._journal.write(
            JournalEntry(
                at=asked.at,
                client=caller.client_id if caller else "",
                method=asked.method,
                path=asked.path,
                status=answer.status,
                resource=case.resource,
                external_id=answer.external_id or asked.external_id,
                effect=answer.effect,
                sent=asked.body.decode() if named else "",
                fault=fault,
                late_for=late_for,
            )
        )

    def _within_limits(self, case: Case, caller: ApiClient | None) -> ApiResponse:
        if self._limiter is None:
            return _acted(case)
        counted = caller.client_id if caller else f"peer {case.asked.peer}"
        standing = self._limiter.take(counted, case.asked.at)
        if standing.allowed:
            answer = _acted(case)
        else:
            refusal = ApiError(ErrorCode.RATE_LIMIT_EXCEEDED, "API rate limit exceeded")
            answer = refusal.answer(case.asked.at)
        return replace(answer, headers={**answer.headers, **standing.headers()})


def response(answer: ApiResponse, at: float) -> Response:
    """The answer as HTTP."""
    # the sandbox's clock, so that X-RateLimit-Reset can be read against it
    headers = {**answer.headers, "Date": _date(int(at))}
    body = orjson.dumps(answer.body)
    return Response(body, answer.status, headers, media_type="application/json")


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _acted(case: Case) -> ApiResponse:
    try:
        return case.act(case.asked)
    except ApiError as refusal:
        return refusal.answer(case.asked.at)
    except TokenRefusal as refusal:
        return refusal.answer()


async def _body(request: Request) -> bytes:
    """The body, of one that is too large only enough to see that it is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            break
    return bytes(body)
