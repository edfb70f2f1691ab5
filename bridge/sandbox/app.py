"""ZautoAI's API as a Starlette application, made from the catalogue."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bridge.sandbox.answers import ApiError, ApiResponse
from bridge.sandbox.browse import pages
from bridge.sandbox.collection import Collection
from bridge.sandbox.control import ControlApi
from bridge.sandbox.database import Database
from bridge.sandbox.desk import Act, ApiRequest, Desk, response
from bridge.sandbox.openapi import openapi_route
from bridge.sandbox.parts import AS_DOCUMENTED, Options, SandboxParts, make_parts
from bridge.sandbox.play import FaultyDesk
from bridge.zauto.catalogue import Catalogue, Operation
from bridge.zauto.contract import TOKEN_PATH

_READS = frozenset({Operation.LIST, Operation.READ})


class _Anything(PathConvertor):
    """The rest of a path: an external id may hold a slash, and a line end."""

    regex = r"[\s\S]*"


register_url_convertor("anything", _Anything())


def make_app(catalogue: Catalogue, state: Database, options: Options = AS_DOCUMENTED) -> Starlette:
    """The API over `state`; raises DoorError when a test record of the catalogue does not fit."""
    parts = make_parts(catalogue, state, options)
    desk = Desk(parts) if options.plan is None else FaultyDesk(parts, options.plan)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        retrying = asyncio.create_task(parts.outbox.run())
        try:
            yield
        finally:
            desk.close()
            retrying.cancel()
            await asyncio.wait({retrying})

    return Starlette(
        routes=_routes(desk, parts),
        lifespan=lifespan,
        exception_handlers={Exception: _failed(options)},
    )


def _routes(desk: Desk, parts: SandboxParts) -> list[BaseRoute]:
    return [
        _token_route(desk, parts),
        *(
            _route(desk, collection, operation)
            for collection in parts.collections.values()
            for operation in Operation
        ),
        openapi_route(parts.catalogue, limited=parts.limiter is not None),
        *ControlApi(parts).routes(),
        *pages(parts, secrets.token_urlsafe()),
        _unknown_route(desk),
    ]


def _token_route(desk: Desk, parts: SandboxParts) -> BaseRoute:
    endpoint = desk.open(
        lambda asked: parts.accounts.grant(asked.body, asked.at),
        lambda asked: parts.accounts.asking(asked.body),
    )
    return Route(TOKEN_PATH, endpoint, methods=["POST"])


def _route(desk: Desk, collection: Collection, operation: Operation) -> BaseRoute:
    resource = collection.resource
    path = f"{resource.path}/{{id:anything}}" if operation.of_one else resource.path
    act = _act(collection, operation)
    endpoint = desk.secured(act, resource.name, changes=operation not in _READS)
    return Route(path, endpoint, methods=[operation.method])


def _act(collection: Collection, operation: Operation) -> Act:
    match operation:
        case Operation.CREATE:
            return lambda asked: collection.create(asked.body, asked.at)
        case Operation.LIST:
            return lambda asked: collection.list(asked.query)
        case Operation.READ:
            return lambda asked: collection.read(asked.external_id)
        case Operation.UPDATE:
            return lambda asked: collection.update(asked.external_id, asked.body, asked.at)
        case Operation.DELETE:
            return lambda asked: collection.delete(asked.external_id)


def _unknown_route(desk: Desk) -> BaseRoute:
    """Any other path or method: 404 without an errorCode.

    RESOURCE_NOT_FOUND would tell a client that a record is gone where only its address is wrong.
    """

    def unknown(asked: ApiRequest) -> ApiResponse:
        raise ApiError(None, "There is nothing at this address", status=404)

    route = Route("/{path:anything}", desk.open(unknown))
    route.methods = None
    return route


def _failed(options: Options) -> Callable[[Request, Exception], Response]:
    """The envelope of a mistake of the sandbox itself; the server logs where it was made."""

    def failed(_: Request, __: Exception) -> Response:
        now = options.clock()
        return response(ApiError(None, "Internal server error", status=500).answer(now), now)

    return failed
