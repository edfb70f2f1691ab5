"""Node.js with axios, which the published client needs: installed once, outside the tree."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.patience import PATIENCE

HERE = Path(__file__).parent
LISTED = ("package.json", "package-lock.json")


def node() -> str:
    """The `node` to run; skips where there is none."""
    found = shutil.which("node")
    if not (found and shutil.which("npm")):
        pytest.skip("the published Node.js client needs node and npm, which are not installed")
    return found


def modules() -> Path:
    """A folder of modules as package-lock.json lists them, kept from run to run."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    kept = _cache() / f"published-{lock}"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as made:
            _install(Path(made) / "new", kept)
    return kept / "node_modules"


def _install(made: Path, kept: Path) -> None:
    made.mkdir()
    for name in LISTED:
        shutil.copy(HERE / name, made)
    words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(words, cwd=made, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"npm ci could not install axios:\n{done.stderr}"
    try:
        made.rename(kept)
    except OSError:
        assert kept.exists(), "another run installs at the same time, or the cache is read-only"


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "zautoai-bridge"


def run(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that is ended by its own `process.exit` or after a minute."""
    file = folder / "program.js"
    file.write_text(program, encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "NODE_PATH": str(modules())}
    return subprocess.run(
        [node(), str(file), *arguments],
        env=environment,  # no proxy: the sandbox is on this machine
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
