"""What the sender of a frame that is too large is told."""

from __future__ import annotations

from bridge.errors import ReadError
from bridge.hl7v2 import ack
from bridge.hl7v2.header import scan
from bridge.message import AckError, Acknowledgment, Reply

HANG_UP = Reply(None, close=True)


def refuse_oversize(head: bytes, *, at: float, control_id: str) -> Reply:
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
