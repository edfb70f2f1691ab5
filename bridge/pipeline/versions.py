"""Sets of mappings as the store keeps them: each message's own can be told and brought back."""

from __future__ import annotations

from bridge.mapping.plan import Mappings
from bridge.store.contract import MappingVersion


def version_of(mappings: Mappings, at: float) -> MappingVersion:
    """A set that is taken into use now."""
    folders = [dict(folder.files) for folder in mappings.folders]
    return MappingVersion(mappings.hash, at, folders, mappings.legend)
