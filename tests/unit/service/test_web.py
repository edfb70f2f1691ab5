"""The HTTP server as a guest of the loop."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import Any

import pytest
import uvicorn

from bridge.errors import DoorError
from bridge.service.web import WebServer
from tests.patience import PATIENCE


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def server(port: int = 0, host: str = "127.0.0.1") -> WebServer:
    return WebServer(
        uvicorn.Config(hello, host=host, port=port, lifespan="off", log_config=None, ws="none")
    )


async def fetched(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    return answer


async def test_it_serves_on_a_free_port_until_it_is_stopped() -> None:
    web = server()
    host, port = await web.start()
    assert (await fetched(host, port)).startswith(b"HTTP/1.1 204")
    await web.stop()
    with pytest.raises(ConnectionRefusedError):
        await fetched(host, port)


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(DoorError, match=r"choose another http\.host or http\.port"):
            await server(holder.getsockname()[1]).start()


async def test_it_leaves_signals_to_the_service() -> None:
    before = signal.getsignal(signal.SIGTERM)
    web = server()
    await web.start()
    assert signal.getsignal(signal.SIGTERM) is before
    await web.stop()


async def test_one_that_never_started_may_be_stopped() -> None:
    await server().stop()
