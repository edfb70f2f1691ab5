"""How long the bridge takes from its start to listening, and the memory it then holds idle.

python bench/start.py [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 7


def start(folder: Path) -> tuple[float, float]:
    """Seconds to listening, and MiB resident a second later."""
    environment = {
        **os.environ,
        "BRIDGE_MLLP__PORT": "0",
        "BRIDGE_HTTP__PORT": "0",
        "BRIDGE_STORE__URL": f"sqlite:///{folder}/bridge.db",
    }
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "bridge", "run"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as bridge:
        assert bridge.stdout is not None
        for line in bridge.stdout:
            if line.startswith("HTTP"):
                break
        seconds = time.perf_counter() - began
        time.sleep(1)
        status = Path(f"/proc/{bridge.pid}/status").read_text()
        bridge.terminate()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return seconds, int(resident.split()[1]) / 1024


def main() -> None:
    """Print the medians and the worst of all runs."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory() as folder:
        taken = [start(Path(folder)) for _ in range(runs)]
    seconds, memory = ([each[n] for each in taken] for n in (0, 1))
    print("what                        median   worst   target")
    print(
        f"start to listening, s     {statistics.median(seconds):8.2f}{max(seconds):8.2f}   <= 1.5"
    )
    print(f"resident when idle, MiB   {statistics.median(memory):8.0f}{max(memory):8.0f}   <= 100")


if __name__ == "__main__":
    main()
