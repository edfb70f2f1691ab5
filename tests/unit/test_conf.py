"""The settings files that are shipped are right, and tell every setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.settings import Settings, load

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.parametrize("file", sorted(CONF.glob("*.yaml")), ids=lambda file: file.name)
def test_a_shipped_settings_file_loads(file: Path) -> None:
    load(file, {})


def test_the_commented_file_holds_every_setting_with_its_default() -> None:
    written = yaml.safe_load((CONF / "bridge.yaml").read_text(encoding="utf-8"))
    defaults = Settings().model_dump(mode="json", exclude={"fhir", "orders"})
    del defaults["zauto"]["client_secret"]
    assert _flat(written) == _flat(defaults)


def test_the_examples_name_the_vendors_hosts() -> None:
    assert load(CONF / "zautoai-production.yaml", {}).zauto.base_url == "https://api.zautoai.com"
    development = load(CONF / "zautoai-development.yaml", {})
    assert development.zauto.base_url == "https://dev-api.zautoai.com"


def _flat(section: Any, path: str = "") -> dict[str, Any]:
    if isinstance(section, list) and section and isinstance(section[0], dict):
        section = {str(place): entry for place, entry in enumerate(section)}
    if not isinstance(section, dict):
        return {path: section}
    return {
        k: v for key, value in section.items() for k, v in _flat(value, f"{path}.{key}").items()
    }


def test_off_and_no_are_words(tmp_path: Path) -> None:
    file = tmp_path / "bridge.yaml"
    file.write_text("zauto: {limits: off}\nsite: {country: NO, next_of_kin_phone: true}\n")
    settings = load(file, {})
    assert settings.zauto.call_limits() is None
    assert settings.site.country == "NO"
    assert settings.site.next_of_kin_phone is True
