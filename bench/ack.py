"""How fast messages are durably acknowledged: `python bench/ack.py [HOST PORT]`.

Without an address it starts the bridge on a store of its own, with delivery paused; with
--deliver a sandbox without limits as well, and delivery runs: then the calls made a second stand
in the same row. The load comes from another process. Run it on a quiet machine, with the
temporary folder (TMPDIR) on the disk that will hold the store.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOAD = ROOT / "bench" / "load.py"
CONNECTIONS = (1, 8, 32, 64)
CLIENT = "bench:only-for-the-benchmark"
HEADER = f"{'connections':>11}{'msg/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'calls/s':>10}"


@dataclass(frozen=True, slots=True)
class Target:
    """The bridge under load."""

    host: str
    port: int
    #: address of its /metrics; "" where it is not known
    metrics: str = ""
    #: file of its store, where it is one of our own
    store: Path | None = None

    def calls(self) -> float:
        """Requests made to ZautoAI so far."""
        if not self.metrics:
            return 0.0
        with urllib.request.urlopen(self.metrics, timeout=10) as answer:
            text = answer.read().decode()
        return sum(map(float, re.findall(r"^bridge_call_seconds_count\{.*\} (\S+)$", text, re.M)))


@dataclass(frozen=True, slots=True)
class Row:
    """One run of the load."""

    rate: float
    p50_ms: float
    p99_ms: float
    calls: float


def load(target: Target, connections: int, seconds: float) -> Row:
    """Run the load once."""
    before, began = target.calls(), time.monotonic()
    command = [sys.executable, str(LOAD), target.host, str(target.port)]
    command += ["-c", str(connections), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the load failed: {done.stderr.strip()}")
    told = json.loads(done.stdout)
    if told["refused"]:
        raise SystemExit(f"{told['refused']} messages were refused")
    calls = (target.calls() - before) / (time.monotonic() - began)
    return Row(told["rate"], told["p50_ms"], told["p99_ms"], calls)


def median(rows: list[Row]) -> Row:
    """The run in the middle by its rate, so that its figures belong together."""
    return sorted(rows, key=lambda row: row.rate)[len(rows) // 2]


@contextmanager
def command(
    arguments: list[str], environment: dict[str, str], folder: str, root: Path = ROOT
) -> Iterator[list[str]]:
    """A `bridge` command of a tree that keeps running; gives what it printed until it listened."""
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", *arguments],
        env=os.environ | {"PYTHONPATH": str(root)} | environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield _addresses(process, arguments[0])
        finally:
            process.terminate()


def _addresses(process: subprocess.Popen[str], name: str) -> list[str]:
    """Host and port of each door, as printed in `… listens on …`."""
    assert process.stdout is not None
    wanted = {"run": 2, "sandbox": 1}[name]
    found: list[str] = []
    while len(found) < wanted:
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"'bridge {name}' did not start; run it by hand to see why")
        found += re.findall(r"listens on (?:http://)?(\S+)", line)
    return found


@contextmanager
def own_bridge(deliver: bool, root: Path = ROOT) -> Iterator[Target]:
    """A bridge on a new store, and with `deliver` a sandbox it delivers to."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        environment = {
            "BRIDGE_STORE__URL": f"sqlite:///{folder}/bench.db",
            "BRIDGE_MLLP__PORT": "0",
            "BRIDGE_HTTP__PORT": "0",
        }
        if deliver:
            arguments = ["sandbox", "--port", "0", "--no-limits", "--client", CLIENT]
            (sandbox,) = stack.enter_context(command(arguments, {}, folder, root))
            environment |= _zauto(sandbox)
        quiet = ["run", "--log-level", "WARNING"]
        mllp, http = stack.enter_context(command(quiet, environment, folder, root))
        if not deliver:
            pause = [sys.executable, "-m", "bridge", "pause"]
            inherited = os.environ | {"PYTHONPATH": str(root)} | environment
            subprocess.run(pause, env=inherited, cwd=folder, check=True, capture_output=True)
        host, _, port = mllp.rpartition(":")
        yield Target(host, int(port), f"http://{http}/metrics", Path(folder) / "bench.db")


def _zauto(address: str) -> dict[str, str]:
    client_id, _, secret = CLIENT.partition(":")
    return {
        "BRIDGE_ZAUTO__BASE_URL": f"http://{address}",
        "BRIDGE_ZAUTO__CLIENT_ID": client_id,
        "BRIDGE_ZAUTO__CLIENT_SECRET": secret,
        "BRIDGE_ZAUTO__LIMITS": "off",
    }


def table(target: Target, runs: int, seconds: float) -> None:
    """Load with each number of connections and print the medians."""
    load(target, 8, 1.0)  # what is loaded late is loaded now
    print(HEADER)
    for connections in CONNECTIONS:
        row = median([load(target, connections, seconds) for _ in range(runs)])
        figures = f"{row.rate:>10,.0f}{row.p50_ms:>10.2f}{row.p99_ms:>10.2f}{row.calls:>10,.1f}"
        print(f"{connections:>11}{figures}", flush=True)


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host", nargs="?")
    parser.add_argument("port", nargs="?", type=int)
    parser.add_argument("--deliver", action="store_true", help="deliver to a sandbox meanwhile")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many is printed")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a run")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        if chosen.host is None:
            target = stack.enter_context(own_bridge(chosen.deliver))
        else:
            target = Target(chosen.host, chosen.port or 2575)
        table(target, chosen.runs, chosen.seconds)


if __name__ == "__main__":
    main()
