"""What requests and answers hold, as JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from bridge.zauto.catalogue import FieldFormat, FieldType, Resource, ResourceField
from bridge.zauto.contract import (
    CLIENT_ID_PATTERN,
    CLIENT_SECRET_PATTERN,
    ORDERS,
    PHONE_PATTERN,
    ErrorCode,
    Grant,
    Order,
    TokenError,
)

Schema: TypeAlias = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_WORD: Schema = {"type": "string", "minLength": 1}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FORMATS: Mapping[FieldFormat, Schema] = {
    FieldFormat.DATE: {"format": "date"},
    FieldFormat.DATETIME: {"format": "date-time"},
    FieldFormat.EMAIL: {"format": "email"},
    FieldFormat.PHONE: {"pattern": f"^{PHONE_PATTERN}$"},
}


def word(resource: Resource) -> str:
    """The resource's title as one word, `PatientVisit`."""
    return "".join(part.capitalize() for part in resource.title.split())


def reference(name: str) -> Schema:
    """A reference to the schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def schemas(resources: Iterable[Resource]) -> dict[str, Schema]:
    """Every named schema: those of each resource, and those of the API as a whole."""
    own = {name: schema for one in resources for name, schema in _of_resource(one).items()}
    orders = {f"{kind.capitalize()}Order": _order(order) for kind, order in ORDERS.items()}
    return {**own, **_of_all(), **orders}


def success(data: Schema, **more: Schema) -> Schema:
    """The envelope round `data`; a list's has `pagination` beside it."""
    return _closed({"status": {"const": "success"}, "message": _TEXT, "data": data, **more})


def error(codes: Iterable[ErrorCode]) -> Schema:
    """The error envelope with one of these codes, or without any where there is none."""
    values = [code.value for code in codes]
    if not values:
        return {**reference("Error"), "not": {"required": ["errorCode"]}}
    coded = {"properties": {"errorCode": {"enum": values}}, "required": ["errorCode"]}
    return {**reference("Error"), **coded}


def _of_resource(resource: Resource) -> dict[str, Schema]:
    name = word(resource)
    return {
        name: _kept(resource),
        f"New{name}": _new(resource),
        f"{name}Change": _change(resource),
        f"{name}Created": _created(resource),
    }


def _kept(resource: Resource) -> Schema:
    fields = {name: _field(spec) for name, spec in resource.fields.items() if name != "id"}
    always = [name for name, spec in resource.fields.items() if spec.required and name != "id"]
    own = {"createdAt": _MOMENT, "updatedAt": _MOMENT}
    return _object({**_ids(), **fields, **own}, [*_ids(), *always, *own])


def _new(resource: Resource) -> Schema:
    fields = {name: _given(spec) for name, spec in resource.fields.items()}
    made = _object(fields, [name for name in resource.fields if name in resource.required()])
    return {**made, "examples": list(resource.examples)} if resource.examples else made


def _change(resource: Resource) -> Schema:
    fields = {name: _given(spec) for name, spec in resource.fields.items() if name != "id"}
    about = "The fields to change; null clears one. The id of the path may be repeated."
    return {**_object(fields, []), "description": about}


def _created(resource: Resource) -> Schema:
    shown = {name: _given(resource.fields[name]) for name in resource.created}
    return _closed({**_ids(), **shown, "createdAt": _MOMENT})


def _ids() -> dict[str, Schema]:
    return {
        "id": {**_WORD, "description": "ZautoAI's own id"},
        "externalId": {**_WORD, "description": "the id in your system"},
    }


def _field(spec: ResourceField) -> Schema:
    """A value of the field, which is not null."""
    made: Schema = {"type": spec.type.value}
    if spec.format:
        made |= _FORMATS[spec.format]
    elif spec.required and spec.type is FieldType.STRING:
        made["pattern"] = r"\S"  # not blank
    if spec.enum:
        made["enum"] = list(spec.enum)
    if spec.about:
        made["description"] = spec.about
    return made


def _given(spec: ResourceField) -> Schema:
    """A value of the field in a request: null stands for none."""
    made = _field(spec)
    if spec.required:
        return made
    nullable = {**made, "type": [made["type"], "null"]}
    return {**nullable, "enum": [*spec.enum, None]} if spec.enum else nullable


def _of_all() -> dict[str, Schema]:
    flags = {"hasNext": _FLAG, "hasPrev": _FLAG}
    counts = {"currentPage": _COUNT, "totalPages": _COUNT, "totalCount": _COUNT}
    return {
        "Pagination": _closed({**counts, **flags}),
        "Error": _refused(),
        "TokenRequest": {"oneOf": [_token_request(grant) for grant in Grant]},
        "Token": _token(),
        "TokenError": _token_error(),
    }


def _refused() -> Schema:
    one = _closed({"field": _TEXT, "message": _TEXT})
    always = {
        "status": {"const": "error"},
        "message": _TEXT,
        "errors": {"type": "array", "items": one},
        "timestamp": _MOMENT,
    }
    code = {"errorCode": {"enum": [one.value for one in ErrorCode]}}
    return _object({**always, **code}, list(always))


def _token_request(grant: Grant) -> Schema:
    fields: dict[str, Schema] = {
        "grant_type": {"const": grant.value},
        "client_id": {"type": "string", "pattern": f"^{CLIENT_ID_PATTERN}$"},
        "client_secret": {"type": "string", "pattern": f"^{CLIENT_SECRET_PATTERN}$"},
    }
    if grant is Grant.REFRESH_TOKEN:
        fields["refresh_token"] = _WORD
    return {"type": "object", "properties": fields, "required": list(fields)}


def _token() -> Schema:
    return _closed(
        {
            "access_token": _WORD,
            "token_type": {"const": "bearer"},
            "expires_in": {**_COUNT, "description": "seconds"},
            "refresh_token": _WORD,
        }
    )


def _token_error() -> Schema:
    """RFC 6749 section 5.2."""
    words = {"enum": [one.value for one in TokenError]}
    return _closed({"error": words, "error_description": _TEXT})


def _order(order: Order) -> Schema:
    line = _closed({name: {"type": kind.value} for name, kind in order.fields.items()})
    lines = {"type": "array", "items": line}
    return _closed({"externalVisitId": _WORD, order.lines: lines})


def _closed(properties: dict[str, Schema]) -> Schema:
    """An object of just these properties, all of them required."""
    return _object(properties, list(properties))


def _object(properties: dict[str, Schema], required: list[str]) -> Schema:
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made
