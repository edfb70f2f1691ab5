"""How fast the sandbox answers: `python bench/sandbox.py [--seconds 5] [--patients 100000]`.

The sandbox runs in another process, without limits, on a file. A row a kind of request: creates
from 16 connections; lists and searches with so many patients in it, from one connection. A search
is for a part of a name, a phone number or an id (three characters and more), for what every
patient has, or for one or two characters.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CLIENT = ("zauto_bench_00000000", "zauto_" + "0" * 64)
CONNECTIONS = 16
FIRST = (
    "Anjali Ravi Meera Farah Kavya Joseph Lakshmi Imran Tara Nikhil Grace Arjun Zoya Vikram".split()
)
LAST = "Menon Deshpande Iyer Khan Nair Fernandes Öztürk Banerjee Rao Sequeira Thomas Gill".split()
#: milliseconds a request may take at the 95th percentile, by row
TARGETS = {"list": 50, "search, 3 and more": 50, "search, what all have": 50, "search, 1 or 2": 500}

Bodies = Iterator[bytes]


@dataclass(slots=True)
class Connection:
    """One connection with one request in flight."""

    socket: socket.socket
    sent_at: float = 0.0
    received: bytes = b""

    def send(self, request: bytes) -> None:
        """Send the next request."""
        self.sent_at, self.received = time.perf_counter(), b""
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Take what arrived; whether the answer is whole."""
        data = self.socket.recv(262144)
        if not data:
            raise SystemExit("the sandbox hung up")
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.I)
        return bool(end) and length is not None and len(body) == int(length[1])


@dataclass(slots=True)
class Measured:
    """What came of a run."""

    latencies: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    def row(self, name: str, target: str) -> str:
        """One line of the table."""
        ordered = sorted(self.latencies)
        rate = len(ordered) / self.elapsed
        p50, p95, p99 = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.95, 0.99))
        return f"{name:24}{rate:10.0f}{p50:10.2f}{p95:10.2f}{p99:10.2f}   {target}"


def patient(number: int) -> dict[str, object]:
    """An invented patient."""
    dice = random.Random(number)
    name = f"{dice.choice(FIRST)} {dice.choice(LAST)}"
    return {
        "id": f"MRN-{number:07}",
        "uhid": 10_000_000 + number,
        "uhidPrefix": "ZAI",
        "fullName": name,
        "dateOfBirth": f"{dice.randint(1930, 2020)}-0{dice.randint(1, 9)}-{dice.randint(10, 28)}",
        "gender": dice.choice(("Male", "Female")),
        "phoneNumber": f"+91{dice.randint(6_000_000_000, 9_999_999_999)}",
        "email": f"{name.split()[0].lower()}{number}@example.org",
        "address": "14 Canal Road, Flat 2A, Nashik 422001",
    }


def creates(token: str) -> Bodies:
    """Requests that make patients, each another."""
    number = 5_000_000
    while True:
        number += 1
        yield request("POST", "/zauto-api/patients", token, json.dumps(patient(number)).encode())


