"""Does a request's body fit the catalogue: type, format, enum, required, unknown field."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import orjson

from bridge.sandbox.answers import ApiError, ErrorEntry
from bridge.zauto.catalogue import FieldFormat, FieldType, Resource, ResourceField
from bridge.zauto.contract import PHONE_PATTERN, ErrorCode

#: bytes of one request body; the document names no cap
BODY_LIMIT = 1024 * 1024
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_PHONE = re.compile(PHONE_PATTERN)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object a body holds; raises ApiError."""
    if len(body) > BODY_LIMIT:
        raise invalid([ErrorEntry("body", f"is larger than {BODY_LIMIT} bytes")])
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid([ErrorEntry("body", f"is not JSON: {error.msg}")]) from error
    if not isinstance(value, dict):
        raise invalid([ErrorEntry("body", "must be a JSON object")])
    return value


def check_new(resource: Resource, body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record to be made, nulls dropped; raises ApiError naming every fault."""
    errors = list(_faults(resource, body))
    errors += [
        ErrorEntry(name, "is required")
        for name, spec in resource.fields.items()
        if spec.required and body.get(name) is None
    ]
    if errors:
        raise invalid(errors)
    return {name: value for name, value in body.items() if value is not None}


def check_change(resource: Resource, body: Mapping[str, Any], external_id: str) -> dict[str, Any]:
    """The fields to change, None for those to clear; raises ApiError naming every fault."""
    errors = list(_faults(resource, body))
    errors += [
        ErrorEntry(name, "is required and cannot be cleared")
        for name, spec in resource.fields.items()
        if spec.required and name in body and body[name] is None
    ]
    if body.get("id") not in (None, external_id):
        errors.append(ErrorEntry("id", "must be the id in the path"))
    if errors:
        raise invalid(errors)
    return {name: value for name, value in body.items() if name != "id"}


def invalid(errors: list[ErrorEntry]) -> ApiError:
    """The refusal of a request that does not fit."""
    return ApiError(ErrorCode.VALIDATION_FAILED, "Request validation failed", errors=errors)


def _faults(resource: Resource, body: Mapping[str, Any]) -> Iterator[ErrorEntry]:
    for name, value in body.items():
        spec = resource.fields.get(name)
        if spec is None:
            yield ErrorEntry(name, "is not a field of this resource")
        elif value is not None and (fault := _fault(spec, value)):
            yield ErrorEntry(name, fault)


def _fault(spec: ResourceField, value: Any) -> str:
    if not _TYPES[spec.type](value):
        return f"must be a {spec.type}"
    if spec.enum and value not in spec.enum:
        return f"must be one of {', '.join(spec.enum)}"
    if spec.required and isinstance(value, str) and not value.strip():
        return "must not be empty"
    if spec.format and not _FORMATS[spec.format](value):
        return f"must be a valid {spec.format}"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_date(value: str) -> bool:
    return _DATE.fullmatch(value) is not None and _parses(date.fromisoformat, value)


def _is_datetime(value: str) -> bool:
    return _DATETIME.match(value) is not None and _parses(datetime.fromisoformat, value)


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


_TYPES: Mapping[FieldType, Callable[[Any], bool]] = {
    FieldType.STRING: lambda value: isinstance(value, str),
    FieldType.NUMBER: _is_number,
    FieldType.BOOLEAN: lambda value: isinstance(value, bool),
}
_FORMATS: Mapping[FieldFormat, Callable[[str], bool]] = {
    FieldFormat.DATE: _is_date,
    FieldFormat.DATETIME: _is_datetime,
    FieldFormat.EMAIL: lambda value: _EMAIL.fullmatch(value) is not None,
    FieldFormat.PHONE: lambda value: _PHONE.fullmatch(value) is not None,
}
