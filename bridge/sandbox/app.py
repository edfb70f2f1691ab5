"""ZautoAI's API as a Starlette application, made from the catalogue."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.routing import BaseRoute, Route

from bridge.errors import DoorError
from bridge.sandbox.accounts import Accounts
from bridge.sandbox.answers import Answer, Refusal
from bridge.sandbox.collection import Collection
from bridge.sandbox.control import Control
from bridge.sandbox.desk import Asked, Clock, Desk
from bridge.sandbox.limits import Limiter, Limits
from bridge.sandbox.openapi import openapi_route
from bridge.sandbox.push import Partner
from bridge.sandbox.state import State
from bridge.zauto.catalogue import Catalogue
from bridge.zauto.contract import TOKEN_PATH, ErrorCode

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class _Anything(PathConvertor):
    """The rest of a path: an external id may hold a slash, and a line end."""

    regex = r"[\s\S]*"


register_url_convertor("anything", _Anything())


def make_app(
    catalogue: Catalogue,
    state: State,
    *,
    clock: Clock = time.time,
    limits: Limits | None = Limits(),  # noqa: B008 (frozen)
    partner: Partner | None = None,
) -> Starlette:
    """The API over `state`, with the catalogue's test records in it.

    `limits` None lifts them and leaves their headers out; `partner` is where orders are pushed.
    Raises DoorError when a test record of the catalogue does not fit.
    """
    accounts = Accounts(state)
    accounts.forget_expired(clock())
    collections = [Collection(resource, state) for resource in catalogue.resources.values()]

    def seed() -> None:
        _seed(collections, clock())

    with state.transaction():
        seed()
    desk = Desk(state, accounts, Limiter(limits) if limits else None, clock)
    return Starlette(
        routes=[
            _token_route(desk, accounts),
            *(route for collection in collections for route in _routes(desk, collection)),
            openapi_route(catalogue, limited=limits is not None),
            *Control(state, seed, partner, clock).routes(),
            _unknown_route(desk, accounts),
        ]
    )


def _seed(collections: list[Collection], now: float) -> None:
    """Make the test records that are not there, in the catalogue's order: referents first."""
    for collection in collections:
        for example in collection.resource.examples:
            _make(collection, example, now)


def _make(collection: Collection, example: Mapping[str, Any], now: float) -> None:
    try:
        collection.create(orjson.dumps(example), now)
    except Refusal as refusal:
        if refusal.code is ErrorCode.DUPLICATE_EXTERNAL_ID:
            return
        faults = "; ".join(f"{e.field} {e.message}" for e in refusal.errors)
        name = f"mappings/zauto, resource '{collection.resource.name}'"
        raise DoorError(f"{name}: an example does not fit its fields: {faults}") from refusal


def _token_route(desk: Desk, accounts: Accounts) -> BaseRoute:
    endpoint = desk.open(
        lambda asked: accounts.grant(asked.body, asked.at),
        lambda asked: accounts.asking(asked.body),
    )
    return Route(TOKEN_PATH, endpoint, methods=["POST"])


def _routes(desk: Desk, collection: Collection) -> list[BaseRoute]:
    def route(path: str, method: str, act: Callable[[Asked], Answer]) -> BaseRoute:
        endpoint = desk.secured(act, collection.resource.name)
        return Route(path, endpoint, methods=[method])

    path = collection.resource.path
    one = f"{path}/{{id:anything}}"
    return [
        route(path, "POST", lambda asked: collection.create(asked.body, asked.at)),
        route(path, "GET", lambda asked: collection.list(asked.query)),
        route(one, "GET", lambda asked: collection.read(asked.external_id)),
        route(one, "PUT", lambda asked: collection.update(asked.external_id, asked.body, asked.at)),
        route(one, "DELETE", lambda asked: collection.delete(asked.external_id)),
    ]


def _unknown_route(desk: Desk, accounts: Accounts) -> BaseRoute:
    """Any other path or method: 404 without an errorCode.

    RESOURCE_NOT_FOUND would tell a client that a record is gone where only its address is wrong.
    """

    def unknown(asked: Asked) -> Answer:
        raise Refusal(None, "There is nothing at this address", status=404)

    endpoint = desk.open(unknown, lambda asked: accounts.bearer(asked.authorization, asked.at))
    return Route("/{path:anything}", endpoint, methods=METHODS)
