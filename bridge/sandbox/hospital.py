"""A stand-in for a hospital's interface engine: an MLLP receiver that records and answers.

It shares no code with the bridge, so that a mistake there does not find its double here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

_START, _END = b"\x0b", b"\x1c\r"
#: bytes of one frame
_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HospitalReply:
    """How one message is answered."""

    #: MSA-1; "" for what the message asks: AA, or CA and AA by MSH-15 and MSH-16
    code: str = ""
    #: MSA-2; None for the control id of the message
    control_id: str | None = None
    #: HL7 table 0357, put into ERR-3; None leaves ERR out
    error: int | None = None
    #: no answer at all; the connection stays open
    silent: bool = False


ACCEPT = HospitalReply()
SILENCE = HospitalReply(silent=True)


class HospitalReceiver:
    """What was received, and how the next messages will be answered."""

    def __init__(self) -> None:
        #: bodies in the order of arrival, answered or not
        self.received: list[bytes] = []
        #: the answers to each of them, none where it got none
        self.answered: list[tuple[bytes, ...]] = []
        #: replies to the next messages, one each; then `usual`
        self.planned: deque[HospitalReply] = deque()
        self.usual = ACCEPT
        self.port = 0
        self._arrived = asyncio.Condition()
        self._open: set[asyncio.StreamWriter] = set()

    async def wait_for(self, count: int) -> None:
        """Return once that many messages have arrived in all."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the far end closes it."""
        self._open.add(writer)
        with suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            while True:
                await reader.readuntil(_START)
                frame = await reader.readuntil(_END)
                await self._take(frame.removesuffix(_END), writer)
        self._open.discard(writer)
        writer.close()

    async def _take(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        reply = self.planned.popleft() if self.planned else self.usual
        async with self._arrived:
            self.received.append(body)
            answers = _answers(body, reply, len(self.received))
            self.answered.append(tuple(answers))
            self._arrived.notify_all()
        for answer in answers:
            writer.write(_START + answer + _END)
        await writer.drain()

    def hang_up(self) -> None:
        """Close every connection at once."""
        for writer in self._open:
            writer.close()


@asynccontextmanager
async def receiving(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[HospitalReceiver]:
    """A hospital listening in this event loop; `port` 0 takes a free one."""
    hospital = HospitalReceiver()
    server = await asyncio.start_server(hospital.talk, host, port, limit=_LARGEST)
    hospital.port = server.sockets[0].getsockname()[1]
    try:
        yield hospital
    finally:
        server.close()
        hospital.hang_up()
        await server.wait_closed()


def _answers(body: bytes, reply: HospitalReply, number: int) -> list[bytes]:
    if reply.silent:
        return []
    header = _header(body)
    codes = [reply.code] if reply.code else _wanted(header)
    return [_answer(header, code, reply, f"H{number}{code}") for code in codes]


def _header(body: bytes) -> list[str]:
    """MSH split so that index n is MSH-n; padded to MSH-16."""
    text = body.split(b"\r", 1)[0].decode("utf-8", "replace")
    separator = text[3:4] or "|"
    fields = ["MSH", separator, *text.split(separator)[1:]]
    return fields + [""] * (17 - len(fields))


def _wanted(header: list[str]) -> list[str]:
    """Original mode: AA. Enhanced mode, either of MSH-15 and 16 given: what they ask for."""
    accept, application = header[15], header[16]
    if not accept and not application:
        return ["AA"]
    wanted = {"AL", "SU"}
    return ["CA"] * (accept in wanted) + ["AA"] * (application in wanted)


def _answer(header: list[str], code: str, reply: HospitalReply, control_id: str) -> bytes:
    s = header[1]
    acknowledged = header[10] if reply.control_id is None else reply.control_id
    parties = s.join([header[5], header[6], header[3], header[4]])
    segments = [
        f"MSH{s}{header[2]}{s}{parties}{s}20240115103000{s * 2}ACK{s}{control_id}"
        f"{s}{header[11]}{s}{header[12]}",
        f"MSA{s}{code}{s}{acknowledged}",
    ]
    if reply.error is not None:
        segments.append(f"ERR{s * 3}{reply.error}{s}E")
    return "".join(segment + "\r" for segment in segments).encode()
