"""What is read from files before anything starts: the catalogue and the mappings of all sites."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.errors import Fault, MappingError, SettingsError
from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.engine.sets import Sets, sets_of
from bridge.mapping.folders import read_folder
from bridge.mapping.language.load import compile_folders
from bridge.mapping.language.memory import Memory
from bridge.mapping.language.sites import Sources, read_site
from bridge.settings import Settings
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import Catalogue
from bridge.zauto.catalogue import load as load_catalogue


@dataclass(frozen=True, slots=True)
class CheckedParts:
    """The catalogue and the mappings, checked."""

    catalogue: Catalogue
    sets: Sets
    #: of what they were made of, so that a reload makes only what changed
    memory: Memory = field(default_factory=Memory)

    @property
    def mappings(self) -> Mappings:
        """The set of the first channel."""
        return self.sets.of("")


def read_parts(settings: Settings, also: Sequence[str] = ()) -> CheckedParts:
    """Read and check them, for the sites of all channels and `also` for these.

    Raises MappingError with every fault.
    """
    catalogue = read_catalogue(settings)
    memory = Memory()
    by_site = read_mappings(settings, (*settings.sites(), *also), catalogue, memory)
    memory.turn()
    return CheckedParts(catalogue, sets_of(by_site, settings), memory)


def read_catalogue(settings: Settings) -> Catalogue:
    """ZautoAI's resources; raises MappingError, or SettingsError for a setting that names none."""
    catalogue = load_catalogue((settings.mappings.folder or mappings_folder()) / "zauto")
    _refuse_unknown(settings, catalogue)
    return catalogue


def _refuse_unknown(settings: Settings, catalogue: Catalogue) -> None:
    for name in settings.zauto.not_offered:
        operation, _, resource = name.partition(" ")
        if resource not in catalogue:
            known = ", ".join(sorted(catalogue.resources))
            raise SettingsError(
                f"zauto.not_offered: '{name}': there is no resource '{resource}' to {operation}; "
                f"there are {known}"
            )


def read_mappings(
    settings: Settings, sites: Collection[str], catalogue: Catalogue, memory: Memory
) -> dict[str, Mappings]:
    """The set of each of these sites; raises MappingError with the faults of all of them."""
    faults: list[Fault] = []
    return compile_sources(read_sources(settings, sites, faults), catalogue, memory, faults)


def compile_sources(
    by_site: Mapping[str, Sources], catalogue: Catalogue, memory: Memory, faults: list[Fault]
) -> dict[str, Mappings]:
    """The set of each site; raises MappingError with `faults` and those of all sets."""
    compiled = {}
    for name, sources in by_site.items():
        try:
            compiled[name] = compile_folders(sources.folders, catalogue, sources.site, [], memory)
        except MappingError as error:
            faults += error.faults
    if faults:
        raise MappingError(sorted(set(faults), key=lambda f: (f.file, f.line, f.column)))
    return compiled


def read_sources(
    settings: Settings, sites: Collection[str], faults: list[Fault]
) -> dict[str, Sources]:
    """The files of each of these sites, the shipped ones read once."""
    folder = settings.mappings.folder or mappings_folder()
    shipped = Sources((read_folder(folder, faults),), settings.site)
    return {name: read_site(settings.mappings.sites, name, shipped, faults) for name in sites}
