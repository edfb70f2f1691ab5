"""The FHIR door: create, update and $validate of what is forwarded (R4 http.html).

A resource is answered 201 or 200 once it is durably kept; what is refused is kept as well, with
the reason. The bytes are kept as they came: they were only looked at here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from hashlib import blake2b
from typing import Any, Protocol

import orjson
from starlette.requests import Request
from starlette.responses import Response

from bridge import __version__
from bridge.errors import ReadError
from bridge.fhir import capability, media, outcome, reader, validation
from bridge.fhir.elements import RESOURCE_TYPES
from bridge.fhir.outcome import Issue, error
from bridge.listeners.http import LARGE, Door, Lock, Refused, RefusedIntake, keep_refused, read_body
from bridge.message import Protocol as MessageProtocol
from bridge.message import Receipt
from bridge.settings import Http, Key

PREFIX = "/fhir"
METADATA = f"{PREFIX}/metadata"

#: R4's ids, and the underscore that some servers put into theirs
_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")


class ResourceIntake(RefusedIntake, Protocol):
    """Where resources go."""

    async def take_fhir(
        self, resource_type: str, resource_id: str, body: bytes, *, update: bool
    ) -> Receipt: ...


def door(intake: ResourceIntake, key: Key, http: Http, clock: Callable[[], float]) -> Door:
    """The door under /fhir; only its CapabilityStatement is read without the key."""
    listener = FhirListener(intake, http, clock)
    lock = Lock(key.api_key, "BRIDGE_FHIR__API_KEY", frozenset({METADATA}))
    return Door(PREFIX, listener.answer, refusal, lock)


def refusal(refused: Refused) -> Response:
    """A refusal as an OperationOutcome."""
    return _response(outcome.outcome(refused.issues), refused.status, refused.headers)


class FhirListener:
    """Answers the requests under /fhir."""

    def __init__(self, intake: ResourceIntake, http: Http, clock: Callable[[], float]) -> None:
        self._intake = intake
        self._http = http
        self._clock = clock

    async def answer(self, request: Request) -> Response:
        """Do what method and path ask for; raises Refused for all else."""
        path = request.scope["path"].removeprefix(PREFIX).strip("/")
        match request.method, path.split("/"):
            case "GET" | "HEAD", ["metadata"]:
                return _metadata(request)
            case "POST", [resource_type, "$validate"]:
                return await self._validate(request, resource_type)
            case "GET" | "HEAD" | "OPTIONS", parts:
                raise _not_offered(request.method, parts)
            case _, parts:
                return await self._take_or_keep_refused(request, parts)

    async def _take_or_keep_refused(self, request: Request, parts: list[str]) -> Response:
        named = MessageProtocol.FHIR, parts[0] if _TYPE.fullmatch(parts[0]) else "unknown"
        take = partial(self._take, request, parts)
        return await keep_refused(request, self._http, self._intake, named, take)

    async def _take(self, request: Request, parts: list[str], body: bytes) -> Response:
        match request.method, parts:
            case "POST", [resource_type] if resource_type in RESOURCE_TYPES:
                resource_id, update = "", False
            case "PUT", [resource_type, resource_id] if resource_type in RESOURCE_TYPES:
                update = True
            case method, _:
                raise _not_offered(method, parts)
        _check_headers(request)
        resource, issues = await _checked(body, resource_type)
        if update:
            _check_id(resource, resource_type, resource_id)
        receipt = await self._intake.take_fhir(resource_type, resource_id, body, update=update)
        return self._kept(request, resource, receipt, issues)

    def _kept(
        self, request: Request, resource: dict[str, Any], receipt: Receipt, issues: list[Issue]
    ) -> Response:
        now = self._clock()
        reference = f"{resource['resourceType']}/{receipt.resource_id}"
        headers = {
            "Location": f"{_base(request)}/{reference}/_history/{receipt.id}",
            "ETag": f'W/"{receipt.id}"',
            "Last-Modified": formatdate(now, usegmt=True),
        }
        status = 201 if receipt.created else 200
        match media.preference(request.headers.get("prefer", "")):
            case "minimal":
                return Response(b"", status, headers)
            case "representation":
                return _response(_as_kept(resource, receipt, now), status, headers)
            case _:
                kept = Issue("information", "informational", f"kept as version {receipt.id}")
                return _response(outcome.outcome([kept, *issues]), status, headers)

    async def _validate(self, request: Request, resource_type: str) -> Response:
        """$validate (operation-resource-validate): 200 whatever is found; nothing is kept."""
        if resource_type not in RESOURCE_TYPES:
            raise _not_offered("POST", [resource_type])
        body = await read_body(request, self._http)
        _check_headers(request)
        issues = await asyncio.to_thread(_findings, body, resource_type)
        return _response(outcome.outcome(issues))


def _findings(body: bytes, resource_type: str) -> list[Issue]:
    resource = _validated(_read(body))
    _check_type(resource, resource_type)
    return validation.check(resource, resource_type) + validation.advise(resource, resource_type)


def _validated(found: dict[str, Any]) -> dict[str, Any]:
    """The resource itself, or the one that Parameters hold."""
    if found.get("resourceType") != "Parameters":
        return found
    parameters = found.get("parameter")
    for parameter in parameters if isinstance(parameters, list) else ():
        if isinstance(parameter, dict) and parameter.get("name") == "resource":
            resource = parameter.get("resource")
            return resource if isinstance(resource, dict) else {}
    return {}


def _metadata(request: Request) -> Response:
    _check_acceptable(request)
    body = orjson.dumps(capability.statement(__version__))
    tag = blake2b(body, digest_size=8).hexdigest()
    return Response(body, 200, {"ETag": f'W/"{tag}"'}, media_type=media.CONTENT_TYPE)


def _check_headers(request: Request) -> None:
    headers = request.headers
    if not media.is_readable(headers.get("content-type", "")):
        raise Refused(415, error("not-supported", "send FHIR R4 as application/fhir+json in UTF-8"))
    _check_acceptable(request)
    if "if-none-exist" in headers and request.method == "POST":
        raise Refused(412, error("not-supported", "conditional create is not supported"))


def _check_acceptable(request: Request) -> None:
    accept = request.headers.get("accept", "")
    if not media.is_acceptable(accept, request.query_params.get("_format", "")):
        raise Refused(406, error("not-supported", "answers are written in JSON (FHIR R4) only"))


async def _checked(body: bytes, resource_type: str) -> tuple[dict[str, Any], list[Issue]]:
    if len(body) > LARGE:
        return await asyncio.to_thread(_check, body, resource_type)
    return _check(body, resource_type)


def _check(body: bytes, resource_type: str) -> tuple[dict[str, Any], list[Issue]]:
    resource = _read(body)
    _check_type(resource, resource_type)
    issues = validation.check(resource, resource_type)
    if any(issue.grave for issue in issues):
        raise Refused(422, *issues)
    return resource, issues


def _read(body: bytes) -> dict[str, Any]:
    try:
        return reader.read(body)
    except ReadError as unread:
        raise Refused(400, error("structure", f"the body {unread}")) from unread


def _check_type(resource: Mapping[str, Any], resource_type: str) -> None:
    if resource.get("resourceType") != resource_type:
        text = f"resourceType must be {resource_type}, as in the URL"
        raise Refused(400, error("structure", text, resource_type))


def _check_id(resource: Mapping[str, Any], resource_type: str, resource_id: str) -> None:
    at = f"{resource_type}.id"
    if not _ID.fullmatch(resource_id):
        text = "an id is 1 to 64 letters, digits, hyphens and dots"
        raise Refused(400, error("value", text, at))
    if resource.get("id") != resource_id:
        raise Refused(400, error("invalid", "the id in the body must be the one in the URL", at))


def _not_offered(method: str, parts: list[str]) -> Refused:
    """404 for what is not here, 405 for what is here but not done, 400 for an update by search."""
    match parts:
        case ["metadata"]:
            allow = "GET"
        case [resource_type] if resource_type in RESOURCE_TYPES:
            if method == "PUT":
                return Refused(400, error("not-supported", "an update needs an id in the URL"))
            allow = "POST"
        case [resource_type, _] if resource_type in RESOURCE_TYPES:
            allow = "PUT"
        case _:
            known = " and ".join(RESOURCE_TYPES)
            return Refused(404, error("not-supported", f"only {known} are taken here"))
    text = f"{method} is not supported here; only {allow} is"
    return Refused(405, error("not-supported", text), headers={"Allow": allow})


def _as_kept(resource: dict[str, Any], receipt: Receipt, at: float) -> dict[str, Any]:
    given = resource.get("meta")
    meta = {
        **(given if isinstance(given, dict) else {}),
        "versionId": str(receipt.id),
        "lastUpdated": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
    }
    return {**resource, "id": receipt.resource_id, "meta": meta}


def _base(request: Request) -> str:
    host = request.headers.get("host", "localhost")
    return f"{request.scope['scheme']}://{host}{PREFIX}"


def _response(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type=media.CONTENT_TYPE)
