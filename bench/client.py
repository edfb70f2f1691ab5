"""What a call to ZautoAI costs us: `python bench/client.py [--calls 3000]`.

The sender runs here, `bridge sandbox --no-limits` in another process, so that the processor time
is the client's alone: the token, the request, its answer judged and held against the catalogue.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bridge import logs
from bridge.delivery import Kind, Request
from bridge.senders.zauto import ZautoSender
from bridge.settings import Zauto
from bridge.zauto.catalogue import load
from bridge.zauto.watch import ContractWatch

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = load(ROOT / "mappings" / "zauto")
CLIENT = ("zauto_bench_00000001", "zauto_bench_secret")
FIELDS = {
    "uhid": 12345,
    "fullName": "Asha Rao",
    "phoneNumber": "+919812345678",
    "dateOfBirth": "1990-05-15",
    "gender": "Female",
    "address": "12 Lake Road, Pune, MH 411001",
}


@asynccontextmanager
async def sandbox() -> AsyncIterator[str]:
    """The address of a sandbox in a process of its own."""
    command = [sys.executable, "-m", "bridge", "sandbox", "--port", "0", "--no-limits"]
    process = await asyncio.create_subprocess_exec(
        *command, "--client", ":".join(CLIENT), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        yield line.rpartition(" ")[2].strip()
    finally:
        process.terminate()
        await process.wait()


def requests(names: Iterator[int]) -> Iterator[Request]:
    """Registrations, each of them changed and read."""
    for number in names:
        name = f"bench-{number}"
        body = {"id": name, **FIELDS, "uhid": number + 1_000_000}
        yield Request("POST", "patients", name, body)
        yield Request("PUT", "patients", name, FIELDS | {"uhid": number + 1_000_000})
        yield Request("GET", "patients", name, None)


async def measure(
    url: str, names: Iterator[int], calls: int, connections: int
) -> tuple[float, float]:
    """Seconds on the clock and of the processor for this many calls."""
    watch = ContractWatch(CATALOGUE)
    sender = ZautoSender(
        Zauto.model_validate(
            {
                "base_url": url,
                "client_id": CLIENT[0],
                "client_secret": CLIENT[1],
                "connections": connections,
            }
        ),
        CATALOGUE,
        monotonic=time.monotonic,
        clock=time.time,
        spent=lambda _headers: None,
        watch=lambda resource, answer: watch.show(resource, answer, time.time()),
    )
    await _worker(sender, names, 3)
    started, used = time.perf_counter(), time.process_time()
    each = calls // connections
    await asyncio.gather(*(_worker(sender, names, each) for _ in range(connections)))
    took = time.perf_counter() - started, time.process_time() - used
    await sender.close()
    assert not watch.seen(), watch.seen()
    return took


async def _worker(sender: ZautoSender, names: Iterator[int], calls: int) -> None:
    for _, request in zip(range(calls), requests(names), strict=False):
        outcome = await sender.send(request)
        assert outcome.kind is Kind.DELIVERED, outcome


async def main(calls: int) -> None:
    print(f"{'connections':>11} {'calls/s':>9} {'CPU ms/call':>12}")
    names = count()
    async with sandbox() as url:
        for connections in (1, 2, 4, 8):
            took, used = await measure(url, names, calls, connections)
            print(f"{connections:>11} {calls / took:>9,.0f} {used / calls * 1000:>12.2f}")


if __name__ == "__main__":
    logs.configure("WARNING")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=3000, help="calls a row")
    asyncio.run(main(parser.parse_args().calls))
