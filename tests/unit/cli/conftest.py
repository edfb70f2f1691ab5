from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bridge.cli.app import app
from bridge.service.service import Service

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty folder, with a store of its own and no other settings."""
    for name in os.environ:
        if name.startswith("BRIDGE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRIDGE_STORE__URL", f"sqlite:///{tmp_path}/bridge.db")
    monkeypatch.setenv("BRIDGE_STORE__FREE_BYTES", "0")
    monkeypatch.setenv("COLUMNS", "200")
    runner = CliRunner()
    return lambda *words: runner.invoke(app, list(words))


@pytest.fixture(params=["running", "stopped"])
async def reached(request: pytest.FixtureRequest, service: Service) -> str:
    """The `service` of the test's module, running or stopped; commands reach its store."""
    if request.param == "stopped":
        await service.stop()
    return str(request.param)
