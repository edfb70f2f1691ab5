from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import MappingError
from bridge.service.parts import read_parts
from bridge.settings import Mappings, Settings


def test_the_shipped_set_is_used_unless_a_folder_is_named() -> None:
    parts = read_parts(Settings())
    assert set(parts.catalogue.resources) >= {"patients", "providers", "patient-visits"}
    assert "ADT^A04" in parts.mappings.message_types


def test_a_folder_without_a_catalogue_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="holds no resource"):
        read_parts(Settings(mappings=Mappings(folder=tmp_path)))
