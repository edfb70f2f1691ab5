"""Read the settings file, and lay the environment over it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.errors import Fault, SettingsError
from bridge.settings.environment import PREFIX, SECRETS, variables
from bridge.settings.faults import shown, wrong
from bridge.settings.sections import Settings
from bridge.yamlfile import (
    Misfit,
    Table,
    Word,
    dotted,
    read,
    text_of,
    texts,
    values,
)

S = TypeVar("S", bound=BaseModel)


def load(file: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings file, lay the environment over it and check the whole.

    Raises SettingsError naming every wrong setting with its place in the file or its variable. No
    value is repeated, because it may be a secret.
    """
    environment = os.environ if environment is None else environment
    told: list[str] = []
    root = _from_file(file, told) if file is not None else None
    given = values(root) if root is not None else {}
    named = {}
    for variable in variables(environment, told):
        _put(given, variable.path, variable.value)
        named[".".join(variable.path)] = variable.name
    settings, unfit = _fitted(given)
    told += [_line(each, root, named) for each in unfit]
    if settings is None or told:
        raise SettingsError("\n".join(told))
    return settings


def changed(section: S, table: Table, key: str, faults: list[Fault]) -> S:
    """A section with what a table says instead: every word is text, but `null`.

    It is returned as it was where the table does not fit. `key` is what the table stands under.
    """
    said = {**section.model_dump(), **texts(table, nulls=True)}
    try:
        return type(section).model_validate(said)
    except ValidationError as error:
        unfit = wrong(error, type(section), said)
    faults += [each.fault(table, dotted((key, *each.way) if key else each.way)) for each in unfit]
    return section


def _from_file(file: Path, told: list[str]) -> Table:
    """The tree of the file; raises SettingsError where there is none."""
    faults: list[Fault] = []
    try:
        text = text_of(file, faults)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None
    root = read(text, str(file), faults, shown) if text is not None else None
    if isinstance(root, Word) and root.plain and not root.text:
        root = Table({}, root.place)
    if root is not None and not isinstance(root, Table):
        message = "must hold sections such as 'mllp:', not a list or a word"
        faults.append(root.place.fault("", message))
    elif root is not None:
        faults += _written_secrets(root)
    told += map(str, faults)
    if not isinstance(root, Table):
        raise SettingsError("\n".join(told))
    return root


def _written_secrets(root: Table) -> Iterator[Fault]:
    """Faults for secrets that stand in the file."""
    for section, key in SECRETS:
        outer = root.entries.get(section)
        inner = outer.value.entries.get(key) if outer and isinstance(outer.value, Table) else None
        if inner is not None and values(inner.value) is not None:
            name = f"{PREFIX}{section}__{key}".upper()
            message = (
                f"a secret does not belong in this file; "
                f"set {name}, or {name}_FILE to the path of a file that holds it"
            )
            yield inner.key_place.fault(f"{section}.{key}", message)


def _fitted(given: Mapping[str, Any]) -> tuple[Settings | None, list[Misfit]]:
    try:
        return Settings.model_validate(given), []
    except ValidationError as error:
        return None, wrong(error, Settings, given)


def _line(misfit: Misfit, root: Table | None, named: Mapping[str, str]) -> str:
    """A line for people: the variable that set it, else its place in the file; what is wrong."""
    way = dotted(misfit.way)
    for setting, name in named.items():
        if setting == way or setting.startswith(f"{way}."):
            return f"{name}: {misfit}"
    key = shown(misfit.way)
    return str(misfit.fault(root, key)) if root is not None else f"{key}: {misfit}"


def _put(given: dict[str, Any], path: tuple[str, ...], value: str | None) -> None:
    for key in path[:-1]:
        inner = given.get(key)
        given[key] = dict(inner) if isinstance(inner, dict) else {}
        given = given[key]
    given[path[-1]] = value
