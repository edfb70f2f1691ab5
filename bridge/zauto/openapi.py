"""ZautoAI's API as an OpenAPI 3.1 document, made from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from bridge.zauto.catalogue import Catalogue, Operation, Resource
from bridge.zauto.contract import (
    API_VERSION,
    ASSUMED,
    DEFAULT_PAGE_SIZE,
    LIMIT_HEADER,
    MAX_PAGE,
    MAX_PAGE_SIZE,
    ORDERS,
    REMAINING_HEADER,
    RESET_HEADER,
    STATUS_OF,
    STATUSES,
    TOKEN_PATH,
    ErrorCode,
)
from bridge.zauto.schemas import Schema, error, reference, schemas, success, word

_JSON = "application/json"
_TEXT: Schema = {"type": "string"}
_LIMIT_HEADERS: Mapping[str, str] = {
    LIMIT_HEADER: "requests allowed in the window",
    REMAINING_HEADER: "requests left in it",
    RESET_HEADER: "its end, in seconds since the epoch",
}
_VERBS: Mapping[Operation, str] = {
    Operation.CREATE: "Create a",
    Operation.LIST: "List and search",
    Operation.READ: "Read a",
    Operation.UPDATE: "Change a",
    Operation.DELETE: "Delete a",
}


def openapi(catalogue: Catalogue, *, limited: bool = True) -> Schema:
    """The whole document; `limited` False leaves out the headers that tell of limits."""
    resources = catalogue.resources.values()
    paths = {path: item for one in resources for path, item in _paths(one, limited).items()}
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": "/"}],
        "tags": [{"name": "Tokens"}, *({"name": one.title} for one in resources)],
        "security": [{"token": []}],
        "paths": {TOKEN_PATH: {"post": _token(limited)}, **paths},
        "webhooks": {kind: {"post": _push(kind)} for kind in ORDERS},
        "components": {
            "schemas": schemas(resources),
            "securitySchemes": {"token": _bearer()},
        },
    }


def _info() -> Schema:
    guesses = "\n".join(f"- **{about}**: {guess}" for about, guess in ASSUMED.items())
    about = f"As the vendor's document says. Where it is silent, this is assumed:\n\n{guesses}"
    return {"title": "ZautoAI Integration API", "version": API_VERSION, "description": about}


def _bearer() -> Schema:
    about = f"the access_token that POST {TOKEN_PATH} gives"
    return {"type": "http", "scheme": "bearer", "description": about}


def _token(limited: bool) -> Schema:
    never_kept = {"Cache-Control": _header("no-store, RFC 6749 section 5.1", _TEXT)}
    given = _answer(200, reference("Token"), {**never_kept, **_limit_headers(limited)})
    refused = {
        str(status): _answer(status, reference("TokenError"), _limit_headers(limited))
        for status in (400, 401)
    }
    return {
        "operationId": "getToken",
        "tags": ["Tokens"],
        "summary": "Get an access token",
        "security": [],
        "requestBody": _body(reference("TokenRequest")),
        "responses": {"200": given, **refused, **_errors([ErrorCode.RATE_LIMIT_EXCEEDED], limited)},
    }


def _paths(resource: Resource, limited: bool) -> Schema:
    """The resource's two paths with what can be done at each."""
    all_of_them: Schema = {}
    one_of_them: Schema = {"parameters": [_external_id()]}
    for operation in Operation:
        item = one_of_them if operation.of_one else all_of_them
        item[operation.method.lower()] = _operation(resource, operation, limited)
    return {resource.path: all_of_them, f"{resource.path}/{{id}}": one_of_them}


def _operation(resource: Resource, operation: Operation, limited: bool) -> Schema:
    made: Schema = {
        "operationId": f"{operation.value}{word(resource)}",
        "tags": [resource.title],
        "summary": f"{_VERBS[operation]} {resource.title.lower()}",
        "responses": {
            **_succeeded(resource, operation, limited),
            **_errors(_codes(resource, operation), limited, writes=operation in _BODIES),
        },
    }
    if operation in resource.assumed():
        made["description"] = "Assumed: the vendor's document does not show this operation."
    if operation is Operation.LIST:
        made["parameters"] = _query(resource)
    if operation in (Operation.CREATE, Operation.UPDATE):
        made["requestBody"] = _body(reference(_BODIES[operation].format(word(resource))))
    return made


