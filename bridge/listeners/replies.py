"""What one piece of a sender's stream is answered: a frame, one too large, or bytes of no frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog
from twisted.internet.interfaces import IReactorTime

from bridge.errors import ReadError
from bridge.hl7v2 import ack
from bridge.hl7v2.framing import Found, Frame, Junk, Oversize
from bridge.hl7v2.header import scan
from bridge.message import AckError, Acknowledgment, Reply
from bridge.settings import Channel, Limits

log = structlog.get_logger()

#: bytes without the beginning of a frame after which a sender does not speak MLLP
STRAY_BYTES = 4096
#: bytes between frames that say nothing: line ends and padding
FILLER = b" \t\r\n\0"
HANG_UP = Reply(None, close=True)


class Hl7Intake(Protocol):
    """What the MLLP door needs of intake."""

    async def take_hl7(self, channel: Channel, body: bytes, peer: str) -> Reply:
        """Keep one message and say what is answered; StoreBusy when nothing may be."""

    async def quarantine(self, channel: str, peer: str, reason: str, head: bytes) -> None:
        """Keep the first bytes of what is not a message."""


class Replying(Protocol):
    """What a reply needs of the listener."""

    channel: Channel
    limits: Limits
    intake: Hl7Intake
    clock: IReactorTime
    new_id: Callable[[], str]
    last_seen: float | None


async def reply_to(piece: Found, listener: Replying, peer: str) -> Reply:
    """Hand a piece to intake, and return what its sender is answered."""
    listener.last_seen = at = listener.clock.seconds()
    if isinstance(piece, Frame):
        return await listener.intake.take_hl7(listener.channel, piece.body, peer)
    if isinstance(piece, Oversize):
        reason = f"frame of more than {listener.limits.frame} bytes"
        await _quarantine(piece, listener, peer, reason)
        return _refuse_oversize(piece.head, at=at, control_id=listener.new_id())
    if piece.head.strip(FILLER):
        await _quarantine(piece, listener, peer, "bytes that make no frame")
    return Reply(None, close=piece.size >= STRAY_BYTES)


async def _quarantine(piece: Junk | Oversize, listener: Replying, peer: str, reason: str) -> None:
    name = listener.channel.name
    log.warning("no message: kept in quarantine", channel=name, peer=peer, bytes=piece.size)
    await listener.intake.quarantine(name, peer, reason, piece.head)


def _refuse_oversize(head: bytes, *, at: float, control_id: str) -> Reply:
    """The answer to a frame too large to take, from its first bytes; none if they are not HL7."""
    try:
        header = scan(head)
    except ReadError:
        return HANG_UP
    code = ack.unable(header)
    if not ack.wanted(header, code):
        return HANG_UP
    text = "frame is larger than this receiver takes"
    answer = Acknowledgment(code, header.control_id, text, (AckError("", 207, text),))
    return Reply(ack.write(answer, header, at=at, control_id=control_id), close=True)