def lists(token: str, patients: int) -> Bodies:
    """Requests for any page of a hundred."""
    dice = random.Random(1)
    while True:
        page = dice.randint(1, max(patients // 100, 1))
        yield request("GET", f"/zauto-api/patients?page={page}&limit=100", token)


def searches(
    token: str, patients: int, term: Callable[[dict[str, object], random.Random], str]
) -> Bodies:
    """Requests that search for a term made from some patient."""
    dice = random.Random(2)
    while True:
        wanted = term(patient(dice.randrange(patients)), dice)
        yield request("GET", f"/zauto-api/patients?limit=20&search={quote(wanted)}", token)


def part(found: dict[str, object], dice: random.Random) -> str:
    """A part of a name, a phone number or an id, as people type them."""
    name, phone, key = str(found["fullName"]), str(found["phoneNumber"]), str(found["id"])
    return dice.choice((name, name.split()[0], name[:4], phone[-5:], phone[-4:], key, key[-5:]))


def request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {token}\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


def measure(
    port: int, source: Bodies, connections: int, seconds: float, expected: bytes
) -> Measured:
    """Keep that many connections busy for so long."""
    ready, measured = selectors.DefaultSelector(), Measured()
    open_ones = [
        Connection(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)
    ]
    began = time.perf_counter()
    for each in open_ones:
        each.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready.register(each.socket, selectors.EVENT_READ, each)
        each.send(next(source))
    while time.perf_counter() - began < seconds:
        for key, _ in ready.select(30):
            each = key.data
            if each.answered():
                measured.latencies.append(time.perf_counter() - each.sent_at)
                if not each.received.startswith(b"HTTP/1.1 " + expected):
                    raise SystemExit(each.received.decode())
                each.send(next(source))
    measured.elapsed = time.perf_counter() - began
    for each in open_ones:
        each.socket.close()
    return measured


def fill(file: Path, patients: int) -> None:
    """A state with so many patients, made by the sandbox's own code."""
    from bridge.sandbox.collection import Collection
    from bridge.sandbox.database import Database
    from bridge.shipped import mappings_folder
    from bridge.zauto.catalogue import load

    state = Database(file)
    collection = Collection(load(mappings_folder() / "zauto")["patients"], state)
    with state.transaction():
        for number in range(patients):
            collection.create(json.dumps(patient(number)).encode(), time.time())
    state.close()


@contextmanager
def sandbox(file: Path) -> Iterator[tuple[int, float]]:
    """A running sandbox: its port, and the seconds until it listened."""
    command = [sys.executable, "-m", "bridge", "sandbox", "--port", "0", "--no-limits"]
    command += ["--state", str(file), "--client", ":".join(CLIENT)]
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        listening = re.search(r":(\d+)$", process.stdout.readline().strip())
        if listening is None:
            raise SystemExit("the sandbox did not start")
        yield int(listening[1]), time.perf_counter() - began
        process.send_signal(signal.SIGTERM)


def token(port: int) -> str:
    """An access token of the client."""
    asked = {"grant_type": "client_credentials", "client_id": CLIENT[0], "client_secret": CLIENT[1]}
    connection = Connection(socket.create_connection(("127.0.0.1", port)))
    connection.send(request("POST", "/api/auth/oAuth/token", "", json.dumps(asked).encode()))
    while not connection.answered():
        pass
    connection.socket.close()
    return str(json.loads(connection.received.partition(b"\r\n\r\n")[2])["access_token"])


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--patients", type=int, default=100_000)
    chosen = parser.parse_args()
    print(f"{'request':24}{'a second':>10}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}   target")
    with tempfile.TemporaryDirectory() as folder:
        creating(Path(folder, "empty.db"), chosen.seconds)
        full = Path(folder, "full.db")
        fill(full, chosen.patients)
        reading(full, chosen.seconds, chosen.patients)


def creating(file: Path, seconds: float) -> None:
    """The row of creates."""
    with sandbox(file) as (port, _):
        measured = measure(port, creates(token(port)), CONNECTIONS, seconds, b"201")
        print(measured.row(f"create, {CONNECTIONS} connections", ">= 1000 a second"))


def reading(file: Path, seconds: float, patients: int) -> None:
    """The rows of lists and searches, and the start with so much in it."""
    with sandbox(file) as (port, started):
        bearer = token(port)
        kinds = {
            "list": lists(bearer, patients),
            "search, 3 and more": searches(bearer, patients, part),
            "search, what all have": searches(
                bearer, patients, lambda _, dice: dice.choice(("mrn-", "+91", "@example"))
            ),
            "search, 1 or 2": searches(
                bearer, patients, lambda found, dice: str(found["fullName"])[: dice.randint(1, 2)]
            ),
        }
        for name, source in kinds.items():
            row = measure(port, source, 1, seconds, b"200").row(name, f"p95 <= {TARGETS[name]} ms")
            print(row)
        print(f"start to listening: {started:.2f} s   target <= 1 s")


if __name__ == "__main__":
    main()
