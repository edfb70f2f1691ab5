"""The sandbox's own endpoints under `/sandbox`: health, journal, reset and push.

They are no part of ZautoAI's API: no token, no limits, not in the journal but for a reset.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.errors import DoorError
from bridge.sandbox.desk import Clock
from bridge.sandbox.push import Partner
from bridge.sandbox.state import Entry, State
from bridge.zauto.contract import ORDERS

#: entries of one answer; `last` of it is the next `after`
JOURNAL_PAGE = 10_000


class Control:
    """What tests, the demonstration and a person at the sandbox ask of it."""

    def __init__(
        self, state: State, seed: Callable[[], None], partner: Partner | None, clock: Clock
    ) -> None:
        self._state = state
        self._seed = seed
        self._partner = partner
        self._clock = clock

    def routes(self) -> list[Route]:
        """Everything under `/sandbox`."""
        return [
            Route("/sandbox/health", self.health, methods=["GET"]),
            Route("/sandbox/journal", self.journal, methods=["GET"]),
            Route("/sandbox/reset", self.reset, methods=["POST"]),
            Route("/sandbox/push/{kind}", self.push, methods=["POST"]),
        ]

    async def health(self, request: Request) -> Response:
        """It runs."""
        return JSONResponse({"status": "up"})

    async def journal(self, request: Request) -> Response:
        """Every request in order, from behind `?after=`."""
        given = request.query_params.get("after", "0")
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            return _refused(400, "after must be a sequence number from the journal")
        found = self._state.journal(int(given), JOURNAL_PAGE)
        entries = [{"sequence": sequence, **asdict(entry)} for sequence, entry in found]
        last = found[-1][0] if found else int(given)
        return JSONResponse({"entries": entries, "last": last})

    async def reset(self, request: Request) -> Response:
        """Back to the test records; the journal keeps what was and notes the reset."""
        now = self._clock()
        with self._state.transaction():
            self._state.clear()
            self._seed()
            self._state.write(Entry(now, "", "POST", request.url.path, 200, "", "", created=False))
        return JSONResponse({"status": "success", "message": "Test data was reset"})

    async def push(self, request: Request) -> Response:
        """Push the order of the body; the answer is the partner's own."""
        kind = request.path_params["kind"]
        if kind not in ORDERS:
            return _refused(404, f"push one of {', '.join(ORDERS)}")
        if self._partner is None:
            return _refused(409, "no partner is known; start the sandbox with --push-to URL")
        key = request.headers.get("idempotency-key", "")
        try:
            said = await self._partner.push(kind, await request.body(), idempotency_key=key)
        except DoorError as error:
            return _refused(502, str(error))
        return Response(said.body, said.status, media_type=said.media_type)


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"status": "error", "message": message, "errors": []}, status)
