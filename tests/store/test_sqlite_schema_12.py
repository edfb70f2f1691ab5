"""A store that kept calls and stops as notes, opened by this version."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.delivery import Reason, Target
from bridge.store.far_end import Breaker
from bridge.store.open import open_store
from bridge.store.sqlite import opening

BUDGET = json.dumps({"held_until": 500.0, "calls": [[40, 2], [41, 1]]})
CLOSED = {"since": 400.0, "until": 520.0, "seconds": 120.0, "reason": "over the call limit"}
CLOSINGS = json.dumps({"client": "ab12", "closed": {"": {**CLOSED, "times": 2}}})


@pytest.mark.parametrize(
    ("notes", "steps", "breakers"),
    [
        ({}, [], []),
        ({"closings": "", "paused": "yes"}, [], []),
        (
            {"budget": BUDGET, "closings": CLOSINGS},
            [(40, 2), (41, 1)],
            [Breaker("", 400.0, 520.0, 120.0, Reason.LIMITED, 2, "ab12")],
        ),
        (
            {"closings": json.dumps({"client": "", "closed": {"patients": CLOSED}})},
            [],
            [Breaker("patients", 400.0, 520.0, 120.0, Reason.LIMITED, 1)],
        ),
    ],
)
async def test_notes_become_rows(
    tmp_path: Path, notes: dict[str, str], steps: list[object], breakers: list[object]
) -> None:
    path = tmp_path / "bridge.db"
    with closing(sqlite3.connect(path)) as file:
        for step in opening.schema_steps()[:12]:
            file.executescript(step)
        file.execute("PRAGMA user_version = 12")
        file.executemany("INSERT INTO note VALUES (?, ?)", notes.items())
        file.commit()
    store = open_store(f"sqlite:///{path}", free_bytes=0, clock=lambda: 0.0)
    try:
        assert store.read(lambda view: view.call_counts(Target.ZAUTO)) == (0, steps, None)
        assert store.read(lambda view: view.breakers(Target.ZAUTO)) == breakers
        assert store.read(lambda view: (view.note("budget"), view.note("closings"))) == (None, None)
        assert store.read(lambda view: view.note("paused")) == notes.get("paused")
    finally:
        await store.close()
