"""The floors hold, and an import that goes up is seen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
LINT = """
import sys
sys.path.insert(0, ".")
from importlinter.cli import lint_imports_command
lint_imports_command(["--no-cache"])
"""


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the package in `folder`."""
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, to sin in."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "bridge", tmp_path / "bridge", ignore=unwanted)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_package_keeps_to_its_floors() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "sin", "contract"),
    [
        ("errors.py", "import bridge.pipeline", "Imports go down only"),
        ("hl7v2/sin.py", "import bridge.fhir", "Imports go down only"),
        ("store/sin.py", "import httpx", "Only the doors and the service know networks"),
        ("pipeline/sin.py", "import sqlite3", "Only the store and the sandbox know databases"),
        ("store/rules/sin.py", "import sqlite3", "The rules of the store know no database"),
        ("mapping/engine/sin.py", "import bridge.mapping.language", "What runs mappings"),
        ("mapping/functions/sin.py", "import bridge.mapping.engine", "What runs mappings"),
        ("mapping/engine/sin.py", "import hl7apy", "Only the HL7 v2 room knows the HL7 libraries"),
        (
            "mapping/engine/sin.py",
            "import fhir.resources",
            "Only the FHIR room knows the FHIR library",
        ),
        ("settings/sin.py", "import yaml", "Only the reader of YAML"),
        ("sandbox/sin.py", "import bridge.hl7v2", "The sandbox shares nothing"),
        ("pipeline/intake/sin.py", "import bridge.pipeline.planning", "Intake, planning and"),
        ("pipeline/records/sin.py", "import bridge.pipeline.delivery", "Intake, planning and"),
        ("pipeline/stray.py", "", "Intake, planning and"),
        ("service/sin.py", "import bridge.study", "Imports go down only"),
        ("reports/sin.py", "import bridge.listeners", "Imports go down only"),
        ("pipeline/delivery/sin.py", "import bridge.reports", "Imports go down only"),
        ("demo/sin.py", "import bridge.store.open", "The demonstration asks"),
        ("stray.py", "", "Imports go down only"),
    ],
)
def test_a_planted_sin_turns_it_red(copy: Path, file: str, sin: str, contract: str) -> None:
    with (copy / "bridge" / file).open("a", encoding="utf-8") as module:
        module.write(f"\n{sin}\n")
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert contract in result.stdout
