"""What people pause and resume, with destinations that only note it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.delivery import Target
from bridge.errors import BridgeError
from bridge.pipeline.delivery.pauses import Destination, Pauses, Selection
from bridge.service.pausing import Pausing
from bridge.settings import Settings
from bridge.store.contract import Store
from bridge.store.open import open_store


class Noting:
    """A destination's end and what delivers to it, in one."""

    def __init__(self) -> None:
        self.pauses = Pauses()
        self.paused = False
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/bridge.db", free_bytes=0, clock=lambda: 0.0)
    yield opened
    await opened.close()


def pausing(store: Store, *ends: Noting) -> Pausing:
    """Of ZautoAI and, where two are given, the hospital."""
    delivers: Any = dict(zip((Target.ZAUTO, Target.HOSPITAL), ends, strict=False))
    some: Any = ends
    return Pausing(store, Settings(), {"patients"}, delivers, some, lambda: 0.0)


async def test_a_pause_is_kept_to_by_its_destination_and_known_to_all(store: Store) -> None:
    zauto, hospital = Noting(), Noting()
    await pausing(store, zauto, hospital).pause(True, Selection(Destination.HOSPITAL))
    assert (zauto.paused, hospital.paused) == (False, True)
    assert zauto.pauses == hospital.pauses != Pauses()
    assert (zauto.woken, hospital.woken) == (1, 1)


async def test_a_pause_is_taken_up_after_a_restart(store: Store) -> None:
    selection = Selection(resource="patients")
    await pausing(store, Noting()).pause(True, selection)
    after = Noting()
    restarted = pausing(store, after)
    assert after.pauses.resources == {"patients"}
    await restarted.pause(False, selection)
    assert after.pauses == pausing(store, Noting()).pauses == Pauses()


async def test_what_cannot_be_selected_changes_nothing(store: Store) -> None:
    end = Noting()
    with pytest.raises(BridgeError, match="beds"):
        await pausing(store, end).pause(True, Selection(resource="beds"))
    assert (end.pauses, end.woken) == (Pauses(), 0)
