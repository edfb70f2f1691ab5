"""A closed-loop MLLP sender: `python bench/load.py HOST PORT [-c 8] [--seconds 5]`.

Each connection sends a 1 KB ADT^A04, waits for its acknowledgment, checks it and sends the next;
every message is of another patient and has another MSH-10. One process, no library: on a small
machine what the sender costs is taken from what it measures. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

END = b"\x1c\r"
ACCEPTED = (b"|AA|", b"|CA|")
#: seconds without any acknowledgment after which the far end is given up
PATIENCE = 30.0

MESSAGE = "\r".join(
    (
        "MSH|^~\\&|BENCH|NORTHSIDE|ZAUTO|CLINIC|20261122093000+0530||ADT^A04^ADT_A01|{id}|P|2.5.1",
        "EVN|A04|20261122093000+0530|||DESK4^Menon^Lata^^^^^^NORTHSIDE|20261122092800+0530",
        "PID|1||{n}^^^NORTHSIDE^MR~IN-{n}-77^^^CARD^NI||Deshpande^Kavya^Anil^^Ms^^L||19890417|F|||"
        "14 Canal Road^Flat 2A^Nashik^MH^422001^IN^H||^PRN^CP^^91^^98220{n:05}~"
        "^NET^Internet^kavya.deshpande@example.org|^WPN^PH^^91^253^2570000|mr^Marathi^ISO639|M|"
        "HIN|ACC{n}^^^NORTHSIDE^AN",
        "PD1|||Northside Clinic^^20011|7001^Kulkarni^Mohan^^^Dr",
        "NK1|1|Deshpande^Anil^^^Mr|FTH^Father^HL70063|14 Canal Road^Flat 2A^Nashik^MH^422001^IN|"
        "^PRN^CP^^91^^9822000001||C^Emergency contact^HL70131",
        "PV1|1|O|OPD2^7^^NORTHSIDE^^N^EAST|R|||7001^Kulkarni^Mohan^^^Dr^MBBS|7002^Shah^Ila^^^Dr||"
        "MED||||1|||7001^Kulkarni^Mohan^^^Dr|OP|VN{n}^^^NORTHSIDE^VN|SELF||||||||||||||||||"
        "NORTHSIDE|||||20261122092800+0530",
        "AL1|1|DA^Drug^HL70127|PEN^Penicillin^L|MO|Rash on both arms",
        "DG1|1||J06.9^Acute upper respiratory infection^I10|||A",
        "IN1|1|GOLD^Gold^L|CAREPLUS|Careplus Insurance|PO Box 90^^Mumbai^MH^400001^IN|||G-114",
    )
)


@dataclass(slots=True)
class Sender:
    """One connection with one message in flight."""

    socket: socket.socket
    control_id: bytes = b""
    sent_at: float = 0.0
    received: bytes = b""

    def send(self, message: bytes, control_id: bytes) -> None:
        """Send the next message."""
        self.control_id, self.received = control_id, b""
        self.sent_at = time.perf_counter()
        if self.socket.send(message) != len(message):
            raise SystemExit("the socket did not take a whole message")


@dataclass(slots=True)
class Measured:
    """What came of a run."""

    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    elapsed: float = 0.0

    def summary(self, connections: int) -> dict[str, float]:
        """Messages a second, and latencies in milliseconds."""
        ordered = sorted(self.latencies)
        p50, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
        return {
            "connections": connections,
            "messages": len(ordered),
            "refused": self.refused,
            "rate": round(len(ordered) / self.elapsed, 1),
            "p50_ms": round(p50, 3),
            "p99_ms": round(p99, 3),
            "max_ms": round(ordered[-1] * 1000, 3),
        }


def messages(run: str) -> Iterator[tuple[bytes, bytes]]:
    """Framed messages with their control ids, without end."""
    start = int(run, 36) * 1_000_000 % 100_000_000
    number = start
    while True:
        number += 1
        control_id = f"{run}{number - start:07}"
        text = MESSAGE.format(id=control_id, n=number)
        yield b"\x0b" + text.encode("ascii") + b"\r" + END, control_id.encode("ascii")


def measure(host: str, port: int, connections: int, seconds: float) -> Measured:
    """Load the far end for so long."""
    senders = [Sender(_connect(host, port)) for _ in range(connections)]
    source = messages(f"{os.getpid():X}")
    ready = selectors.DefaultSelector()
    for sender in senders:
        ready.register(sender.socket, selectors.EVENT_READ, sender)
    measured = Measured()
    began = time.perf_counter()
    for sender in senders:
        sender.send(*next(source))
    while time.perf_counter() - began < seconds:
        events = ready.select(PATIENCE)
        if not events:
            raise SystemExit(f"no acknowledgment for {PATIENCE:.0f} s")
        for key, _ in events:
            _answered(key.data, measured, source)
    measured.elapsed = time.perf_counter() - began
    for sender in senders:
        sender.socket.close()
    return measured


def _connect(host: str, port: int) -> socket.socket:
    connection = socket.create_connection((host, port), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)
    return connection


def _answered(sender: Sender, measured: Measured, source: Iterator[tuple[bytes, bytes]]) -> None:
    data = sender.socket.recv(65536)
    if not data:
        raise SystemExit("the far end hung up")
    sender.received += data
    if not sender.received.endswith(END):
        return
    measured.latencies.append(time.perf_counter() - sender.sent_at)
    if not any(code + sender.control_id in sender.received for code in ACCEPTED):
        measured.refused += 1
    sender.send(*next(source))


def main() -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("-c", "--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    chosen = parser.parse_args()
    measured = measure(chosen.host, chosen.port, chosen.connections, chosen.seconds)
    json.dump(measured.summary(chosen.connections), sys.stdout)
    print()


if __name__ == "__main__":
    main()
