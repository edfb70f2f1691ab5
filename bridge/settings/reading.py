"""Read the settings file, and lay the environment over it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from bridge.errors import SettingsError
from bridge.settings.faults import told
from bridge.settings.sections import Settings

PREFIX = "BRIDGE_"


class _Loader(yaml.SafeLoader):
    """YAML in which only true and false are booleans: `off` and `NO` (Norway) are words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, word) for tag, word in resolvers if not tag.endswith(":bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))

SECRETS = (
    ("zauto", "client_secret"),
    ("fhir", "api_key"),
    ("orders", "api_key"),
)


def load(file: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings file, lay the environment over it and check the whole.

    Raises SettingsError naming every wrong setting.
    """
    environment = os.environ if environment is None else environment
    values = _from_file(file) if file is not None else {}
    _refuse_secrets(values, file)
    named = {}
    for name, path, value in _from_environment(environment):
        _put(values, path, value or _nothing(path))
        named[".".join(path)] = name
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(told(error, file, named)) from error


def _from_file(file: Path) -> dict[str, Any]:
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: is not UTF-8 at byte {error.start}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{file}: is not YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(f"{file}: must hold sections such as 'mllp:', not a list or a word")
    return values


def _refuse_secrets(values: Mapping[str, Any], file: Path | None) -> None:
    for section, key in SECRETS:
        if isinstance(values.get(section), dict) and values[section].get(key) is not None:
            name = f"{PREFIX}{section}__{key}".upper()
            raise SettingsError(
                f"{file}: {section}.{key}: a secret does not belong in this file; "
                f"set {name}, or {name}_FILE to the path of a file that holds it"
            )


def _from_environment(
    environment: Mapping[str, str],
) -> Iterator[tuple[str, list[str], str]]:
    """Each variable's name, the setting it is for, and its value."""
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        if path[-1].endswith("_file"):
            path[-1] = path[-1].removesuffix("_file")
            value = _secret_file(name, value)
        yield name, path, value


def _nothing(path: list[str]) -> str | None:
    """What an empty variable says: an empty word where a setting is one, and null elsewhere."""
    section: type[BaseModel] = Settings
    *outer, last = path
    for key in outer:
        inner = section.model_fields[key].annotation if key in section.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None
        section = inner
    word = last in section.model_fields and section.model_fields[last].annotation is str
    return "" if word else None


def _secret_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}: {path} is not UTF-8 at byte {error.start}") from error


def _put(values: dict[str, Any], path: list[str], value: str | None) -> None:
    for key in path[:-1]:
        inner = values.get(key)
        values[key] = dict(inner) if isinstance(inner, dict) else {}
        values = values[key]
    values[path[-1]] = value
