"""Settings from the environment, and secrets from it or from files that it names.

A fault names the variable and never repeats its value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from bridge.errors import Fault
from bridge.settings.sections import Settings
from bridge.yamlfile import decoded

PREFIX = "BRIDGE_"
SECRETS = (
    ("zauto", "client_secret"),
    ("fhir", "api_key"),
    ("orders", "api_key"),
)
_FILE = "_file"
#: bytes of a file that holds a secret
_LONGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that is set, and the setting it is for."""

    name: str
    path: tuple[str, ...]
    value: str | None


class _UnusableValue(Exception):
    """A value that cannot be used; says why, without it."""


def variables(environment: Mapping[str, str], told: list[str]) -> Iterator[Variable]:
    """Every setting of the environment; what is wrong is added to `told`, a line a variable."""
    before: dict[tuple[str, ...], str] = {}
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        try:
            variable = _variable(name, text)
        except _UnusableValue as error:
            told.append(f"{name}: {error}")
            continue
        if text and variable.path in before:
            told.append(f"{name}: sets the same as {before[variable.path]}; keep one of them")
        elif text:
            before[variable.path] = name
        yield variable


def _variable(name: str, text: str) -> Variable:
    *outer, last = name.removeprefix(PREFIX).lower().split("__")
    if last.endswith(_FILE):
        path = (*outer, last.removesuffix(_FILE))
        return Variable(name, path, _secret(_content(text), "the file it names "))
    path = (*outer, last)
    if path in SECRETS and text:
        text = _secret(text, "")
    return Variable(name, path, text or _nothing(path))


def _nothing(path: tuple[str, ...]) -> str | None:
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


def _content(path: str) -> str:
    """The text of a file; its path is not repeated, a secret may have been written there."""
    if not path:
        raise _UnusableValue("must be the path of a file that holds the value")
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as error:
        raise _UnusableValue(f"the file it names cannot be read: {error.strerror}") from None
    except ValueError:
        raise _UnusableValue("is not the path of a file") from None
    if len(data) > _LONGEST:
        raise _UnusableValue(f"the file it names is larger than {_LONGEST} bytes")
    faults: list[Fault] = []
    text = decoded(data, path, faults)
    if text is None:
        raise _UnusableValue(f"the file it names {faults[0].message}")
    return text


def _secret(text: str, what: str) -> str:
    """The secret in a text: without a byte order mark, and blanks and line ends around it."""
    secret = text.removeprefix("\ufeff").strip()
    if not secret:
        raise _UnusableValue(f"{what}holds nothing; write the value alone into it")
    if "\n" in secret:
        raise _UnusableValue(f"{what}holds several lines; write the value alone into it")
    for number, character in enumerate(secret, 1):
        if not character.isprintable():
            odd = f"U+{ord(character):04X} as character {number}"
            raise _UnusableValue(f"{what}holds {odd}, which cannot be seen; remove it")
    return secret
