"""Sets of mappings as the store keeps them: each message's own can be told and brought back."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import ValidationError

from bridge.errors import Fault, MappingError
from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.folders import CATALOGUE, Folder
from bridge.mapping.language.sites import SETTINGS, Sources
from bridge.settings import Site
from bridge.settings.faults import wrong
from bridge.store.records import MappingVersion
from bridge.yamlfile import dotted


def version_of(mappings: Mappings, at: float) -> MappingVersion:
    """A set that is taken into use now; the settings it was compiled for stand in it as a file."""
    folders = [dict(folder.files) for folder in mappings.folders]
    settings = {SETTINGS: mappings.site.model_dump_json()}
    return MappingVersion(mappings.hash, at, [*folders, settings], mappings.legend)


def sources_of(version: MappingVersion, catalogue: Folder) -> Sources:
    """What a kept set was compiled of, with ZautoAI's resources as they are now.

    They are those of `catalogue`, because there are not two ZautoAIs: where they changed since,
    the set is compiled for them, and has another hash. Raises MappingError where its settings are
    not those of this version of the bridge.
    """
    *kept, settings = version.folders
    kept[0] = {**_without_catalogue(kept[0]), **of_catalogue(catalogue)}
    folders = tuple(Folder(version.hash, dict(sorted(files.items()))) for files in kept)
    return Sources(folders, _site(version.hash, settings[SETTINGS]))


def _site(hash: str, settings: str) -> Site:
    kept = json.loads(settings)
    try:
        return Site.model_validate(kept)
    except ValidationError as error:
        raise MappingError(
            [
                Fault(f"{hash}/{SETTINGS}", 1, 1, dotted(each.way), str(each))
                for each in wrong(error, Site, kept)
            ]
        ) from error


def of_catalogue(folder: Folder) -> Mapping[str, str]:
    """The files of a folder that say what ZautoAI's resources are."""
    return {name: text for name, text in folder.files.items() if name.startswith(f"{CATALOGUE}/")}


def _without_catalogue(files: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in files.items() if not name.startswith(f"{CATALOGUE}/")}
