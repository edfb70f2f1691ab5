"""A desk at which faults are played."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import orjson
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp

from bridge.errors import DoorError
from bridge.sandbox.answers import ApiError, ApiResponse
from bridge.sandbox.desk import ApiRequest, Case, Desk, response
from bridge.sandbox.faults import (
    HEADER,
    FaultKind,
    Met,
    OddReset,
    OddToken,
    Plan,
    PlayedFault,
    When,
    read_header,
)
from bridge.sandbox.parts import SandboxParts
from bridge.sandbox.wire import Broken, head_of
from bridge.zauto.contract import (
    LIMIT_HEADER,
    REMAINING_HEADER,
    REQUESTS_AN_HOUR,
    RESET_HEADER,
    STATUS_OF,
    TOKEN_PATH,
    ErrorCode,
)

#: larger than any client should read
_HUGE = 2 * 1024 * 1024
_INFLATED = 64 * 1024 * 1024
_PAGE = "<!DOCTYPE html><html><body><h1>{status}</h1><p>upstream unavailable</p></body></html>"
#: seconds behind or before now
_LONG = 10 * 365 * 24 * 3600


class FaultyDesk(Desk):
    """Plays the faults of a plan and of requests' headers."""

    def __init__(self, parts: SandboxParts, plan: Plan) -> None:
        super().__init__(parts)
        self._plan = plan
        self._sleep = parts.options.sleep
        #: effects that have not taken place yet
        self._late: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """Late effects will never take place."""
        for task in self._late:
            task.cancel()

    async def respond(self, case: Case) -> ASGIApp:
        """Answer a request, with its fault if it meets one."""
        try:
            fault = self._met(case)
        except DoorError as error:
            return JSONResponse({"status": "error", "message": str(error), "errors": []}, 400)
        if fault is None:
            return await super().respond(case)
        if fault.kind is FaultKind.LATE:
            return await self._later(case, fault)
        return await self._played(case, fault)

    def _met(self, case: Case) -> PlayedFault | None:
        asked = case.asked
        given = asked.headers.get(HEADER)
        if given is not None:
            return read_header(given)
        caller = case.whose(asked)
        external_id = asked.external_id or _id_in(asked.body)
        client = caller.client_id if caller else ""
        return self._plan.take(Met(asked.method, asked.path, external_id, client))

    async def _played(self, case: Case, fault: PlayedFault) -> ASGIApp:
        if fault.kind is FaultKind.DELAY and fault.when is When.BEFORE:
            await self._sleep(fault.seconds)
        if fault.kind is FaultKind.TOKEN and case.asked.path != TOKEN_PATH:
            self._revoke(case)
        if fault.has_effect or fault.kind is FaultKind.DELAY:
            answer = await self.answer(case, fault=fault.kind)
        else:
            answer = _error(fault.status, case.asked.at)
            await self._note(case, answer.status, fault)
        if fault.kind is FaultKind.DELAY and fault.when is not When.BEFORE:
            await self._sleep(fault.seconds)
        return self._spoiled(fault, answer, case.asked)

    def _spoiled(self, fault: PlayedFault, answer: ApiResponse, asked: ApiRequest) -> ASGIApp:
        if fault.kind in (FaultKind.LOST, FaultKind.RESET):
            return Broken((), self._sleep, reset=fault.kind is FaultKind.RESET)
        if fault.kind is FaultKind.TOKEN and asked.path == TOKEN_PATH:
            answer = self._odd_token(fault, answer)
        if (odd := _ODD.get(fault.kind)) is not None:
            return odd(fault, answer, asked.at)
        whole = response(answer, asked.at)
        body = bytes(whole.body)
        if fault.kind is FaultKind.DRIP:
            pieces = (head_of(whole), *(bytes([each]) for each in body))
            return Broken(pieces, self._sleep, pause=fault.seconds)
        if fault.kind in (FaultKind.CUT, FaultKind.CUT_UNFRAMED):
            head = head_of(whole, framed=fault.kind is FaultKind.CUT)
            end = len(body) // 2 if fault.bytes is None else fault.bytes
            return Broken((head, body[:end]), self._sleep)
        return whole

    async def _later(self, case: Case, fault: PlayedFault) -> Broken:
        sequence = await self._note(case, 0, fault)
        late = asyncio.create_task(self._take_effect(case, fault, sequence))
        self._late.add(late)
        late.add_done_callback(self._late.discard)
        return Broken((), self._sleep)

    async def _take_effect(self, case: Case, fault: PlayedFault, sequence: int) -> None:
        await self._sleep(fault.seconds)
        asked = replace(case.asked, at=self._clock())
        await self.answer(replace(case, asked=asked), fault=fault.kind, late_for=sequence)

    async def _note(self, case: Case, status: int, fault: PlayedFault) -> int:
        """Write down a request that had no effect."""
        nothing = ApiResponse(status, {}, external_id=_id_in(case.asked.body))
        with self._group.join() as committed:
            sequence = self._write(case, case.whose(case.asked), nothing, fault.kind, 0)
        await asyncio.shield(committed)
        return sequence

    def _revoke(self, case: Case) -> None:
        caller = case.whose(case.asked)
        if caller is not None:
            self._accounts.revoke(caller.client_id)

    def _odd_token(self, fault: PlayedFault, answer: ApiResponse) -> ApiResponse:
        body = dict(answer.body)
        match fault.token:
            case OddToken.SHORT:
                body["expires_in"] = fault.seconds
            case OddToken.WORDS:
                body["expires_in"] = "an hour"
            case OddToken.ABSENT:
                body.pop("access_token", None)
            case OddToken.NO_REFRESH:
                body.pop("refresh_token", None)
            case OddToken.REVOKED:
                self._accounts.revoke()
        return replace(answer, body=body)


