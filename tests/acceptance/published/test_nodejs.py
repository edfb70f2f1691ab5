"""The published Node.js client, with axios, against the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.processes import CLIENT, Sandbox
from tests.acceptance.published import node
from tests.acceptance.published.document import published

PROGRAM = published().program("Node.js", "Python Example")
CLASS = PROGRAM.split("// Usage example")[0]


@pytest.fixture(autouse=True)
def _node() -> None:
    node.node()


@pytest.fixture
def said(sandbox: Sandbox, tmp_path: Path) -> dict[str, Any]:
    """What each method returned."""
    drive = (Path(__file__).parent / "drive.js").read_text(encoding="utf-8")
    done = node.run(CLASS + drive, tmp_path, sandbox.url, *CLIENT)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


async def test_every_method_of_the_class_returns_what_the_document_shows(
    said: dict[str, Any],
) -> None:
    assert said["token"].keys() == published().example("Response (200 OK):").keys()
    shown = published().example("Response (201 Created)")
    assert said["patient"].keys() == shown.keys()
    assert said["patient"]["data"].keys() == shown["data"].keys()
    assert said["patient"]["data"]["externalId"] == "node-1"
    assert said["visit"]["data"]["externalId"] == "node-v1"
    assert said["listed"]["pagination"]["totalCount"] == 2
    assert [one["externalId"] for one in said["found"]["data"]] == ["node-1"]


async def test_its_refusals_are_read_by_the_class(said: dict[str, Any]) -> None:
    assert said["refused"]["errorCode"] == "VALIDATION_FAILED"
    assert said["stranger"] == "Error: Authentication failed: Client authentication failed"


async def test_the_program_runs_to_its_end(sandbox: Sandbox, tmp_path: Path) -> None:
    program = PROGRAM.replace("https://api.zautoai.com", sandbox.url)
    for word, value in zip(sample_credentials(), CLIENT, strict=True):
        program = program.replace(word, value)
    ended = program.replace("\nmain();", "\nmain().then(() => process.exit(0));")
    done = node.run(ended, tmp_path)
    assert "Error:" not in done.stderr
    told = [line for line in done.stdout.splitlines() if line[:1].isalpha()]
    assert [line.split(":")[0] for line in told] == [
        "Authentication successful",
        "Patient created",
        "Visit created",
    ]


def sample_credentials() -> tuple[str, str]:
    shown = published().example("Content-Type: application/json")
    return shown["client_id"], shown["client_secret"]
