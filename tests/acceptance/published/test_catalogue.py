"""Everything the vendor's document lists stands in the catalogue, and as it says."""

from __future__ import annotations

import re

import pytest

from bridge.shipped import mappings_folder
from bridge.zauto import contract
from bridge.zauto.catalogue import FieldType, Operation, Resource, load
from tests.acceptance.published.document import (
    ENUM_FIELDS,
    ORDER_TITLES,
    TEST_RECORDS,
    Example,
    FieldLine,
    Parameter,
    named,
    published,
)

DOCUMENT = published()
CATALOGUE = load(mappings_folder() / "zauto")
RECORDS = [
    one for one in DOCUMENT.examples() if one.title in TEST_RECORDS or one.title.startswith("Req")
]
TYPES = {str: FieldType.STRING, int: FieldType.NUMBER, bool: FieldType.BOOLEAN}


def resource_at(path: str) -> Resource:
    found = [one for one in CATALOGUE.resources.values() if one.path == path]
    assert found, f"no resource of the catalogue is at {path}"
    return found[0]


def test_the_document_is_read_whole() -> None:
    """Counted by eye: a document in another form must not make the tests below empty."""
    found = {
        "endpoints": len(DOCUMENT.endpoints()),
        "bases": len(DOCUMENT.bases()),
        "required": len(DOCUMENT.required()),
        "parameters": len(DOCUMENT.parameters()),
        "searched": sum(map(len, DOCUMENT.searched().values())),
        "ordered": len(DOCUMENT.ordered()),
        "enums": sum(map(len, DOCUMENT.enums().values())),
        "statuses": len(DOCUMENT.statuses()),
        "codes": len(DOCUMENT.error_codes()),
        "limits": len(DOCUMENT.limits()),
        "headers": len(DOCUMENT.limit_headers()),
        "credentials": len(DOCUMENT.credential_formats()),
        "queries": len(DOCUMENT.queries()),
        "examples": len(DOCUMENT.examples()),
    }
    assert found == {
        "endpoints": 13,
        "bases": 5,
        "required": 18,
        "parameters": 3,
        "searched": 9,
        "ordered": 1,
        "enums": 11,
        "statuses": 9,
        "codes": 6,
        "limits": 2,
        "headers": 3,
        "credentials": 2,
        "queries": 2,
        "examples": 12,
    }


def test_it_is_the_document_of_the_version_that_the_catalogue_names() -> None:
    assert f"API Version: {contract.API_VERSION}\n" in f"{DOCUMENT.text.rstrip()}\n"


@pytest.mark.parametrize("endpoint", DOCUMENT.endpoints(), ids=named)
def test_an_endpoint_is_an_operation_that_is_shown(endpoint: tuple[str, str]) -> None:
    method, path = endpoint
    if path == contract.TOKEN_PATH:
        assert method == "POST"
        return
    resource = resource_at(path.removesuffix("/{id}"))
    fitting = [
        one for one in Operation if one.method == method and one.of_one == path.endswith("/{id}")
    ]
    assert len(fitting) == 1
    assert fitting[0] in resource.shown


def test_no_operation_is_called_shown_that_is_not() -> None:
    shown = {
        (one.method, resource.path + ("/{id}" if one.of_one else ""))
        for resource in CATALOGUE.resources.values()
        for one in resource.shown
    }
    assert shown | {("POST", contract.TOKEN_PATH)} == set(DOCUMENT.endpoints())


def test_every_base_is_a_resource_and_no_resource_is_made_up() -> None:
    paths = {path.removesuffix("/{id}") for _, path in DOCUMENT.endpoints()}
    known = {resource.path for resource in CATALOGUE.resources.values()}
    assert known == {*paths, *DOCUMENT.bases()} - {contract.TOKEN_PATH}
    assert all(path.startswith(contract.BASE_PATH) for path in known)


@pytest.mark.parametrize("line", DOCUMENT.required(), ids=named)
def test_a_required_field_is_required(line: FieldLine) -> None:
    field = resource_at(line.path).fields[line.name]
    assert field.required
    assert field.type == (line.type or "string")


def test_no_other_field_is_required() -> None:
    for resource in CATALOGUE.resources.values():
        listed = {line.name for line in DOCUMENT.required() if line.path == resource.path}
        assert resource.required() == listed


