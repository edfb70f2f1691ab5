"""Two versions compared in turns: `python bench/turns.py OTHER_TREE [--rounds 6]`.

On a machine that is not quiet single figures mean little, but the ratio of two turns that follow
each other holds. Each turn starts a bridge of one tree on a new store, loads it from another
process, and stops it; the trees alternate. Printed are the medians of both, and the median of the
ratios of this tree to the other. Both run on the packages of this Python.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from ack import ROOT, Target, load, own_bridge

#: seconds in which a bridge loads what it needs only once it is used
WARM_SECONDS = 1.0
#: seconds for which what was kept may be translated and delivered
MOST_SECONDS = 120.0

Figures = Mapping[str, float]


def acknowledging(root: Path, connections: int, deliver: bool, seconds: float) -> Figures:
    """Acknowledgments a second, and their latency in ms."""
    with own_bridge(deliver, root) as target:
        load(target, connections, WARM_SECONDS)
        row = load(target, connections, seconds)
    state = "delivering" if deliver else "paused"
    name = f"{connections} connection{'s' if connections > 1 else ''}, {state}"
    figures = {f"{name}: messages/s": row.rate, f"{name}: p99 ms": row.p99_ms}
    return figures | ({f"{name}: calls/s": row.calls} if deliver else {})


def room(root: Path, seconds: float) -> Figures:
    """Bytes of the store a message, once translated and once delivered."""
    figures = {}
    for deliver, name in ((False, "translated"), (True, "delivered")):
        with own_bridge(deliver, root) as target:
            load(target, 1, seconds)
            figures[f"bytes a message {name}"] = _bytes_when_done(target, delivered=deliver)
    return figures


def _bytes_when_done(target: Target, *, delivered: bool) -> float:
    """The size of the store by its messages, when nothing is left to do with them."""
    assert target.store is not None
    left = "status = 'waiting'" if delivered else "status = 'waiting' AND translated = 0"
    with closing(sqlite3.connect(f"{target.store.as_uri()}?mode=ro", uri=True)) as store:
        until = time.monotonic() + MOST_SECONDS
        while store.execute(f"SELECT 1 FROM message WHERE {left} LIMIT 1").fetchone():
            if time.monotonic() > until:
                raise SystemExit("the bridge did not finish what it was sent")
            time.sleep(0.2)
        (messages,) = store.execute("SELECT count(*) FROM message").fetchone()
        (pages,) = store.execute("PRAGMA page_count").fetchone()
        (size,) = store.execute("PRAGMA page_size").fetchone()
    return float(pages * size / messages)


def start(root: Path) -> Figures:
    """Seconds from the start to listening."""
    environment = {"BRIDGE_MLLP__PORT": "0", "BRIDGE_HTTP__PORT": "0", "PYTHONPATH": str(root)}
    with tempfile.TemporaryDirectory() as folder:
        url = {"BRIDGE_STORE__URL": f"sqlite:///{folder}/bridge.db"}
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-m", "bridge", "run"],
            env=os.environ | environment | url,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as bridge:
            assert bridge.stdout is not None
            next(line for line in bridge.stdout if line.startswith("HTTP"))
            seconds = time.perf_counter() - began
            bridge.terminate()
    return {"start to listening, s": seconds}


def compare(turn: Callable[[Path], Figures], other: Path, rounds: int) -> None:
    """Take turns, and print a line for each figure."""
    own, theirs = [], []
    for number in range(rounds):
        pair = ((ROOT, own), (other, theirs))
        for root, taken in pair if number % 2 else reversed(pair):
            taken.append(turn(root))
    for name in own[0]:
        mine, before = [each[name] for each in own], [each[name] for each in theirs]
        ratios = [a / b for a, b in zip(mine, before, strict=True) if b]
        figures = (statistics.median(mine), statistics.median(before), statistics.median(ratios))
        print(f"{name:<40}" + "".join(f"{each:>11,.2f}" for each in figures), flush=True)


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="a clone of the version to compare with")
    parser.add_argument("--rounds", type=int, default=6, help="turns of each tree")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a turn's load")
    chosen = parser.parse_args()
    other, rounds, seconds = chosen.other.resolve(), chosen.rounds, chosen.seconds
    print(f"{'median':<40}{'this':>11}{'other':>11}{'ratio':>11}")
    for connections in (1, 32):
        for deliver in (False, True):
            turn = _with(acknowledging, connections, deliver, seconds)
            compare(turn, other, rounds)
    compare(start, other, rounds)
    compare(_with(room, 1.0), other, max(rounds // 3, 1))


def _with(measure: Callable[..., Figures], *how: object) -> Callable[[Path], Figures]:
    return lambda root: measure(root, *how)


if __name__ == "__main__":
    main()
