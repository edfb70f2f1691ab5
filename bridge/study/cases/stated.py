"""A call as a test states it: every value as the text that stands in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bridge.delivery import Call
from bridge.hl7v2.writer import write


@dataclass(frozen=True, slots=True)
class Stated:
    """The payload of a call to ZautoAI, under the words of a test."""

    fields: Mapping[str, str]
    on_create: Mapping[str, str]
    cleared: tuple[str, ...]
    allocated: tuple[str, ...]


def state(call: Call) -> Stated:
    """The payload of a call; its id, which stands beside it, is left out."""
    given = {name: value for name, value in call.payload.items() if name != "id"}
    said = {name: text_of(value) for name, value in given.items() if value is not None}
    return Stated(
        fields={name: text for name, text in said.items() if name not in call.create_only},
        on_create={name: text for name, text in said.items() if name in call.create_only},
        cleared=tuple(name for name, value in given.items() if value is None),
        allocated=tuple(allocation.field for allocation in call.allocations),
    )


def text_of(value: Any) -> str:
    """A value as it is written in a test: `12.5`, `true`, a list as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def segments_of(call: Call) -> list[str]:
    """The segments of the message that a call to the hospital sends."""
    made = write([(name, fields) for name, fields in call.payload["segments"]])
    return made.decode().split("\r")[:-1]
