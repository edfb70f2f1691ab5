"""What a sandbox is made of, for whoever serves a part of it."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from bridge.errors import DoorError
from bridge.sandbox.accounts import Accounts
from bridge.sandbox.answers import ApiError
from bridge.sandbox.collection import Collection
from bridge.sandbox.database import Database
from bridge.sandbox.faults import Plan
from bridge.sandbox.limits import DOCUMENTED, Limiter, RequestLimits
from bridge.sandbox.outbox import Outbox
from bridge.sandbox.push import Partner
from bridge.sandbox.resets import Clock, Resets
from bridge.sandbox.wire import Sleep
from bridge.zauto.catalogue import Catalogue
from bridge.zauto.contract import ErrorCode


@dataclass(frozen=True, slots=True)
class Options:
    """How a sandbox is to behave."""

    #: None lifts them and leaves their headers out
    limits: RequestLimits | None = DOCUMENTED
    #: where orders are pushed
    partner: Partner | None = None
    #: the faults to begin with; None plays none, whatever a request or a plan asks for
    plan: Plan | None = None
    #: time of day in UTC at which records are reset; None for never
    nightly: datetime.time | None = None
    clock: Clock = time.time
    sleep: Sleep = asyncio.sleep


AS_DOCUMENTED = Options()
UNLIMITED = Options(limits=None)


@dataclass(frozen=True, slots=True)
class SandboxParts:
    """A sandbox without its addresses."""

    catalogue: Catalogue
    options: Options
    state: Database
    accounts: Accounts
    #: by the resource's name, referents first
    collections: Mapping[str, Collection]
    limiter: Limiter | None
    resets: Resets
    outbox: Outbox


def make_parts(catalogue: Catalogue, state: Database, options: Options) -> SandboxParts:
    """The parts over `state`, with the catalogue's test records in it.

    Raises DoorError when a test record of the catalogue does not fit.
    """
    accounts, now = Accounts(state), options.clock()
    accounts.forget_expired(now)
    collections = {name: Collection(each, state) for name, each in catalogue.resources.items()}

    def seed() -> None:
        _seed(collections, options.clock())

    with state.transaction():
        seed()
    return SandboxParts(
        catalogue,
        options,
        state,
        accounts,
        collections,
        Limiter(options.limits) if options.limits else None,
        Resets(state, seed, options.nightly, now),
        Outbox(state.db, options.partner, options.clock),
    )


def _seed(collections: Mapping[str, Collection], now: float) -> None:
    """Make the test records that are not there, in the catalogue's order: referents first."""
    for collection in collections.values():
        for example in collection.resource.examples:
            _make(collection, example, now)


def _make(collection: Collection, example: Mapping[str, object], now: float) -> None:
    try:
        collection.create(orjson.dumps(example), now)
    except ApiError as refusal:
        if refusal.code is ErrorCode.DUPLICATE_EXTERNAL_ID:
            return
        faults = "; ".join(f"{e.field} {e.message}" for e in refusal.errors)
        name = f"mappings/zauto, resource '{collection.resource.name}'"
        raise DoorError(f"{name}: an example does not fit its fields: {faults}") from refusal
