"""Opens the SQLite store of a path, and other processes that do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bridge.store.sqlite.store import SqliteStore, open_sqlite

ROOT = Path(__file__).resolve().parents[2]


def opened(path: Path | str, free_bytes: int = 0) -> SqliteStore:
    """The store of this path, in this process."""
    return open_sqlite(f"sqlite:///{path}", free_bytes=free_bytes, clock=lambda: 0.0)


def process(code: str, *words: str) -> subprocess.Popen[str]:
    """Python code in a process of its own, which can import the tests; end it."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
