"""Where the tests beside mappings are run: each folder's on its own bench."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bridge.errors import Fault, MappingError
from bridge.mapping.engine.compiled import Mappings
from bridge.service.parts import CheckedParts
from bridge.settings import Settings
from bridge.study.trial import Bench, Trial


def benches(parts: CheckedParts, settings: Settings) -> list[Bench]:
    """A bench for the shipped folder, and one for the folder of each site.

    The shipped tests are run with the shipped mappings and the defaults of all settings, so that
    they hold wherever they are run; a site's with all its mappings, and its settings of `site:`.
    """
    shipped = parts.mappings.folders[:1]
    of_sites = [
        bench_of(mappings, parts, settings)
        for mappings in parts.sets.by_site.values()
        if len(mappings.folders) > 1
    ]
    return [Bench(shipped, parts.catalogue, Settings(), read_beside), *of_sites]


def bench_of(mappings: Mappings, parts: CheckedParts, settings: Settings) -> Bench:
    """The bench for a site's tests: its mappings and its `site:`, the hospital's channels."""
    own = Settings(site=mappings.site, channels=settings.channels, listeners=settings.listeners)
    return Bench(mappings.folders, parts.catalogue, own, read_beside)


def run_all(benches: Sequence[Bench], names: Sequence[str] = ()) -> list[Trial]:
    """Run the tests of every bench, or those of which one of `names` is a part of their name.

    Raises MappingError for files that cannot be read as tests.
    """
    faults: list[Fault] = []
    found = [
        (bench, file, case)
        for bench in benches
        for file in bench.files(faults)
        for case in file.cases
        if not names or any(name in f"{file.mapping}: {case.name}" for name in names)
    ]
    if faults:
        raise MappingError(faults)
    return [bench.run(file, case) for bench, file, case in found]


def read_beside(file: str, name: str) -> bytes:
    """The file that a test names, as seen from its own."""
    return (Path(file).parent / name).read_bytes()
