"""A stop ends, whatever holds a thread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

#: a service told to stop while a look-up of a name hangs
STOPPED = """
import asyncio, os, signal, time
from bridge.service import run
from bridge.settings import load

run.STOP_SECONDS = 0.5

def started(addresses):
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)
    os.kill(os.getpid(), signal.SIGTERM)

asyncio.run(run.run(load(None), started))
"""


def test_a_look_up_that_hangs_does_not_keep_the_process(tmp_path: Path) -> None:
    environment = os.environ | {
        "BRIDGE_STORE__URL": f"sqlite:///{tmp_path}/bridge.db",
        "BRIDGE_MLLP__PORT": "0",
        "BRIDGE_HTTP__PORT": "0",
    }

    ended = subprocess.run(
        [sys.executable, "-c", STOPPED], env=environment, timeout=PATIENCE, check=False
    )

    assert ended.returncode == 0
