from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.unit.pipeline.bench import Bench
from tests.unit.pipeline.desk import Desk


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    await made.store.close()


@pytest.fixture
def open_desk(tmp_path: Path) -> Callable[..., Desk]:
    return lambda **settings: Desk(tmp_path, **settings)


@pytest.fixture
async def desk(open_desk: Callable[..., Desk]) -> AsyncIterator[Desk]:
    made = open_desk()
    yield made
    await made.store.close()
