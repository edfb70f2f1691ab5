"""The mappings that come with the package are found."""

from __future__ import annotations

from bridge.shipped import mappings_folder


def test_the_shipped_mappings_are_found() -> None:
    assert (mappings_folder() / "zauto" / "patients.yaml").is_file()
