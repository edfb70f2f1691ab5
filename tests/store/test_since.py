"""Reading again what was kept since a time."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from bridge.message import Status
from bridge.store.contract import Store
from bridge.store.records import KeptMessage
from tests.store.samples import a_message, keep


async def since(store: Store, at: float, page: int = 2) -> list[KeptMessage]:
    found: list[KeptMessage] = []
    while True:
        after = found[-1].id if found else 0
        more = store.read(lambda view, a=after: view.kept_since(at, after=a, limit=page))
        if not more:
            return found
        assert len(more) <= page
        found += more


async def test_all_that_came_since_a_time_is_read_page_by_page_in_order(store: Store) -> None:
    for at in (100.0, 200.0, 150.0, 300.0, 200.0):
        await store.run(lambda tx, at=at: keep(tx, a_message(received_at=at, body=b"%d" % at)))
    found = await since(store, 200.0)
    assert [kept.message.body for kept in found] == [b"200", b"300", b"200"]
    assert [kept.id for kept in found] == [2, 4, 5]


async def test_what_was_rejected_is_left_out_and_any_other_status_is_not(store: Store) -> None:
    for status in (Status.REJECTED, Status.UNMAPPED, Status.WAITING):
        await store.run(lambda tx, status=status: keep(tx, status=status))
    assert [kept.status for kept in await since(store, 0)] == [Status.UNMAPPED, Status.WAITING]


async def test_a_damaged_message_comes_without_its_body_and_stops_nothing(
    store: Store, url: str
) -> None:
    for _ in range(3):
        await store.run(keep)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other, other:
        other.execute("UPDATE body SET bytes = x'00' WHERE message_id = 2")
    bodies = [kept.message.body for kept in await since(store, 0)]
    assert bodies == [a_message().body, b"", a_message().body]
