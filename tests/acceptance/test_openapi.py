"""schemathesis finds nothing that `/openapi.json` does not say."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx
import pytest

from bridge.sandbox.limits import RequestLimits
from bridge.sandbox.parts import Options
from bridge.sandbox.serve import TEST_CLIENT, running
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import load
from bridge.zauto.contract import STATUS_OF, TOKEN_PATH, ErrorCode
from tests.patience import PATIENCE

#: never reached, so that the headers are there and no request is refused
ENDLESS = RequestLimits(hour=10**9, minute=10**9)
WORDS = [
    "--seed=1",
    "--max-examples=15",
    f"--request-timeout={PATIENCE:.0f}",
    # the vendor's document has no 405 among its statuses: a method it does not name is answered 404
    "--exclude-checks=unsupported_method",
    "--no-color",
]


async def access_token(url: str) -> str:
    asked = {"grant_type": "client_credentials"}
    asked |= {"client_id": TEST_CLIENT.client_id, "client_secret": TEST_CLIENT.client_secret}
    async with httpx.AsyncClient(timeout=PATIENCE, base_url=url, trust_env=False) as client:
        answer = await client.post(TOKEN_PATH, json=asked)
    return str(answer.json()["access_token"])


async def schemathesis(url: str, folder: Path, *more: str) -> tuple[int, str]:
    """Run it as its users do; its exit code and what it printed."""
    header = f"--header=Authorization: Bearer {await access_token(url)}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
        *(header, *WORDS, *more),
        cwd=folder,  # where it leaves its notes
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), 3 * PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, printed.decode()


async def test_no_answer_is_undocumented_and_none_a_servers_error(tmp_path: Path) -> None:
    catalogue = load(mappings_folder() / "zauto")
    async with running(catalogue, client=TEST_CLIENT, options=Options(ENDLESS)) as sandbox:
        code, printed = await schemathesis(sandbox.url, tmp_path)
    operations = 1 + 5 * len(catalogue.resources)
    assert code == 0, printed
    assert f"Tested: {operations}" in printed, printed


async def test_an_answer_that_is_undocumented_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {**STATUS_OF, ErrorCode.VALIDATION_FAILED: 409}
    monkeypatch.setattr("bridge.zauto.openapi.STATUS_OF", wrong)
    catalogue = load(mappings_folder() / "zauto")
    few = ("--include-operation-id=createFacility", "--phases=coverage")
    async with running(catalogue, client=TEST_CLIENT, options=Options(ENDLESS)) as sandbox:
        code, printed = await schemathesis(sandbox.url, tmp_path, *few)
    assert code == 1
    assert "Undocumented status code" in printed, printed
