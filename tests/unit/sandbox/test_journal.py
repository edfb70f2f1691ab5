from __future__ import annotations

import sqlite3

import httpx
import pytest

from bridge.sandbox.database import Database

PROVIDER = {"id": "d1", "fullName": "Dr. Farah Khan"}


async def test_it_tells_each_effect_in_order_with_what_was_sent(
    api: httpx.AsyncClient, state: Database
) -> None:
    before = state.journal.last(1)[0][0]
    await api.post("/zauto-api/providers", json=PROVIDER)
    await api.put("/zauto-api/providers/d1", json={"email": "f@example.org"})
    await api.put("/zauto-api/providers/d1", json={"email": 7})
    await api.get("/zauto-api/providers/d1")
    await api.request("DELETE", "/zauto-api/providers/d1", content=b"\xff")
    shown = (await api.get(f"/sandbox/journal?after={before}")).json()["entries"]
    assert [(e["effect"], e["sent"], e["created"]) for e in shown] == [
        ("created", PROVIDER, True),
        ("updated", {"email": "f@example.org"}, False),
        ("", None, False),
        ("", None, False),
        ("deleted", None, False),
    ]


@pytest.mark.parametrize(
    "change", ["UPDATE journal SET status = 200", "DELETE FROM journal WHERE sequence = 1"]
)
async def test_no_entry_is_ever_changed_or_removed(
    api: httpx.AsyncClient, state: Database, change: str
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        state.db.execute(change)


async def test_the_newest_come_first_when_asked_for(
    api: httpx.AsyncClient, state: Database
) -> None:
    await api.get("/zauto-api/providers")
    await api.get("/zauto-api/patients")
    paths = [entry.path for _, entry in state.journal.last(2)]
    assert paths == ["/zauto-api/patients", "/zauto-api/providers"]
