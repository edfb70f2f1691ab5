"""`bridge codes`, `bridge mapping versions` and the rest, without a service that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import BridgeError
from bridge.mapping.language.load import load
from bridge.pipeline.planning.uses import USES_NOTE, Uses
from bridge.pipeline.planning.versions import version_of
from bridge.settings import Site
from bridge.shipped import mappings_folder
from bridge.store.contract import Transaction
from bridge.store.open import open_store
from bridge.zauto.catalogue import load as load_catalogue
from tests.unit.cli.conftest import Run

SHIPPED = load([mappings_folder()], load_catalogue(mappings_folder() / "zauto"), Site())


@pytest.fixture
async def kept(run: Run, tmp_path: Path) -> None:
    """A store with two codes, and one set of mappings that was in use."""

    def job(tx: Transaction) -> None:
        tx.count_code("gender", "W", "MEDIS|RIVERSIDE", 100.0)
        tx.count_code("language", "Anjali", "MEDIS|RIVERSIDE", 100.0)
        tx.keep_mappings(version_of(SHIPPED, 100.0))
        hashes = {"": SHIPPED.hash}
        tx.put_note(USES_NOTE, Uses().take(hashes, hashes, 100.0).note())

    store = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 0.0)
    await store.run(job)
    await store.close()


@pytest.mark.usefixtures("kept")
def test_codes_are_listed_with_table_sender_and_times(run: Run) -> None:
    output = run("codes").output
    assert "codes/gender" in output
    assert "MEDIS|RIVERSIDE" in output
    assert "1970-01-01 05:31:40 IST" in output


@pytest.mark.usefixtures("kept")
def test_what_may_be_a_word_about_a_person_is_shown_when_asked_for(run: Run) -> None:
    assert "Anjali" not in run("codes").output
    assert "Anjali" in run("codes", "--reveal").output


@pytest.mark.usefixtures("kept")
def test_versions_are_listed_with_what_is_pinned(run: Run) -> None:
    output = run("mapping", "versions").output
    assert SHIPPED.hash in output
    assert "(shipped) pinned" in output
    assert f"mappings: {SHIPPED.hash} since 1970-01-01 05:31:40 IST, pinned" in run("status").output


@pytest.mark.parametrize("words", [["reload"], ["rollback"], ["rollback", "abc"]])
def test_without_a_service_nothing_can_be_reloaded(run: Run, words: list[str]) -> None:
    result = run("mapping", *words)
    assert isinstance(result.exception, BridgeError)
    assert "no service answers" in str(result.exception)
