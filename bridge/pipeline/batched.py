"""Batched: the messages of one frame, each kept and answered as if it had come alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

from bridge.hl7v2.batches import BatchFile
from bridge.message import Reply

#: messages handed in side by side: they are kept in their order, and committed together
TOGETHER = 64


async def take_all(
    file: BatchFile, take: Callable[[bytes], Awaitable[Reply]]
) -> Sequence[Sequence[bytes]]:
    """The acknowledgments of each batch's messages, in their order, without those not wanted."""
    messages = iter([body for each in file.batches for body in each.messages])
    replies: list[Reply] = []
    while some := list(islice(messages, TOGETHER)):
        replies += await asyncio.gather(*map(take, some))
    told = iter(replies)
    return [
        [reply.acknowledgment for reply in islice(told, len(each.messages)) if reply.acknowledgment]
        for each in file.batches
    ]
