"""The door for ZautoAI's pushes: prescriptions and service orders for a visit.

The bodies are those of ZautoAI's Integration API v1.4.7, "Push". An order is answered 202 once
it is durably kept: the hospital does not have it yet. The same order again gets the same answer
and is kept once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from bridge.errors import KeyReused, ReadError
from bridge.fhir.outcome import Issue, error
from bridge.fhir.reader import read
from bridge.listeners.http import (
    LARGE,
    Door,
    Lock,
    Refused,
    RefusedIntake,
    json_refusal,
    json_response,
    keep_refused,
)
from bridge.message import Protocol as MessageProtocol
from bridge.message import Receipt
from bridge.settings import Http, Key

PREFIX = "/orders"
#: characters an Idempotency-Key may have
MAX_KEY = 255
#: faults of one order that are told at once
MOST = 50

_TEXT = (str,)
_NUMBER = (int, float)


@dataclass(frozen=True, slots=True)
class OrderShape:
    """What a posted order of one kind looks like."""

    message_type: str
    #: the key its lines stand under
    lines: str
    #: what names the thing ordered: one of them at least
    names: tuple[str, str]
    #: the fields of a line that are known, with their JSON types
    fields: Mapping[str, tuple[type, ...]]


_PRESCRIPTION_FIELDS = (
    "externalMedicineId", "name", "dose", "when", "frequency", "duration", "notes",
)  # fmt: skip
ORDERS = {
    "prescriptions": OrderShape(
        "prescription-order",
        "Medications",
        ("externalMedicineId", "name"),
        dict.fromkeys(_PRESCRIPTION_FIELDS, _TEXT),
    ),
    "services": OrderShape(
        "service-order",
        "Services",
        ("externalServiceId", "name"),
        {"externalServiceId": _TEXT, "name": _TEXT, "price": _NUMBER, "status": _TEXT},
    ),
}


class OrderIntake(RefusedIntake, Protocol):
    """Where orders go."""

    async def take_order(
        self, message_type: str, body: bytes, *, idempotency_key: str
    ) -> Receipt: ...


def door(intake: OrderIntake, key: Key, http: Http) -> Door:
    """The door under /orders."""
    lock = Lock(key.api_key, "BRIDGE_ORDERS__API_KEY")
    return Door(PREFIX, PushListener(intake, http).answer, json_refusal, lock)


class PushListener:
    """Answers the requests under /orders."""

    def __init__(self, intake: OrderIntake, http: Http) -> None:
        self._intake = intake
        self._http = http

    async def answer(self, request: Request) -> Response:
        """Keep the order that is posted; raises Refused for all else."""
        order = _order(request)
        named = MessageProtocol.ORDERS, order.message_type
        take = partial(self._take, request, order)
        return await keep_refused(request, self._http, self._intake, named, take)

    async def _take(self, request: Request, order: OrderShape, body: bytes) -> Response:
        key = _idempotency_key(request)
        if len(body) > LARGE:
            await asyncio.to_thread(_check, body, order)
        else:
            _check(body, order)
        try:
            receipt = await self._intake.take_order(order.message_type, body, idempotency_key=key)
        except KeyReused as reused:
            raise Refused(422, error("business-rule", str(reused), "Idempotency-Key")) from reused
        return json_response(
            {"status": "success", "message": "Order kept", "data": {"id": receipt.id}}, 202
        )


def _order(request: Request) -> OrderShape:
    name = request.scope["path"].removeprefix(PREFIX).strip("/")
    if name not in ORDERS:
        known = " and ".join(f"{PREFIX}/{known}" for known in ORDERS)
        raise Refused(404, error("not-found", f"orders are taken at {known}"))
    if request.method != "POST":
        issue = error("not-supported", f"{request.method} is not supported here; only POST is")
        raise Refused(405, issue, headers={"Allow": "POST"})
    return ORDERS[name]


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if len(key) > MAX_KEY:
        text = f"must have at most {MAX_KEY} characters"
        raise Refused(400, _fault("value", "Idempotency-Key", text))
    return key


def _check(body: bytes, order: OrderShape) -> None:
    try:
        found = read(body)
    except ReadError as unread:
        raise Refused(400, error("structure", f"the body {unread}")) from unread
    faults = [issue for issue, _ in zip(_faults(found, order), range(MOST), strict=False)]
    if faults:
        raise Refused(400, *faults)


def _faults(found: Mapping[str, Any], order: OrderShape) -> Iterator[Issue]:
    visit = found.get("externalVisitId")
    if not isinstance(visit, str) or not visit.strip():
        yield _fault("required", "externalVisitId", "must be the visit's id, a string")
    lines = found.get(order.lines)
    if not isinstance(lines, list) or not lines:
        yield _fault("required", order.lines, "must be a list of at least one line")
        return
    for number, line in enumerate(lines):
        yield from _faults_of_line(line, order, f"{order.lines}[{number}]")


def _faults_of_line(line: Any, order: OrderShape, at: str) -> Iterator[Issue]:
    if not isinstance(line, dict):
        yield _fault("structure", at, "must be a JSON object")
        return
    if not any(line.get(name) for name in order.names):
        yield _fault("required", at, f"must name what is ordered: {' or '.join(order.names)}")
    for name, types in order.fields.items():
        value = line.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
            wanted = "string" if types is _TEXT else "number"
            yield _fault("value", f"{at}.{name}", f"must be a {wanted}")


def _fault(code: str, at: str, text: str) -> Issue:
    return error(code, f"{at} {text}", at)
