"""The store is probed, so that it knows whether it can be written while nobody sends."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.pipeline.delivery.probe import Probe
from bridge.store.contract import Store
from bridge.store.open import open_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 7.0)
    yield opened
    await opened.close()


async def test_a_probe_finds_that_the_store_fails_and_that_it_works_again(
    store: Store, tmp_path: Path
) -> None:
    with (
        capture_logs() as logs,
        closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other,
    ):
        probe = Probe(store, lambda: 7.0)
        other.execute("BEGIN IMMEDIATE")
        await probe.once()
        await probe.once()
        assert store.failing_since == 7.0
        other.execute("ROLLBACK")
        await probe.once()
    # once, not at each try; that it works again is below the level that the tests log
    assert [each["event"] for each in logs] == ["store cannot be written"]
    assert store.failing_since is None
    assert store.read(lambda view: view.seen_at()) == 7.0
