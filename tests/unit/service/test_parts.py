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


def test_a_sites_own_folder_overrides_by_name(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes" / "gender.yaml").write_text("rows: {W: Female}\n")
    shipped = read_parts(Settings()).mappings
    assert read_parts(Settings(mappings=Mappings(site=tmp_path))).mappings.hash != shipped.hash


def test_a_sites_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="is not a folder of mappings"):
        read_parts(Settings(mappings=Mappings(site=tmp_path / "none")))
