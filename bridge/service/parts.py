"""What is read from files before anything starts: the catalogue and the mappings."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.mapping.load import load as load_mappings
from bridge.mapping.plan import Mappings
from bridge.settings import Settings
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import Catalogue
from bridge.zauto.catalogue import load as load_catalogue


@dataclass(frozen=True, slots=True)
class Parts:
    """The catalogue and the mappings, checked."""

    catalogue: Catalogue
    mappings: Mappings


def read_parts(settings: Settings) -> Parts:
    """Read and check them; raises MappingError with every fault."""
    folder = settings.mappings.folder or mappings_folder()
    catalogue = load_catalogue(folder / "zauto")
    folders = [each for each in (folder, settings.mappings.site) if each is not None]
    return Parts(catalogue, load_mappings(folders, catalogue, settings.site))
