"""What the tests of the MLLP doors share: a reactor on the test's own loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bridge.service.reactor import GuestReactor, start_reactor, stop_reactor


@pytest.fixture
async def reactor() -> AsyncIterator[GuestReactor]:
    reactor = start_reactor(asyncio.get_running_loop())
    yield reactor
    stop_reactor(reactor)
