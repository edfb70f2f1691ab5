"""Every store there is, each run through the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bridge.store.contract import Store
from bridge.store.open import open_store


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store of each kind can be opened."""
    return {"sqlite": f"sqlite:///{tmp_path}/kept/bridge.db"}[request.param]


@pytest.fixture
def reopen(url: str) -> Callable[[], Store]:
    """Opens the store of this test, again after it was closed."""
    return lambda: open_store(url, free_bytes=0, clock=lambda: 0.0)


@pytest.fixture
async def store(reopen: Callable[[], Store]) -> AsyncIterator[Store]:
    opened = reopen()
    yield opened
    await opened.close()
