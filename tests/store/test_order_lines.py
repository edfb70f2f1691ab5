"""What the hospital was sent of services, message by message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bridge.message import Status
from bridge.order import OrderLine, OrderState
from bridge.store.contract import Store, Transaction
from tests.store.samples import keep

PLACED = OrderLine("V1", "SRV-ECG", 1, 1, OrderState.PLACED, "", "250", 1)
CANCELLED = replace(PLACED, state=OrderState.CANCELLED, status="IP", posted="", transactions=2)


async def send(store: Store, *lines: OrderLine) -> int:
    """Keep a message that sends these lines."""

    def job(tx: Transaction) -> int:
        message_id = keep(tx).id
        for line in lines:
            tx.add_order_line(line, message_id)
        return message_id

    return await store.run(job)


def lines(store: Store, visit: str = "V1") -> list[OrderLine]:
    return list(store.read(lambda view: view.order_lines(visit)))


async def test_a_line_comes_back_as_the_last_message_left_it(
    store: Store, reopen: Callable[[], Store]
) -> None:
    await send(store, PLACED)
    await send(store, CANCELLED)
    assert lines(store) == [CANCELLED]
    await store.close()
    again = reopen()
    assert lines(again) == [CANCELLED]
    await again.close()


async def test_lines_are_those_of_the_visit_each_service_and_occurrence_apart(store: Store) -> None:
    others = [replace(PLACED, service="SRV-CBC"), replace(PLACED, occurrence=2)]
    await send(store, PLACED, *others, replace(PLACED, visit_id="V2"))
    assert lines(store) == [PLACED, *others]
    assert lines(store, "V2") == [replace(PLACED, visit_id="V2")]
    assert lines(store, "V3") == []


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (Status.WAITING, True),
        (Status.DELIVERED, True),
        (Status.PARKED, False),
        (Status.SUPERSEDED, False),
    ],
)
async def test_what_was_not_taken_does_not_count(
    store: Store, status: Status, counts: bool
) -> None:
    await send(store, PLACED)
    message_id = await send(store, CANCELLED)
    await store.run(lambda tx: tx.mark(message_id, status, at=2.0))
    # no charge has the number of one that was refused
    assert lines(store) == [CANCELLED if counts else replace(PLACED, transactions=2)]


async def test_a_message_that_is_taken_through_again_says_the_last_word(store: Store) -> None:
    first = await send(store, PLACED)
    await send(store, CANCELLED)
    later = replace(PLACED, issue=2, transactions=3)
    await store.run(lambda tx: tx.add_order_line(later, first))
    assert lines(store) == [later]


async def test_a_line_of_refused_messages_alone_is_a_new_one_with_their_count(store: Store) -> None:
    message_id = await send(store, PLACED)
    await store.run(lambda tx: tx.mark(message_id, Status.PARKED, at=2.0))
    assert lines(store) == [OrderLine("V1", "SRV-ECG", transactions=1)]
