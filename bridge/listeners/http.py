"""The HTTP listener: one app of several doors, most of them behind a key.

The key is looked at before anything else, so that nobody without it makes the bridge read a
body. Whatever is refused, and whatever goes wrong behind a door, is told in the door's own
words: an OperationOutcome under /fhir, a small JSON object elsewhere.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson
import structlog
import uvicorn
from pydantic import SecretStr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.errors import BridgeError, StoreError
from bridge.fhir.outcome import Issue, error
from bridge.listeners.wire import BoundedProtocol
from bridge.message import Protocol as MessageProtocol
from bridge.settings import Http

#: bytes kept of a body that is not read to its end
HEAD = 4096
#: seconds a sender is asked to wait while nothing can be kept
RETRY_AFTER = 5
#: bytes from which a body is read and checked beside the event loop
LARGE = 256 * 1024

_CLOSE = {"Connection": "close"}
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_log = structlog.get_logger()


class Refused(BridgeError):
    """A request that is not done, and why; FHIR's issue codes have a word for every reason."""

    def __init__(
        self,
        status: int,
        *issues: Issue,
        headers: Mapping[str, str] | None = None,
        head: bytes = b"",
    ) -> None:
        """`head` is what was read of a body that was not read to its end."""
        super().__init__("; ".join(issue.text for issue in issues if issue.grave))
        self.status = status
        self.issues = issues
        self.headers = headers or {}
        self.head = head


class RefusedIntake(Protocol):
    """Where a request goes that is refused."""

    async def refuse(
        self,
        protocol: MessageProtocol,
        message_type: str,
        body: bytes,
        status_code: int,
        reason: str,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Lock:
    """What opens a door: `Authorization: Bearer <key>` or `X-API-Key: <key>`."""

    #: None: nobody gets in
    api_key: SecretStr | None
    #: what the operator sets to give it a key
    setting: str
    #: paths that may be read (GET, HEAD) without the key
    open_paths: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Door:
    """What is under one prefix."""

    #: `/fhir`; "" for what no other door has
    prefix: str
    answer: Callable[[Request], Awaitable[Response]]
    #: writes a refusal as this door's senders expect it
    refusal: Callable[[Refused], Response]
    lock: Lock | None = None

    def has(self, path: str) -> bool:
        """Whether a path is under this door."""
        return path == self.prefix or path.startswith(f"{self.prefix}/")


def make_app(doors: Sequence[Door], rest: Door) -> ASGIApp:
    """The app: a request goes to the door whose prefix it has, or to `rest`."""
    return _App((*doors, rest))


def server_config(app: ASGIApp, settings: Http) -> uvicorn.Config:
    """How uvicorn serves it: bounded on the wire, and silent about URLs."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=BoundedProtocol.within(settings.read_seconds),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


async def read_body(request: Request, settings: Http) -> bytes:
    """The whole body, within the cap and the time; raises Refused with 413 or 408.

    A body declared too large is not read at all.
    """
    if _declared(request) > settings.body:
        raise _too_large(settings)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.read_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                chunks.append(chunk)
                if size > settings.body:
                    raise _too_large(settings, _head(chunks))
    except TimeoutError as late:
        issue = error("timeout", f"the body took more than {settings.read_seconds:g} s to come")
        raise Refused(408, issue, headers=_CLOSE, head=_head(chunks)) from late
    return b"".join(chunks)


async def keep_refused(
    request: Request,
    settings: Http,
    intake: RefusedIntake,
    named: tuple[MessageProtocol, str],
    take: Callable[[bytes], Awaitable[Response]],
) -> Response:
    """Read the body and take it; what is refused is kept as `named`: protocol and message type."""
    body = b""
    try:
        body = await read_body(request, settings)
        return await take(body)
    except Refused as refused:
        head = body or refused.head
        await intake.refuse(*named, head, refused.status, str(refused))
        raise


def json_refusal(refused: Refused) -> Response:
    """A refusal where no standard says how: the error body of ZautoAI's own API."""
    body = {
        "status": "error",
        "message": str(refused),
        "errors": [{"field": i.expression, "message": i.text} for i in refused.issues],
    }
    return json_response(body, refused.status, refused.headers)


def json_response(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


class _App:
    """Sends each request to its door and answers for what goes wrong there."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        door = next(door for door in self._doors if door.has(scope["path"]))
        try:
            response = await _answer(door, Request(scope, receive))
        except ClientDisconnect:
            return
        response.raw_headers.extend(_SECURITY_HEADERS)
        await response(scope, receive, send)


async def _answer(door: Door, request: Request) -> Response:
    try:
        _check_lengths(request)
        if door.lock is not None:
            _check_key(door.lock, request)
        return await door.answer(request)
    except Refused as refused:
        return door.refusal(refused)
    except StoreError:
        issue = error("no-store", "nothing can be kept just now, and nothing was; send it again")
        return door.refusal(Refused(503, issue, headers={"Retry-After": str(RETRY_AFTER)}))
    except ClientDisconnect:
        raise
    except Exception as failure:  # noqa: BLE001 - one bad request must not end the service
        _log.error("request failed", listener=door.prefix, exc_info=failure)
        return door.refusal(Refused(500, error("exception", "the bridge failed on this request")))


def _check_lengths(request: Request) -> None:
    """Two lengths for one body are how requests are smuggled (RFC 9112 section 6.1)."""
    if "content-length" in request.headers and "transfer-encoding" in request.headers:
        issue = error("invalid", "Content-Length and Transfer-Encoding exclude each other")
        raise Refused(400, issue, headers=_CLOSE)


def _check_key(lock: Lock, request: Request) -> None:
    if request.method in ("GET", "HEAD") and request.scope["path"] in lock.open_paths:
        return
    if lock.api_key is None:
        raise _unauthorized("login", f"this door is shut: the operator must set {lock.setting}")
    keys = _keys(request)
    if not keys:
        raise _unauthorized(
            "login", "a key is needed: `Authorization: Bearer <key>` or `X-API-Key: <key>`"
        )
    right = lock.api_key.get_secret_value().encode()
    if not right or not any(hmac.compare_digest(key, right) for key in keys):
        raise _unauthorized("unknown", "this key is not known here")


def _keys(request: Request) -> list[bytes]:
    keys = []
    for name, value in request.headers.raw:
        if name == b"x-api-key":
            keys.append(value)
        elif name == b"authorization" and value[:7].lower() == b"bearer ":
            keys.append(value[7:].strip())
    return keys


def _unauthorized(code: str, text: str) -> Refused:
    return Refused(401, error(code, text), headers={"WWW-Authenticate": 'Bearer realm="bridge"'})


def _declared(request: Request) -> int:
    text = request.headers.get("content-length", "0")
    # sixteen digits are beyond any cap, and a longer number need not be read to its end
    return int(text[:16]) if text.isdecimal() else 0


def _too_large(settings: Http, head: bytes = b"") -> Refused:
    issue = error("too-long", f"the body is larger than {settings.body} bytes")
    return Refused(413, issue, head=head)


def _head(chunks: Sequence[bytes]) -> bytes:
    return b"".join(chunks)[:HEAD]
