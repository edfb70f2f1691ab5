"""Batched: the messages of one frame, each kept and answered as if it had come alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

from bridge.hl7v2.batches import BatchFile
from bridge.hl7v2.beginnings import FrameItem
from bridge.message import Owed, Reply

#: messages handed in side by side: they are kept in their order, and committed together
TOGETHER = 64


async def take_all(
    file: BatchFile, take: Callable[[FrameItem], Awaitable[Reply]]
) -> Sequence[Sequence[Reply]]:
    """The replies to each batch's messages, in their order."""
    items = iter(file.items)
    replies: list[Reply] = []
    while some := list(islice(items, TOGETHER)):
        replies += await asyncio.gather(*map(take, some))
    told = iter(replies)
    return [list(islice(told, len(each.items))) for each in file.batches]


def acknowledgments(replies: Sequence[Sequence[Reply]]) -> Sequence[Sequence[bytes]]:
    """Those of each batch, without those not wanted."""
    return [[reply.acknowledgment for reply in batch if reply.acknowledgment] for batch in replies]


def owed(replies: Sequence[Sequence[Reply]]) -> tuple[Owed, ...]:
    """What follows later, of all batches."""
    return tuple(owed for batch in replies for reply in batch for owed in reply.owes)
