"""Every command keeps its files and its memory to its own user."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import confine
from bridge.cli.mapping.trial import write_anew
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]

#: runs every command up to its own code, and prints what it would run under
EVERY_COMMAND = """
import contextlib, ctypes, json, os, resource, sys
import typer
from bridge.cli.app import app, main

PR_GET_DUMPABLE = 3

def paths(command, words=()):
    yield words
    for name, below in getattr(command, "commands", {}).items():
        yield from paths(below, (*words, name))

def note(command, context):
    umask = os.umask(0)
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    dumpable = ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0)
    seen[context.command_path] = [umask, *limits, dumpable]
    return ""

seen = {}
command = typer.main.get_command(app)
typer.core.TyperCommand.get_help = typer.core.TyperGroup.get_help = note
for words in paths(command):
    sys.argv = ["bridge", *words, "--help"]
    with contextlib.redirect_stdout(None), contextlib.suppress(SystemExit):
        main()
print(json.dumps([len(list(paths(command))), seen]))
"""
#: writes a core dump if it may
CRASHING = """
import os, signal
from bridge.cli.confine import confine

confine()
os.kill(os.getpid(), signal.SIGABRT)
"""


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own that may dump its memory."""

    def may_dump() -> None:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=may_dump,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="reads prctl, which only Linux has")
def test_every_command_runs_with_private_files_and_without_dumps(tmp_path: Path) -> None:
    result = python(EVERY_COMMAND, tmp_path)
    assert result.stdout, result.stderr
    count, seen = json.loads(result.stdout)
    assert count == len(seen) > 20
    assert {command: each for command, each in seen.items() if each != [0o077, 0, 0, 0]} == {}


def test_a_crash_leaves_no_dump(tmp_path: Path) -> None:
    result = python(CRASHING, tmp_path)
    assert result.returncode == -6
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def confined(monkeypatch: pytest.MonkeyPatch) -> Any:
    """This process with private files, for a user whose own umask is 022."""
    monkeypatch.setattr(confine, "_users_umask", 0o022)
    before = os.umask(0o077)
    yield
    assert os.umask(before) == 0o077


@pytest.mark.usefixtures("confined")
def test_a_test_beside_mappings_has_the_modes_that_the_user_set(tmp_path: Path) -> None:
    write_anew(tmp_path / "hl7v2" / "adt_test.yaml", "tests: []\n")
    (tmp_path / "other").touch()
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.rglob("*")}
    assert modes == {"hl7v2": 0o755, "adt_test.yaml": 0o644, "other": 0o600}


@pytest.mark.usefixtures("confined")
def test_a_test_that_cannot_be_written_leaves_private_files_private(tmp_path: Path) -> None:
    (tmp_path / "hl7v2").touch()
    with pytest.raises(FileExistsError):
        write_anew(tmp_path / "hl7v2" / "adt_test.yaml", "tests: []\n")
