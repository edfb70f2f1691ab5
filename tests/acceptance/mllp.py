"""A hospital's sending side of MLLP on a plain socket, independent of the product's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tests.patience import PATIENCE

START, END = b"\x0b", b"\x1c\r"


class HungUp(Exception):
    """The far end closed, or gave no answer in time."""


class Sender:
    """One connection at a time, one message in flight, as most engines send."""

    def __init__(self, address: Callable[[], tuple[str, int]]) -> None:
        """`address` is asked at each connect: a bridge that was restarted has another port."""
        self._address = address
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()

    async def raw(self, data: bytes) -> None:
        """Put bytes on the wire as they are."""
        if self._writer is None:
            await self._connect()
        assert self._writer is not None
        self._writer.write(data)
        with suppress(ConnectionError):  # it shows when the answer is read
            await self._writer.drain()

    async def answer(self, seconds: float = PATIENCE) -> bytes:
        """The next frame's body; raises HungUp."""
        assert self._reader is not None
        try:
            async with asyncio.timeout(seconds):
                await self._reader.readuntil(START)
                return (await self._reader.readuntil(END)).removesuffix(END)
        except (OSError, EOFError, TimeoutError) as error:
            self.hang_up()
            raise HungUp from error

    async def closed(self, seconds: float = PATIENCE) -> bytes:
        """What comes until the far end closes; raises TimeoutError when it does not."""
        assert self._reader is not None
        async with asyncio.timeout(seconds):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    async def send(self, body: bytes) -> bytes:
        """Send one message and return its acknowledgment; raises HungUp."""
        try:
            await self.raw(START + body + END)
        except OSError as error:
            self.hang_up()
            raise HungUp from error
        return await self.answer()

    def hang_up(self) -> None:
        """Close without a word."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _connect(self) -> None:
        host, port = self._address()
        # the limit is what one acknowledgment may have at most
        self._reader, self._writer = await asyncio.open_connection(host, port, limit=1 << 20)


def field(message: bytes, segment: str, number: int) -> str:
    """`field(ack, "MSA", 1)`: a field of the first such segment, "" where there is none."""
    for line in message.decode("utf-8", "replace").split("\r"):
        fields = line.split("|")
        if fields[0] == segment:
            place = number - 1 if segment == "MSH" else number
            return fields[place] if place < len(fields) else ""
    return ""
