"""Structure: whether what came is built as its version of the standard says, where a channel asks.

It takes longer than keeping a message, so it runs on a thread of its own, and no message waits for
it longer than a deadline: what cannot be judged in time is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import structlog

from bridge.errors import ReadError
from bridge.hl7v2.grammar import check_text
from bridge.message import AckError, Message, Protocol
from bridge.pipeline.channels import channel_named, header_of, text_of
from bridge.pipeline.intake.refuse import NegativeAcknowledgment
from bridge.settings import Channel, Settings

#: seconds a message may wait for its judgement
DEADLINE = 1.0

#: a message as the check reads it
T = TypeVar("T")


class Structure(Generic[T]):
    """Judges one message after the other."""

    def __init__(self, check: Callable[[T], list[str]], *, deadline: float = DEADLINE) -> None:
        """`check` tells faults in sentences that begin with their place and hold no value."""
        self._check = check
        self._deadline = deadline
        self._thread = ThreadPoolExecutor(1, "structure")
        #: the judgement that was not made in time, until it is
        self._late: Future[list[str]] | None = None
        self._log = structlog.get_logger()

    async def refusal(self, channel: Channel, message: T) -> NegativeAcknowledgment | None:
        """Why a message is refused on a channel that rejects; faults are logged for both kinds."""
        faults = await self._faults(channel, message)
        if not faults:
            return None
        error = _error(faults[0], len(faults) - 1)
        where = error.location
        self._log.warning("structure", channel=channel.name, count=len(faults), location=where)
        return (
            NegativeAcknowledgment(error, reject=False) if channel.structure == "reject" else None
        )

    async def _faults(self, channel: Channel, message: T) -> list[str]:
        if self._late is not None and not self._late.done():
            return []
        judged = self._thread.submit(self._check, message)
        try:
            async with asyncio.timeout(self._deadline):
                return await asyncio.wrap_future(judged)
        except TimeoutError:
            self._late = judged
            self._log.warning("structure not checked in time", channel=channel.name)
            return []


def structure_faults(message: Message, settings: Settings) -> list[str]:
    """All faults of a kept message, where its channel asks now; sentences without a value.

    Takes as long as the message is large: 0.2 s for 100 kB.
    """
    channel = channel_named(settings, message.channel)
    if channel.structure == "off" or message.protocol is not Protocol.HL7V2:
        return []
    try:
        return check_text(text_of(message.body, header_of(message.body, channel), channel))
    except ReadError:
        return []


def _error(fault: str, more: int) -> AckError:
    """The first fault as an ERR (table 0357), and how many there are beside it."""
    place = fault.partition(" ")[0]
    text = f"{fault} {more} more." if more else fault
    if "-" not in place:
        return AckError(place, 100, text)
    return AckError(place, 101 if " is empty;" in fault else 102, text)
