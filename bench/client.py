"""What a call to ZautoAI costs us: `python bench/client.py [--calls 4000]`.

The sender runs here, a bare HTTP server that says what ZautoAI says in another process, so that
the processor time is the client's alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bridge.delivery import Kind, Request
from bridge.senders.zauto import ZautoSender
from bridge.settings import Zauto
from bridge.zauto.catalogue import load

CATALOGUE = Path(__file__).parents[1] / "mappings" / "zauto"
BODY = {
    "id": "P1",
    "uhid": 12345,
    "fullName": "Asha Rao",
    "phoneNumber": "+919812345678",
    "dateOfBirth": "1990-05-15",
    "gender": "Female",
    "address": "12 Lake Road, Pune, MH 411001",
}
REQUESTS = (
    Request("POST", "patients", "P1", BODY),
    Request("PUT", "patients", "P1", BODY),
    Request("GET", "patients", "P1", None),
)
TOKEN = {"access_token": "t" * 300, "token_type": "bearer", "expires_in": 3600}
RECORD = {"status": "success", "message": "OK", "data": {**BODY, "externalId": "P1"}}


def _response(body: object) -> bytes:
    raw = json.dumps(body).encode()
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\nX-RateLimit-Limit: 1000\r\n"
        f"X-RateLimit-Remaining: 999\r\nX-RateLimit-Reset: 1800003600\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


GRANTED, ANSWERED = _response(TOKEN), _response(RECORD)


class Server(asyncio.Protocol):
    """Answers each request that has arrived whole."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        length = _length(head)
        if found and len(rest) >= length:
            self.buffer = rest[length:]
            self.transport.write(GRANTED if b"oAuth" in head else ANSWERED)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def measure(port: int, calls: int, connections: int) -> tuple[float, float]:
    """Seconds on the clock and of the processor for this many calls."""
    sender = ZautoSender(
        Zauto.model_validate(
            {
                "base_url": f"http://127.0.0.1:{port}",
                "client_id": "bench",
                "client_secret": "bench",
                "connections": connections,
            }
        ),
        load(CATALOGUE),
        monotonic=time.monotonic,
        clock=time.time,
        spent=lambda _headers: None,
    )
    await sender.send(REQUESTS[0])
    started, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_worker(sender, calls // connections) for _ in range(connections)))
    took = time.perf_counter() - started, time.process_time() - used
    await sender.close()
    return took


async def _worker(sender: ZautoSender, calls: int) -> None:
    for number in range(calls):
        outcome = await sender.send(REQUESTS[number % len(REQUESTS)])
        assert outcome.kind is Kind.DELIVERED, outcome


async def main(calls: int) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    print(f"{'connections':>11} {'calls/s':>9} {'CPU ms/call':>12}")
    try:
        for connections in (1, 2, 4, 8):
            took, used = await measure(port, calls, connections)
            print(f"{connections:>11} {calls / took:>9,.0f} {used / calls * 1000:>12.2f}")
    finally:
        server.terminate()
        await server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=4000, help="calls a row")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    asyncio.run(serve() if arguments.serve else main(arguments.calls))
