"""`/openapi.json`: the API for tools, of just this sandbox's catalogue."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.zauto.catalogue import Catalogue
from bridge.zauto.openapi import openapi


def openapi_route(catalogue: Catalogue, *, limited: bool) -> Route:
    """The route; `limited` says whether answers carry the headers that tell of limits."""
    document = openapi(catalogue, limited=limited)

    async def endpoint(request: Request) -> Response:
        return JSONResponse(document)

    return Route("/openapi.json", endpoint, methods=["GET"])
