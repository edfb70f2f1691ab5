"""The HTTP server of the service: uvicorn as a guest of the loop, without signals of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from bridge.errors import DoorError

#: connections the kernel holds until they are accepted
BACKLOG = 512


class _Guest(uvicorn.Server):
    """Leaves signals to the service: the stock server re-raises SIGTERM after it stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Serves one uvicorn configuration on its host and port (0 takes a free one)."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._host = config.host
        self._port = config.port
        self._server = _Guest(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> tuple[str, int]:
        """Bind and serve; returns the bound address, raises DoorError when it is taken."""
        listening = self._bind()
        host, port = listening.getsockname()[:2]
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise DoorError(f"the HTTP server on {host}:{port} ended at once")
            await asyncio.sleep(0.001)
        return str(host), int(port)

    async def stop(self) -> None:
        """Take no more connections, answer what is under way, close."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio sets it only on sockets it made itself; without, answers wait for delayed ACKs
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listening.bind((self._host, self._port))
        except OSError as error:
            listening.close()
            raise DoorError(
                f"http: cannot listen on {self._host}:{self._port}: {error.strerror}; "
                "choose another http.host or http.port, or stop what holds it"
            ) from error
        listening.listen(BACKLOG)
        return listening
