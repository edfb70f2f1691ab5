"""Plain texts, numbers and coded texts."""

from __future__ import annotations

from typing import Any

from bridge.mapping.functions.numbers import from_json, read_whole
from bridge.mapping.scope import Scope
from bridge.remarks import RemarkCode


def text(value: Any, scope: Scope) -> Any:
    """The value itself: text without space around it, a number or truth value as it is."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, dict):
        scope.remark(RemarkCode.OBJECT)
        return None
    return value


def integer(value: Any, scope: Scope) -> int | None:
    """A whole number of at most 15 digits."""
    if isinstance(value, int) and from_json(value) is not None:
        return value
    number = read_whole(value) if isinstance(value, str) else None
    if number is None:
        scope.remark(RemarkCode.NOT_AN_INTEGER)
    return number


def concept_text(value: Any, scope: Scope) -> str | None:
    """A CodeableConcept as people read it: its text, else the first display, else a code."""
    if not isinstance(value, dict):
        return None
    found = value.get("text")
    codings = value.get("coding")
    for key in ("display", "code"):
        if not found and isinstance(codings, list):
            shown = (coding.get(key) for coding in codings if isinstance(coding, dict))
            found = next(filter(None, shown), None)
    return found.strip() or None if isinstance(found, str) else None