@pytest.mark.parametrize("record", RECORDS, ids=named)
def test_a_field_that_is_shown_is_a_field_of_its_type(record: Example) -> None:
    resource = resource_at(TEST_RECORDS.get(record.title, record.path))
    shown = {name: TYPES[type(value)] for name, value in record.value.items()}
    known = {name: field.type for name, field in resource.fields.items() if name in shown}
    assert known == shown


def test_no_field_is_made_up() -> None:
    for resource in CATALOGUE.resources.values():
        listed = {line.name for line in DOCUMENT.required() if line.path == resource.path}
        shown = {
            name
            for record in RECORDS
            if TEST_RECORDS.get(record.title, record.path) == resource.path
            for name in record.value
        }
        assert set(resource.fields) == listed | shown


@pytest.mark.parametrize("name", DOCUMENT.enums())
def test_an_enum_has_its_values(name: str) -> None:
    assert name in ENUM_FIELDS, f"say which field {name} is of"
    field = CATALOGUE["patient-visits"].fields[ENUM_FIELDS[name]]
    assert list(field.enum) == DOCUMENT.enums()[name]


@pytest.mark.parametrize("path", DOCUMENT.searched())
def test_a_list_is_searched_by_its_fields(path: str) -> None:
    assert list(resource_at(path).search) == DOCUMENT.searched()[path]


@pytest.mark.parametrize("path", DOCUMENT.ordered())
def test_a_list_has_its_order(path: str) -> None:
    field, downwards = DOCUMENT.ordered()[path]
    assert resource_at(path).order == ("-" if downwards else "") + field


@pytest.mark.parametrize("parameter", DOCUMENT.parameters(), ids=named)
def test_a_query_parameter_has_its_default_and_its_most(parameter: Parameter) -> None:
    known = {
        "page": (1, 0),
        "limit": (contract.DEFAULT_PAGE_SIZE, contract.MAX_PAGE_SIZE),
        "search": (0, 0),
    }
    assert known[parameter.name] == (parameter.default, parameter.most)


@pytest.mark.parametrize("status", DOCUMENT.statuses())
def test_a_status_stands_in_the_documents_words(status: int) -> None:
    assert contract.STATUSES[status] == DOCUMENT.statuses()[status]


def test_statuses_and_error_codes_are_the_documents_and_no_others() -> None:
    assert set(contract.STATUSES) == set(DOCUMENT.statuses())
    assert [code.value for code in contract.ErrorCode] == DOCUMENT.error_codes()
    assert set(contract.STATUS_OF) == set(contract.ErrorCode)


def test_limits_and_their_headers_are_the_documents() -> None:
    assert DOCUMENT.limits() == {
        "hour": contract.REQUESTS_AN_HOUR,
        "minute": contract.REQUESTS_A_MINUTE,
    }
    assert list(DOCUMENT.limit_headers()) == [
        contract.LIMIT_HEADER,
        contract.REMAINING_HEADER,
        contract.RESET_HEADER,
    ]


def test_tokens_and_credentials_are_as_the_document_says() -> None:
    assert DOCUMENT.example("Response (200 OK):")["expires_in"] == contract.ACCESS_SECONDS
    shown = DOCUMENT.example("Content-Type: application/json")
    assert shown["grant_type"] == contract.Grant.CLIENT_CREDENTIALS
    assert re.fullmatch(contract.CLIENT_ID_PATTERN, shown["client_id"])
    sizes = {
        name: re.findall(r"\{\d+\}", said) for name, said in DOCUMENT.credential_formats().items()
    }
    assert sizes == {
        "client_id": re.findall(r"\{\d+\}", contract.CLIENT_ID_PATTERN),
        "client_secret": re.findall(r"\{\d+\}", contract.CLIENT_SECRET_PATTERN),
    }


@pytest.mark.parametrize("title", ORDER_TITLES)
def test_an_order_has_its_fields(title: str) -> None:
    order = contract.ORDERS[ORDER_TITLES[title]]
    payload = DOCUMENT.example(title)
    assert list(payload) == ["externalVisitId", order.lines]
    (line,) = payload[order.lines]
    assert {name: TYPES[type(value)] for name, value in line.items()} == dict(order.fields)


def test_the_orders_are_all_that_is_pushed() -> None:
    assert set(ORDER_TITLES.values()) == set(contract.ORDERS)


@pytest.mark.parametrize("title", TEST_RECORDS)
def test_a_test_record_is_an_example_of_its_resource(title: str) -> None:
    assert resource_at(TEST_RECORDS[title]).examples == (DOCUMENT.example(title),)
