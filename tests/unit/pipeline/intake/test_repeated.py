"""Copies of a push of services are one message, but for what was pushed otherwise in between."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.errors import KeyReused
from bridge.message import Message, Protocol, Status
from bridge.pipeline.intake.repeated import keep_order
from bridge.store.contract import Store
from bridge.store.open import open_store

WINDOW = 600.0


class Door:
    """Keeps pushes, a second after one another."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bridge.db"
        self.now = 1_000_000.0
        self.store: Store = open_store(
            f"sqlite:///{folder}/bridge.db", free_bytes=0, clock=lambda: self.now
        )

    async def push(
        self, status: str, key: str = "", visit: str = "V1", kind: str = "service-order"
    ) -> int:
        self.now += 1
        body = json.dumps({"externalVisitId": visit, "Services": [{"status": status}]}).encode()
        order = Message("orders", Protocol.ORDERS, kind, key, "", "", self.now, body)
        kept = await self.store.run(lambda tx: keep_order(tx, order, Status.WAITING, WINDOW))
        return kept.id


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path)
    yield made
    await made.store.close()


async def test_a_copy_of_the_last_push_is_one_message_within_the_window(door: Door) -> None:
    first = await door.push("SCHEDULED")
    assert await door.push("SCHEDULED") == first
    door.now += WINDOW
    second = await door.push("SCHEDULED")
    assert second != first
    assert await door.push("SCHEDULED") == second


async def test_another_push_for_the_visit_in_between_makes_it_a_new_one(door: Door) -> None:
    said = ["SCHEDULED", "CANCELLED", "SCHEDULED", "CANCELLED"]
    kept = [await door.push(each) for each in said]
    assert len(set(kept)) == 4
    assert await door.push("CANCELLED") == kept[-1]


async def test_a_push_for_another_visit_in_between_does_not(door: Door) -> None:
    first = await door.push("SCHEDULED")
    await door.push("CANCELLED", visit="V2")
    assert await door.push("SCHEDULED") == first


async def test_a_prescription_is_a_copy_whatever_came_in_between(door: Door) -> None:
    said = ["one", "other", "one"]
    first, other, again = [await door.push(each, kind="prescription-order") for each in said]
    assert other != first == again


async def test_a_key_names_one_push_whatever_came_in_between(door: Door) -> None:
    first = await door.push("SCHEDULED", "K1")
    cancelled = await door.push("CANCELLED")
    assert await door.push("SCHEDULED", "K1") == first
    # the late copy was no push of its own
    assert await door.push("CANCELLED") == cancelled
    await door.push("SCHEDULED", "K2")
    assert await door.push("CANCELLED") != cancelled


async def test_a_key_of_another_order_is_refused_and_was_no_push(door: Door) -> None:
    await door.push("SCHEDULED", "K1")
    cancelled = await door.push("CANCELLED")
    with pytest.raises(KeyReused):
        await door.push("UPDATED", "K1")
    assert await door.push("CANCELLED") == cancelled


@pytest.mark.parametrize("damage", ["DELETE FROM body", "UPDATE body SET bytes = x'7b7d'"])
async def test_a_key_is_the_same_order_where_the_body_of_the_first_is_lost(
    door: Door, damage: str
) -> None:
    first = await door.push("SCHEDULED", "K1")
    await door.store.run(lambda tx: tx.mark(first, Status.DELIVERED, at=door.now))
    with sqlite3.connect(door.path) as other:
        other.execute(damage)
    assert await door.push("SCHEDULED", "K1") == first
