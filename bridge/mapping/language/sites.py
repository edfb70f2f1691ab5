"""A site's own folder: what one hospital does differently from the shipped mappings.

It is laid out as they are and overrides them by name (`language.overlay`); `site.yaml` in it
overrides settings of `site:`. ZautoAI's resources are the same for all sites, so it has no `zauto`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import Fault
from bridge.mapping.folders import CATALOGUE, Folder, read_folder
from bridge.settings import Site, changed
from bridge.yamlfile import nearest, read_table, text_of

#: of a site's folder, its settings
SETTINGS = "site.yaml"


@dataclass(frozen=True, slots=True)
class Sources:
    """What one set of mappings is compiled of."""

    #: later ones override earlier ones
    folders: tuple[Folder, ...]
    site: Site


def read_site(sites: Path, name: str, shipped: Sources, faults: list[Fault]) -> Sources:
    """The shipped mappings with what a site says instead; `name` "" is the shipped ones."""
    if not name:
        return shipped
    path = sites / name
    if not path.is_dir():
        faults.append(_unknown(sites, name))
        return shipped
    folder = read_folder(path, faults)
    faults += [_of_all(path / file) for file in folder.files if file.startswith(f"{CATALOGUE}/")]
    faults += [_stray(file) for file in sorted(path.glob("*.y*ml")) if file.name != SETTINGS]
    site = _settings(path / SETTINGS, shipped.site, faults)
    return Sources((*shipped.folders, folder), site)


def site_names(sites: Path) -> Sequence[str]:
    """The names of all sites that have a folder."""
    return sorted(path.name for path in sites.glob("*/")) if sites.is_dir() else []


def _unknown(sites: Path, name: str) -> Fault:
    known = site_names(sites)
    there_are = f"there are {', '.join(known)}" if known else "there are none"
    message = f"there is no site '{name}' in {sites}; {there_are}."
    return Fault(str(sites / name), 1, 1, "", message, nearest(name, known))


def _of_all(file: Path) -> Fault:
    message = "ZautoAI's resources are the same for all sites; put it into mappings.folder."
    return Fault(str(file), 1, 1, "", message)


def _stray(file: Path) -> Fault:
    message = f"is not read; a site's settings stand in {SETTINGS}, its mappings in folders."
    return Fault(str(file), 1, 1, "", message, nearest(file.name, [SETTINGS]))


def _settings(file: Path, usual: Site, faults: list[Fault]) -> Site:
    """The settings of `site:` with what the file says instead."""
    if not file.exists():
        return usual
    try:
        text = text_of(file, faults)
    except OSError as error:
        faults.append(Fault(str(file), 1, 1, "", f"cannot be read: {error.strerror}"))
        return usual
    table = read_table(text, str(file), faults) if text is not None else None
    return changed(usual, table, "", faults) if table is not None else usual
