"""The OpenAPI document says all that the catalogue says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import Operation, load
from bridge.zauto.contract import ORDERS, STATUSES, TOKEN_PATH, ErrorCode
from bridge.zauto.openapi import openapi

CATALOGUE = load(mappings_folder() / "zauto")
DOCUMENT = openapi(CATALOGUE)
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}


def below(value: Any) -> Iterator[Any]:
    """The value and every value in it."""
    yield value
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for each in inner:
            yield from below(each)


def values_of(key: str, inside: Any = DOCUMENT) -> list[Any]:
    return [each[key] for each in below(inside) if isinstance(each, dict) and key in each]


def test_every_operation_of_every_resource_is_in_it() -> None:
    expected = {
        f"{one.method.lower()} {resource.path}{'/{id}' if one.of_one else ''}"
        for resource in CATALOGUE.resources.values()
        for one in Operation
    }
    assert set(OPERATIONS) == expected | {f"post {TOKEN_PATH}"}


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    assert "createPatientVisit" in names


def test_what_is_assumed_is_said() -> None:
    assumed = {name for name, one in OPERATIONS.items() if "Assumed" in one.get("description", "")}
    assert "get /zauto-api/patient-visits/{id}" in assumed
    assert "get /zauto-api/patients/{id}" not in assumed


def test_every_reference_leads_somewhere() -> None:
    schemas = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert set(values_of("$ref")) <= schemas


def test_no_schema_is_there_for_nothing() -> None:
    used = {path.rpartition("/")[2] for path in values_of("$ref")}
    assert set(DOCUMENT["components"]["schemas"]) == used


def test_links_lead_to_operations() -> None:
    names = {operation["operationId"] for operation in OPERATIONS.values()}
    linked = {one["operationId"] for links in values_of("links") for one in links.values()}
    assert linked
    assert linked <= names


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_an_answer(status: int) -> None:
    answers = [operation["responses"] for operation in OPERATIONS.values()]
    assert any(str(status) in one for one in answers)


@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_code_is_in_an_answer(code: ErrorCode) -> None:
    in_answers = [one for operation in OPERATIONS.values() for one in values_of("enum", operation)]
    assert any(code in enum for enum in in_answers)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_but_a_500_tells_of_limits(name: str) -> None:
    for status, answer in OPERATIONS[name]["responses"].items():
        headers = [one for one in answer.get("headers", ()) if one.startswith("X-RateLimit-")]
        assert len(headers) == (0 if status == "500" else 3), status


def test_a_sandbox_without_limits_promises_no_headers() -> None:
    text = str(openapi(CATALOGUE, limited=False))
    assert "X-RateLimit-" in str(DOCUMENT)
    assert "X-RateLimit-" not in text


def test_every_operation_but_the_tokens_needs_a_token() -> None:
    assert DOCUMENT["security"] == [{"token": []}]
    own = {name for name, operation in OPERATIONS.items() if "security" in operation}
    assert own == {f"post {TOKEN_PATH}"}


def test_the_orders_that_are_pushed_are_webhooks() -> None:
    assert set(DOCUMENT["webhooks"]) == set(ORDERS)


def test_a_visits_schema_holds_its_fields() -> None:
    new = DOCUMENT["components"]["schemas"]["NewPatientVisit"]
    assert new["required"] == ["id", "patientId", "visitDateTime"]
    assert new["properties"]["tokenNumber"] == {"type": ["number", "null"]}
    assert new["properties"]["patientType"]["enum"][0] == "IN_PATIENT"
    assert new["additionalProperties"] is False
