"""The sandbox's own endpoints under `/sandbox`, for tests, the demonstration and a person.

They are no part of ZautoAI's API: no token, no limits, not in the journal but for a reset. So the
sandbox listens on this machine only, unless it is told otherwise.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.errors import DoorError
from bridge.sandbox.faults import Plan, read_rules
from bridge.sandbox.journal import Effect, JournalEntry
from bridge.sandbox.parts import SandboxParts
from bridge.zauto.contract import ORDERS

#: entries of one answer; `last` of it is the next `after`
JOURNAL_PAGE = 10_000
#: pushes of one answer
PUSHES = 100
_NO_FAULTS = "faults are off; start the sandbox with --faults"


class ControlApi:
    """What can be asked of the sandbox beside its API."""

    def __init__(self, parts: SandboxParts) -> None:
        self._parts = parts
        self._plan = parts.options.plan

    def routes(self) -> list[Route]:
        """Everything under `/sandbox`."""
        return [
            Route("/sandbox/health", self.health, methods=["GET"]),
            Route("/sandbox/journal", self.journal, methods=["GET"]),
            Route("/sandbox/reset", self.reset, methods=["POST"]),
            Route("/sandbox/clients", self.client, methods=["POST"]),
            Route("/sandbox/tokens/revoke", self.revoke, methods=["POST"]),
            Route("/sandbox/push/{kind}", self.push, methods=["POST"]),
            Route("/sandbox/pushes", self.pushes, methods=["GET"]),
            Route("/sandbox/faults", self.faults, methods=["GET"]),
            Route("/sandbox/faults", self.add_faults, methods=["POST"]),
            Route("/sandbox/faults", self.clear_faults, methods=["DELETE"]),
        ]

    async def health(self, request: Request) -> Response:
        """It runs."""
        return JSONResponse({"status": "up"})

    async def journal(self, request: Request) -> Response:
        """Every request and effect in order, from behind `?after=`."""
        given = request.query_params.get("after", "0")
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            return _refused(400, "after must be a sequence number from the journal")
        self._parts.resets.keep_up(self._parts.options.clock())
        found = self._parts.state.journal.after(int(given), JOURNAL_PAGE)
        entries = [entry.shown(sequence) for sequence, entry in found]
        last = found[-1][0] if found else int(given)
        return _json({"entries": entries, "last": last})

    async def reset(self, request: Request) -> Response:
        """Back to the test records; the journal keeps what was and notes the reset."""
        now = self._parts.options.clock()
        entry = JournalEntry(now, "", "POST", request.url.path, 200, "", "", Effect.RESET)
        self._parts.resets.reset(now, entry)
        return JSONResponse({"status": "success", "message": "Test data was reset"})

    async def client(self, request: Request) -> Response:
        """A new client of `{"name": …, "read_only": …}`; its secret is told only here."""
        asked = await _object(request)
        name, read_only = asked.get("name"), asked.get("read_only", False)
        if not isinstance(name, str) or not isinstance(read_only, bool):
            return _refused(400, 'send {"name": "hospital", "read_only": false}')
        try:
            made = self._parts.accounts.make(name, read_only=read_only)
        except DoorError as error:
            return _refused(400, str(error))
        told = {"client_id": made.client_id, "client_secret": made.client_secret}
        return JSONResponse(told, 201, {"Cache-Control": "no-store"})

    async def revoke(self, request: Request) -> Response:
        """Make the tokens of `?client=`, or of all, invalid."""
        revoked = self._parts.accounts.revoke(request.query_params.get("client"))
        return JSONResponse({"revoked": revoked})

    async def push(self, request: Request) -> Response:
        """Push the order of the body; the answer is the partner's own."""
        kind = request.path_params["kind"]
        if kind not in ORDERS:
            return _refused(404, f"push one of {', '.join(ORDERS)}")
        if self._parts.options.partner is None:
            return _refused(409, "no partner is known; start the sandbox with --push-to URL")
        key = request.headers.get("idempotency-key", "")
        try:
            said = await self._parts.outbox.push(kind, await request.body(), key)
        except DoorError as error:
            return _refused(502, str(error))
        return Response(said.body, said.status, media_type=said.media_type)

    async def pushes(self, request: Request) -> Response:
        """The last pushes, newest first, and how far each got."""
        return _json({"pushes": [push.shown() for push in self._parts.outbox.newest(PUSHES)]})

    async def faults(self, request: Request) -> Response:
        """The rules in force."""
        return _refused(409, _NO_FAULTS) if self._plan is None else _rules(self._plan)

    async def add_faults(self, request: Request) -> Response:
        """Put the rules of the body, a JSON list, behind those in force."""
        if self._plan is None:
            return _refused(409, _NO_FAULTS)
        try:
            self._plan.add(read_rules(orjson.loads(await request.body()), "rules"))
        except (orjson.JSONDecodeError, DoorError) as error:
            return _refused(400, str(error))
        return _rules(self._plan)

    async def clear_faults(self, request: Request) -> Response:
        """No more faults."""
        if self._plan is None:
            return _refused(409, _NO_FAULTS)
        self._plan.clear()
        return _rules(self._plan)


def _rules(plan: Plan) -> Response:
    return _json({"rules": plan.shown()})


async def _object(request: Request) -> dict[str, Any]:
    """The JSON object of the body; empty where there is none."""
    try:
        value = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"status": "error", "message": message, "errors": []}, status)
