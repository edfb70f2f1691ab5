"""`bridge merges`, without a service that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.delivery import ACCOUNT, Alias
from bridge.store.open import open_store
from tests.unit.cli.conftest import Run


@pytest.fixture
async def kept(run: Run, tmp_path: Path) -> None:
    """A store in which a patient's and an account's number lead to others."""
    known = (
        Alias("patients/4711", "patients/5822", "LOTUS", True, 1, 100.0),
        Alias(f"{ACCOUNT}/A-77", f"{ACCOUNT}/A-78", "LOTUS", True, 2, 200.0),
    )
    store = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 0.0)
    for alias in known:
        await store.run(lambda tx, alias=alias: tx.put_alias(alias))  # type: ignore[misc]
    await store.close()


@pytest.mark.usefixtures("kept")
def test_numbers_are_listed_by_message_with_their_level_and_time(run: Run) -> None:
    account, patient = run("merges").output.splitlines()[1:]
    assert account.split()[:2] == ["2", "1970-01-01"]
    assert "account" in account
    assert "patients" in patient
    assert "05:31:40 IST" in patient


@pytest.mark.usefixtures("kept")
def test_numbers_are_shown_when_asked_for(run: Run) -> None:
    masked, shown = run("merges").output, run("merges", "--reveal").output
    for number in ("4711", "5822", "A-77", "A-78"):
        assert number not in masked
        assert number in shown


@pytest.mark.usefixtures("kept")
def test_programs_read_them_as_json_a_page_at_a_time(run: Run) -> None:
    (latest,) = json.loads(run("merges", "--json", "--limit", "1").stdout)
    (earlier,) = json.loads(run("merges", "--json", "--before", str(latest["message"])).stdout)
    assert (latest["level"], earlier["level"]) == ("account", "patients")
    assert (earlier["retired"], earlier["authority"]) == (True, "•••")


async def test_where_there_is_none_that_is_said(run: Run, tmp_path: Path) -> None:
    await open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 0.0).close()
    assert run("merges").output == "No number leads to another record.\n"
