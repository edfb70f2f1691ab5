"""Answers that no server gives on purpose: cut, dripped, or none at all, written to the socket."""

from __future__ import annotations

import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http.client import responses
from typing import TypeAlias

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.errors import DoorError

#: the ASGI extension by which the sandbox's own server shows the connection's `transport`
CONNECTION = "sandbox.connection"
#: SO_LINGER on, zero seconds: closing sends RST
_RESET = struct.pack("ii", 1, 0)

Sleep: TypeAlias = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Broken:
    """An answer written piece by piece, after which the connection ends; an ASGI application."""

    pieces: Iterable[bytes]
    sleep: Sleep
    #: seconds between two pieces
    pause: float = 0.0
    #: end by RST instead of FIN
    reset: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write and close; raises DoorError where the server does not show the connection."""
        extension = scope.get("extensions", {}).get(CONNECTION)
        if extension is None:
            raise DoorError("only the sandbox's own server can play this fault")
        transport = extension["transport"]
        for piece in self.pieces:
            if transport.is_closing():
                break
            transport.write(piece)
            if self.pause:
                await self.sleep(self.pause)
        if self.reset:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()
        else:
            transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass


def head_of(answer: Response, *, framed: bool = True) -> bytes:
    """Status line and headers; without Content-Length where the answer is not to be `framed`."""
    phrase = responses.get(answer.status_code, "")
    lines = [f"HTTP/1.1 {answer.status_code} {phrase}".encode()]
    lines += [
        name + b": " + value
        for name, value in answer.raw_headers
        if framed or name != b"content-length"
    ]
    return b"\r\n".join([*lines, b"connection: close", b"", b""])