#: what each operation that writes is sent; a delete is sent nothing
_BODIES: Mapping[Operation, str] = {
    Operation.CREATE: "New{}",
    Operation.UPDATE: "{}Change",
    Operation.DELETE: "",
}


def _succeeded(resource: Resource, operation: Operation, limited: bool) -> Schema:
    record = reference(word(resource))
    headers = _limit_headers(limited)
    if operation is Operation.CREATE:
        made = _answer(201, success(reference(f"{word(resource)}Created")), headers)
        return {"201": {**made, "links": _links(resource)}}
    if operation is Operation.LIST:
        listed = {"type": "array", "items": record, "maxItems": MAX_PAGE_SIZE}
        return {"200": _answer(200, success(listed, pagination=reference("Pagination")), headers)}
    return {"200": _answer(200, success(record), headers)}


def _links(resource: Resource) -> Schema:
    """Where the record just made is found."""
    found = {"id": "$response.body#/data/externalId"}
    return {
        operation.value: {"operationId": f"{operation.value}{word(resource)}", "parameters": found}
        for operation in Operation
        if operation.of_one
    }


def _codes(resource: Resource, operation: Operation) -> list[ErrorCode]:
    """The error codes that an operation can meet."""
    codes = [ErrorCode.INVALID_TOKEN, ErrorCode.RATE_LIMIT_EXCEEDED]
    if operation in (Operation.CREATE, Operation.LIST, Operation.UPDATE):
        codes.append(ErrorCode.VALIDATION_FAILED)
    if operation.of_one:
        codes.append(ErrorCode.RESOURCE_NOT_FOUND)
    if operation is Operation.CREATE:
        codes.append(ErrorCode.DUPLICATE_EXTERNAL_ID)
    if operation in (Operation.CREATE, Operation.UPDATE) and resource.referents():
        codes.append(ErrorCode.REFERENCED_RESOURCE_NOT_FOUND)
    return codes


def _errors(codes: Iterable[ErrorCode], limited: bool, *, writes: bool = False) -> Schema:
    """An answer for each status that these codes stand beside, and for those without a code."""
    by_status: dict[int, list[ErrorCode]] = {500: [], **({403: []} if writes else {})}
    for code in codes:
        by_status.setdefault(STATUS_OF[code], []).append(code)
    return {
        str(status): _refusal(status, by_status[status], limited) for status in sorted(by_status)
    }


def _refusal(status: int, codes: list[ErrorCode], limited: bool) -> Schema:
    # what broke may be what counts
    broken = status == HTTPStatus.INTERNAL_SERVER_ERROR
    headers = _limit_headers(limited and not broken)
    if status == HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": _header("Bearer, RFC 6750 section 3", _TEXT), **headers}
    return _answer(status, error(codes), headers)


def _answer(status: int, schema: Schema, headers: Schema) -> Schema:
    described = {"description": STATUSES[status], "content": {_JSON: {"schema": schema}}}
    return {**described, "headers": headers} if headers else described


def _limit_headers(limited: bool) -> Schema:
    if not limited:
        return {}
    return {name: _header(about, {"type": "integer"}) for name, about in _LIMIT_HEADERS.items()}


def _header(about: str, schema: Schema) -> Schema:
    return {"description": about, "required": True, "schema": schema}


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {_JSON: {"schema": schema}}}


def _external_id() -> Schema:
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "external id of the record",
        "schema": {"type": "string", "minLength": 1},
    }


def _query(resource: Resource) -> list[Schema]:
    number = {"type": "integer", "minimum": 1}
    return [
        _parameter("page", "page number", {**number, "maximum": MAX_PAGE, "default": 1}),
        _parameter(
            "limit",
            "records a page",
            {**number, "maximum": MAX_PAGE_SIZE, "default": DEFAULT_PAGE_SIZE},
        ),
        _parameter("search", f"looked for in {', '.join(resource.search)}, in any case", _TEXT),
    ]


def _parameter(name: str, about: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def _push(kind: str) -> Schema:
    """What ZautoAI sends to the partner's endpoint."""
    return {
        "operationId": f"push{kind.capitalize()}",
        "summary": f"An order of {kind} is pushed to the partner",
        "security": [{}],
        "requestBody": _body(reference(f"{kind.capitalize()}Order")),
        "responses": {"2XX": {"description": "The partner has taken the order"}},
    }
