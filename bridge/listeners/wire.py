"""uvicorn's HTTP/1.1 with bounds it does not have itself: on a request's head, and on what still
comes in after the answer. It never logs a URL."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: bytes of a request line and its headers
MAX_HEAD = 65_536
#: seconds a sender that was answered before its body was read may go on sending, so that it sees
#: the answer; closing at once would reset the connection under it (RFC 9112 section 9.6)
LINGER_SECONDS = 10.0

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `_in_head` and `_in_body` follow the parser, the timer bounds either."""

    head_seconds = 30.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn turns this on again for any handler on its access logger, and logs URLs
        self.access_log = False
        self._in_head = True
        self._in_body = False
        self._head_size = 0
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def within(cls, head_seconds: float) -> type[BoundedProtocol]:
        """The protocol with another time for a request's head."""
        return type(cls.__name__, (cls,), {"head_seconds": head_seconds})

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self._close_in(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._bound_head(len(data))
        elif self._in_body and self.cycle.response_complete:
            self._close_in(LINGER_SECONDS)
        else:
            self._stop_timer()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._in_body, self._head_size = True, False, 0

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head, self._in_body = False, False
        super().on_message_complete()

    def _bound_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > MAX_HEAD and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
            return
        self._close_in(self.head_seconds)

    def _close_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
