"""The demonstration tells what it lacks before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.cli.demo.command import demo
from bridge.errors import BridgeError


def test_without_samples_it_is_told_where_there_are_some(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match=r"installed package has none; .* --samples"):
        demo(samples=tmp_path / "samples")


def test_without_a_list_of_what_is_expected_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match=r"expected\.yaml: cannot be read"):
        demo(samples=tmp_path)