def _error(status: int, at: float) -> ApiResponse:
    """The envelope's error of a status, with the code that alone belongs to it."""
    codes = [code for code, usual in STATUS_OF.items() if usual == status]
    refusal = ApiError(None, "This fault was asked for", status=status)
    refusal.code = codes[0] if len(codes) == 1 else None
    return refusal.answer(at)


def _status(fault: PlayedFault, answer: ApiResponse, at: float) -> Response:
    return response(_error(fault.status, at), at)


def _limited(fault: PlayedFault, answer: ApiResponse, at: float) -> Response:
    refused = ApiError(ErrorCode.RATE_LIMIT_EXCEEDED, "API rate limit exceeded").answer(at)
    headers = {LIMIT_HEADER: str(REQUESTS_AN_HOUR), REMAINING_HEADER: "0"}
    return response(replace(refused, headers={**headers, **_odd_reset(fault.reset, at)}), at)


def _odd_reset(odd: OddReset, at: float) -> Mapping[str, str]:
    said = {
        OddReset.PAST: str(int(at) - 3600),
        OddReset.FAR: str(int(at) + _LONG),
        OddReset.SECONDS: "30",
        OddReset.MILLISECONDS: str(int(at + 30) * 1000),
        OddReset.WORDS: "soon",
    }
    return {RESET_HEADER: said[odd]} if odd in said else {}


def _html(fault: PlayedFault, answer: ApiResponse, at: float) -> Response:
    return HTMLResponse(_PAGE.format(status=fault.status), fault.status)


def _huge(fault: PlayedFault, answer: ApiResponse, at: float) -> Response:
    padding = "0" * (_HUGE if fault.bytes is None else fault.bytes)
    return response(replace(answer, body={**answer.body, "padding": padding}), at)


def _gzip(fault: PlayedFault, answer: ApiResponse, at: float) -> Response:
    """The answer with so many blanks behind it, deflated to a thousandth."""
    blanks = b" " * 65536
    squeeze = zlib.compressobj(1, wbits=31)  # 31: a gzip header
    body = bytearray(squeeze.compress(orjson.dumps(answer.body)))
    for _ in range((_INFLATED if fault.bytes is None else fault.bytes) // len(blanks)):
        body += squeeze.compress(blanks)
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    content = bytes(body + squeeze.flush())
    return Response(content, answer.status, headers, media_type="application/json")


def _wrong_id(fault: PlayedFault, answer: ApiResponse, at: float) -> Response:
    data = answer.body.get("data")
    if isinstance(data, dict) and "externalId" in data:
        data = {**data, "externalId": f"not-{data['externalId']}"}
    return response(replace(answer, body={**answer.body, "data": data}), at)


#: how each of these kinds changes an answer
_ODD: Mapping[FaultKind, Callable[[PlayedFault, ApiResponse, float], Response]] = {
    FaultKind.STATUS: _status,
    FaultKind.LIMITED: _limited,
    FaultKind.HTML: _html,
    FaultKind.HUGE: _huge,
    FaultKind.GZIP: _gzip,
    FaultKind.WRONG_ID: _wrong_id,
}


def _id_in(body: bytes) -> str:
    """The external id that a body names; "" for none."""
    try:
        named = orjson.loads(body)["id"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
    return named if isinstance(named, str) else ""
