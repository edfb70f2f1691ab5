"""What of a call may be shown to anybody: people are hidden, constants are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.causes import MASK, masked_key
from bridge.delivery import Call, Payload, Target
from bridge.lineage import Origin

#: longer codes may be words about a person that stand where a code belongs
_LONGEST_SHOWN = 3


def masked_payload(call: Call, origins: Sequence[Origin]) -> Payload:
    """The payload with every value hidden but those that the mappings state: constants and
    results of code tables."""
    stated = _stated(origins)
    if call.target is Target.HOSPITAL:
        segments = call.payload["segments"]
        return {"segments": [(name, _segment(name, fields, stated)) for name, fields in segments]}
    return {
        name: value if name in stated else masked(value) for name, value in call.payload.items()
    }


def _segment(name: str, fields: Mapping[str, Any], stated: frozenset[str]) -> dict[str, Any]:
    return {
        place: value if f"{name}-{place}" in stated else masked(value)
        for place, value in fields.items()
    }


def _stated(origins: Sequence[Origin]) -> frozenset[str]:
    """Fields whose every value the mappings state; of repeated segments under one name."""
    stated: dict[str, bool] = {}
    for origin in origins:
        name = _without_number(origin.field)
        stated[name] = stated.get(name, True) and _is_stated(origin)
    return frozenset(name for name, only in stated.items() if only)


def _is_stated(origin: Origin) -> bool:
    """Whether the mappings or settings hold the value; a table may keep codes that it does not
    know."""
    if origin.made_by.startswith("codes/"):
        return not origin.made_by.endswith(": otherwise keep")
    return not origin.path and origin.made_by.startswith(("constant", "site."))


def _without_number(field: str) -> str:
    """`RXE-2.1` for `RXE[2]-2.1`."""
    segment, bracket, rest = field.partition("[")
    return segment + rest.partition("]")[2] if bracket else field


def masked(value: Any) -> Any:
    """The same shape with every value hidden; null stays, it says 'cleared'."""
    if isinstance(value, Mapping):
        return {key: masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner) for inner in value]
    return None if value is None else MASK


def without_row(made_by: str) -> str:
    """`codes/gender: F` as `codes/gender`: the row is the value."""
    return made_by.partition(":")[0] if made_by.startswith("codes/") else made_by


def masked_reference(name: str, *, reveal: bool) -> str:
    """What is waited for, with its number only if it may be shown."""
    return name if reveal else masked_key(name)


def masked_code(code: str) -> str:
    """A short code as it is; of a longer one, which may be a word about a person, its length."""
    return code if len(code) <= _LONGEST_SHOWN else f"{MASK} ({len(code)} characters)"
