"""What many open connections cost: `python bench/connections.py [COUNT] [--sending 1000]`.

Opens COUNT (10,000) MLLP connections to a bridge in another process, with its default settings: as
one address may have 1,000 of them, they come from several of 127.0.0.0/8. Then some of them send
a message each, 64 at a time, while the others stay open and silent.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from load import ACCEPTED, END, messages

ROOT = Path(__file__).resolve().parent.parent
#: the default of mllp.connections_per_address
PER_ADDRESS = 1000
#: messages under way at once
AT_ONCE = 64
#: files that are open beside connections
OTHER_FILES = 100
PATIENCE = 60.0


@contextmanager
def bridge() -> Iterator[tuple[int, int]]:
    """A bridge on a new store; its process and its port."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "BRIDGE_STORE__URL": f"sqlite:///{folder}/bench.db",
            "BRIDGE_MLLP__PORT": "0",
            "BRIDGE_HTTP__PORT": "0",
            "PYTHONPATH": str(ROOT),
        }
        with subprocess.Popen(
            [sys.executable, "-m", "bridge", "run", "--log-level", "WARNING"],
            env=os.environ | environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                line = next((line for line in process.stdout if "MLLP" in line), "")
                if not line:
                    raise SystemExit("'bridge run' did not start; run it by hand to see why")
                yield process.pid, int(line.rpartition(":")[2])
            finally:
                process.terminate()


def allow_files(count: int) -> None:
    """Let this process open so many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise SystemExit(f"the hard limit of open files is {hard}: allow {count} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def connect(port: int, number: int) -> socket.socket:
    """The n-th connection, from the address whose turn it is."""
    source = f"127.0.{number // PER_ADDRESS}.1"
    return socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0))


def descriptors(process: int) -> int:
    """Files that a process has open: with every connection it accepts there is one more."""
    return sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())


def resident(process: int) -> float:
    """MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def processor(process: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_all(process: int, port: int, count: int) -> tuple[list[socket.socket], float]:
    """So many connections, and the seconds until the bridge has accepted all of them."""
    before, began = descriptors(process), time.perf_counter()
    connections = [connect(port, number) for number in range(count)]
    while descriptors(process) < before + count:
        if time.perf_counter() - began > PATIENCE:
            raise SystemExit(f"{descriptors(process) - before} of {count} were accepted")
        time.sleep(0.01)
    return connections, time.perf_counter() - began


def exchange(connections: Sequence[socket.socket]) -> list[float]:
    """Send a message on each, so many at once; seconds to each acknowledgment."""
    source, taken = messages(f"{os.getpid():X}"), []
    for at in range(0, len(connections), AT_ONCE):
        some, sent = connections[at : at + AT_ONCE], []
        for connection in some:
            message, control_id = next(source)
            sent.append((time.perf_counter(), control_id))
            connection.sendall(message)
        for connection, (began, control_id) in zip(some, sent, strict=True):
            answer = b""
            while not answer.endswith(END):
                answer += connection.recv(65536)
            if not any(code + control_id in answer for code in ACCEPTED):
                raise SystemExit("a message was refused")
            taken.append(time.perf_counter() - began)
    return taken


def idle(process: int, seconds: float) -> float:
    """Percent of a processor that silent connections take."""
    before = processor(process)
    time.sleep(seconds)
    return 100 * (processor(process) - before) / seconds


def report(process: int, port: int, count: int, sending: int) -> None:
    """Open, measure and print."""
    alone = resident(process)
    connections, seconds = open_all(process, port, count)
    held = resident(process)
    print(f"{count:,} connections accepted in            {seconds:8.2f} s")
    print(f"resident before and after             {alone:8.0f}{held:8.0f} MiB")
    print(f"that is for each connection           {(held - alone) * 1024 / count:8.1f} KiB")
    print(f"processor while all are silent        {idle(process, 5):8.1f} %")
    taken = exchange(random.Random(1).sample(connections, min(sending, count)))
    p50, p99 = statistics.median(taken), sorted(taken)[int(len(taken) * 0.99)]
    print(f"{len(taken):,} messages answered, p50 and p99 {p50 * 1000:8.2f}{p99 * 1000:8.2f} ms")
    print(f"resident then                         {resident(process):8.0f} MiB")
    for connection in connections:
        connection.close()


def main() -> None:
    """Parse the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", nargs="?", type=int, default=10_000)
    parser.add_argument("--sending", type=int, default=1_000, help="how many send a message")
    chosen = parser.parse_args()
    allow_files(chosen.count + OTHER_FILES)
    with bridge() as (process, port):
        report(process, port, chosen.count, chosen.sending)


if __name__ == "__main__":
    main()
