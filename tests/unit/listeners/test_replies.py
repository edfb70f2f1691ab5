from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from twisted.internet.task import Clock

from bridge.hl7v2.framing import Found, Frame, Junk, Oversize
from bridge.listeners.replies import STRAY_BYTES, reply_to
from bridge.message import Reply
from bridge.settings import Channel, Limits

HEAD = b"MSH|^~\\&|LAB|HOSP|ZAUTO|CLINIC|20261122090000||ADT^A04|A1|P|2.5.1\r"
PEER = "192.0.2.1:4000"


@dataclass
class FakeIntake:
    """Notes what it is handed."""

    taken: list[bytes] = field(default_factory=list)
    quarantined: list[tuple[str, bytes]] = field(default_factory=list)

    async def take_hl7(self, channel: Channel, body: bytes, peer: str) -> Reply:
        self.taken.append(body)
        return Reply(b"AA")

    async def quarantine(self, channel: str, peer: str, reason: str, head: bytes) -> None:
        self.quarantined.append((reason, head))


@dataclass
class Listener:
    """What a reply needs of one."""

    intake: FakeIntake = field(default_factory=FakeIntake)
    channel: Channel = field(default_factory=lambda: Channel(name="adt"))
    limits: Limits = field(default_factory=lambda: Limits(frame=65536))
    clock: Clock = field(default_factory=Clock)
    new_id: Callable[[], str] = lambda: "BRIDGE1"
    last_seen: float | None = None


async def test_a_frame_is_intakes() -> None:
    listener = Listener()
    listener.clock.advance(7)
    assert await reply_to(Frame(b"text"), listener, PEER) == Reply(b"AA")
    assert (listener.intake.taken, listener.intake.quarantined) == ([b"text"], [])
    assert listener.last_seen == 7


async def test_a_frame_too_large_is_kept_in_quarantine_and_refused() -> None:
    listener = Listener()
    reply = await reply_to(Oversize(HEAD, 65537), listener, PEER)
    assert reply.close
    assert b"MSA|AR|A1" in (reply.acknowledgment or b"")
    assert listener.intake.quarantined == [("frame of more than 65536 bytes", HEAD)]


async def test_one_too_large_that_is_not_hl7_is_hung_up_on() -> None:
    reply = await reply_to(Oversize(b"GET / HTTP/1.1", 65537), Listener(), PEER)
    assert reply == Reply(None, close=True)


@pytest.mark.parametrize(
    ("piece", "kept", "close"),
    [
        (Junk(b"\r\n\x00", 3), 0, False),
        (Junk(b"stray", 5), 1, False),
        (Junk(b"x" * STRAY_BYTES, STRAY_BYTES), 1, True),
        (Junk(b" " * STRAY_BYTES, STRAY_BYTES), 0, True),
    ],
    ids=["filler", "stray bytes", "no MLLP", "endless filler"],
)
async def test_bytes_of_no_frame_are_not_answered(piece: Found, kept: int, close: bool) -> None:
    listener = Listener()
    assert await reply_to(piece, listener, PEER) == Reply(None, close=close)
    assert len(listener.intake.quarantined) == kept
