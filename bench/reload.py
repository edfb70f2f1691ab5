"""How long a changed file of mappings takes to be in use, and what its sites cost at the start.

python bench/reload.py [RUNS]
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bridge import logs
from bridge.errors import Fault
from bridge.service.parts import compile_sources, read_parts, read_sources
from bridge.settings import Channel, MappingSettings, Settings
from bridge.shipped import mappings_folder

RUNS = 15
#: files that a site changes, each alone
CHANGED = ("codes/gender.yaml", "parts/patient_from_pid.yaml", "parts/rde_o11.yaml")
SITES = 10


def start(settings: Settings) -> float:
    """Milliseconds to read and compile all mappings, from nothing."""
    began = time.perf_counter()
    read_parts(settings)
    return (time.perf_counter() - began) * 1000


def reload(settings: Settings, file: Path, runs: int) -> list[float]:
    """Milliseconds of a reload after each change of a file."""
    parts, taken, text = read_parts(settings), [], file.read_text(encoding="utf-8")
    for run in range(runs):
        file.write_text(f"# {run}\n" * (run + 1) + text, encoding="utf-8")
        began = time.perf_counter()
        faults: list[Fault] = []
        sources = read_sources(settings, settings.sites(), faults)
        compile_sources(sources, parts.catalogue, parts.memory, faults)
        parts.memory.turn()
        taken.append((time.perf_counter() - began) * 1000)
    file.write_text(text, encoding="utf-8")
    return taken


def sited(folder: Path, count: int) -> Settings:
    """Settings of so many sites, each with a row of its own."""
    for number in range(count):
        codes = folder / f"site{number}" / "codes"
        codes.mkdir(parents=True, exist_ok=True)
        (codes / "gender.yaml").write_text(f"rows: {{W{number}: Female}}\n")
    names = [f"site{number}" for number in range(count)]
    return Settings(
        mappings=MappingSettings(sites=folder),
        channels=tuple(Channel(name=name, site=name) for name in names),
    )


def row(what: str, taken: list[float], target: str = "") -> None:
    """One line of the table."""
    print(f"{what:<44}{statistics.median(taken):8.0f}{max(taken):8.0f}   {target}")


def main() -> None:
    """Print the medians and the worst of all runs, in milliseconds."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print(f"{'milliseconds':<44}{'median':>8}{'worst':>8}   target")
    row("start with all shipped mappings", [start(Settings()) for _ in range(runs)], "<= 300")
    with tempfile.TemporaryDirectory() as folder:
        many = sited(Path(folder), SITES)
        row(f"start with {SITES} sites", [start(many) for _ in range(max(3, runs // 5))])
        shipped = Path(folder) / "shipped"
        shutil.copytree(mappings_folder(), shipped)
        settings = Settings(mappings=MappingSettings(folder=shipped))
        for name in CHANGED:
            row(f"reload, {name} changed", reload(settings, shipped / name, runs), "<= 100")


if __name__ == "__main__":
    logs.configure("WARNING")
    main()
