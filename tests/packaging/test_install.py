"""Both kinds of install give the command and the mappings."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
UNWANTED = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "var")
PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index")
FOUND = "from bridge.shipped import mappings_folder as f; import bridge; print(bridge.__file__); "
WHERE = FOUND + "print(sorted(str(p.relative_to(f())) for p in f().rglob('*.yaml')))"

PAGES = (*ROOT.glob("bridge/sandbox/pages/*"), *ROOT.glob("bridge/cli/**/*.css"))


def run(program: Path | str, arguments: Sequence[str], folder: Path) -> str:
    """Run a program apart from this process's paths, and return what it printed."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    result = subprocess.run(
        [str(program), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the repository, because building leaves files in it."""
    return Path(shutil.copytree(ROOT, tmp_path / "source", ignore=UNWANTED))


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Python of a fresh environment that borrows this one's libraries, but not its bridge."""
    run(sys.executable, ["-m", "venv", "--without-pip", "fresh"], tmp_path)
    (folder,) = (tmp_path / "fresh/lib").glob("python*/site-packages")
    for library in _libraries():
        (folder / library.name).symlink_to(library)
    return tmp_path / "fresh/bin/python"


def _libraries() -> list[Path]:
    # Debian's Python names folders that a virtual environment does not have
    places = [place for place in map(Path, site.getsitepackages()) if place.is_dir()]
    entries = [entry for place in places for entry in place.iterdir()]
    own = ("zautoai_bridge", "__editable__")
    return [e for e in entries if not e.name.startswith(own) and not e.name.endswith(".pth")]


def expected() -> list[str]:
    """Every mapping file of the repository."""
    folder = ROOT / "mappings"
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*.yaml"))


def test_a_wheel_carries_the_mappings(source: Path, python: Path, tmp_path: Path) -> None:
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "dist"]
    run(python, [*build, str(source)], tmp_path)
    (wheel,) = (tmp_path / "dist").glob("zautoai_bridge-*.whl")
    run(python, [*PIP, "--no-deps", str(wheel)], tmp_path)
    place, found = run(python, ["-c", WHERE], tmp_path).splitlines()
    assert "site-packages" in place
    assert found == str(expected())
    assert (python.parent / "bridge").exists()


def test_a_wheel_carries_every_file_that_is_read(source: Path, python: Path) -> None:
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "dist"]
    run(python, [*build, "."], source)
    (wheel,) = (source / "dist").glob("*.whl")
    listed = run(python, ["-m", "zipfile", "--list", str(wheel)], source)
    for file in (*ROOT.glob("bridge/**/*.sql"), *PAGES, ROOT / "bridge/py.typed"):
        assert str(file.relative_to(ROOT)) in listed


def test_an_editable_install_uses_the_repository(
    source: Path, python: Path, tmp_path: Path
) -> None:
    install = [*PIP, "--no-deps", "--no-build-isolation", "--editable", str(source)]
    run(python, install, tmp_path)
    place, found = run(python, ["-c", WHERE], tmp_path).splitlines()
    assert place == str(source / "bridge/__init__.py")
    assert found == str(expected())
    assert (python.parent / "bridge").exists()
