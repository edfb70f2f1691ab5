"""What is wrong with settings, in words for those who wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bridge.settings.sections import Settings

#: what a kind of fault is called here; pydantic speaks to programmers
_FAULTS = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "path_type": "must be a path",
    "tuple_type": "must be a list",
    "model_type": "must be a section with settings of its own",
    "missing": "is missing",
    "literal_error": "must be {expected}",
    "less_than_equal": "must be at most {le}",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
}


def told(error: ValidationError, file: Path | None, named: Mapping[str, str]) -> str:
    """A line a setting: where it was set, what is wrong, what would be right.

    `named` is the variable of the environment that set it, by the setting's name.
    """
    return "\n".join(
        f"{_place(keys, file, named)}: {sentence}" for keys, sentence in wrong(error).items()
    )


def wrong(error: ValidationError, section: str = "") -> Mapping[tuple[str, ...], str]:
    """What is wrong, by the keys that lead to it from `section`, or from the top."""
    found: dict[tuple[str, ...], list[str]] = {}
    for fault in error.errors():
        keys = tuple(str(part) for part in fault["loc"] if not _names_a_kind(part))
        if fault["type"] == "extra_forbidden":
            text = f"is not a setting{_meant((section, *keys) if section else keys)}"
        else:
            usual = _FAULTS.get(fault["type"], "").format(**fault.get("ctx", {}))
            text = usual or fault["msg"].removeprefix("Value error, ")
            if fault["type"] == "literal_error":
                text += _nearest(str(fault["input"]), fault["ctx"]["expected"])
        found.setdefault(keys, []).append(text)
    return {keys: ", or ".join(texts) for keys, texts in found.items()}


def _place(keys: tuple[str, ...], file: Path | None, named: Mapping[str, str]) -> str:
    """The variable that set it, else the file and the setting's name."""
    dotted = ".".join(keys)
    for setting, name in named.items():
        if setting == dotted or setting.startswith(f"{dotted}."):
            return name
    return f"{file}: {dotted}" if file else dotted


def _meant(keys: tuple[str, ...]) -> str:
    """The nearest word among the settings of the same section."""
    section: Any = Settings
    for key in keys[:-1]:
        if not key.isdecimal():
            section = _section(section.model_fields[key].annotation)
    near = get_close_matches(keys[-1], section.model_fields, 1)
    return f". Did you mean '{near[0]}'?" if near else ""


def _nearest(word: str, expected: str) -> str:
    """The word most like this one of those that pydantic lists: `'event' or 'park'`."""
    near = get_close_matches(word, expected.split("'")[1::2], 1)
    return f". Did you mean '{near[0]}'?" if near else ""


def _section(annotation: Any) -> Any:
    """The section within the type of a setting: itself, or one of a list or a choice."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_section, get_args(annotation))), None)


def _names_a_kind(part: int | str) -> bool:
    """Whether pydantic added it to a path to say which of several kinds a value was read as."""
    return isinstance(part, str) and ("[" in part or part[:1].isupper())
