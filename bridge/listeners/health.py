"""Whether the bridge lives, whether it can take messages, and its numbers; open to all.

Nothing here names a patient or a message, so that a load balancer and Prometheus need no key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from bridge.fhir.outcome import error
from bridge.listeners.http import Door, Refused, json_refusal, json_response
from bridge.metrics import CONTENT_TYPE


def door(not_ready: Callable[[], Sequence[str]], render_metrics: Callable[[], bytes]) -> Door:
    """The door at the root.

    `not_ready` gives the reasons why nothing can be taken now, none when all is well.
    """
    pages: dict[str, Callable[[], Response]] = {
        "/healthz": lambda: json_response({"status": "ok"}),
        "/readyz": lambda: _readiness(not_ready()),
        "/metrics": lambda: Response(render_metrics(), headers={"Content-Type": CONTENT_TYPE}),
    }

    async def answer(request: Request) -> Response:
        page = pages.get(request.scope["path"])
        if page is None:
            raise Refused(404, error("not-found", "there is nothing here"))
        if request.method not in ("GET", "HEAD"):
            issue = error("not-supported", f"{request.method} is not supported here; only GET is")
            raise Refused(405, issue, headers={"Allow": "GET"})
        return page()

    return Door("", answer, json_refusal)


def _readiness(reasons: Sequence[str]) -> Response:
    if reasons:
        return json_response({"status": "not ready", "reasons": list(reasons)}, 503)
    return json_response({"status": "ready"})
