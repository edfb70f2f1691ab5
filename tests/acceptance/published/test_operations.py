"""Every endpoint, field and enum value of the document works in the sandbox."""

from __future__ import annotations

import pytest

from bridge.zauto.contract import TOKEN_PATH
from tests.acceptance.published.conftest import Api
from tests.acceptance.published.document import ENUM_FIELDS, FieldLine, named, published
from tests.acceptance.published.samples import PATHS, VISITS, enveloped, least

DOCUMENT = published()


@pytest.mark.parametrize("path", PATHS)
async def test_all_five_operations_are_offered(api: Api, path: str) -> None:
    record = least(path)
    made = await api.http.post(path, json=record)
    assert made.status_code == 201
    assert enveloped(made)["externalId"] == record["id"]
    listed = await api.http.get(path)
    assert record["id"] in [one["externalId"] for one in enveloped(listed, "pagination")]
    for method, body in (("GET", None), ("PUT", record), ("DELETE", None)):
        answer = await api.http.request(method, f"{path}/{record['id']}", json=body)
        assert answer.status_code == 200, method
        assert enveloped(answer)["externalId"] == record["id"]
    assert (await api.http.get(f"{path}/{record['id']}")).status_code == 404


@pytest.mark.parametrize("endpoint", DOCUMENT.endpoints(), ids=named)
async def test_an_endpoint_needs_a_token_but_the_one_that_gives_it(
    api: Api, endpoint: tuple[str, str]
) -> None:
    method, path = endpoint
    del api.http.headers["Authorization"]
    answer = await api.http.request(method, path.replace("{id}", "x"), json={})
    if path == TOKEN_PATH:
        assert answer.json()["error"] == "invalid_request"
    else:
        assert answer.json()["errorCode"] == "INVALID_TOKEN"


@pytest.mark.parametrize("query", DOCUMENT.queries())
async def test_a_query_that_is_shown_is_answered_with_a_page(api: Api, query: str) -> None:
    answer = await api.http.get(query)
    assert answer.status_code == 200
    assert isinstance(enveloped(answer, "pagination"), list)


@pytest.mark.parametrize("path", PATHS)
async def test_all_fields_are_optional_in_an_update(api: Api, path: str) -> None:
    record = least(path)
    made = (await api.http.post(path, json=record)).json()["data"]
    answer = await api.http.put(f"{path}/{record['id']}", json={})
    kept = {name: value for name, value in record.items() if name != "id"}
    assert answer.status_code == 200
    assert kept.items() <= answer.json()["data"].items()
    assert answer.json()["data"]["id"] == made["id"]


@pytest.mark.parametrize("line", DOCUMENT.required(), ids=named)
async def test_without_a_required_field_nothing_is_made(api: Api, line: FieldLine) -> None:
    record = least(line.path)
    del record[line.name]
    answer = await api.http.post(line.path, json=record)
    assert answer.json()["errorCode"] == "VALIDATION_FAILED"
    assert [error["field"] for error in answer.json()["errors"]] == [line.name]


@pytest.mark.parametrize("line", DOCUMENT.required(), ids=named)
async def test_a_required_field_of_another_type_is_refused(api: Api, line: FieldLine) -> None:
    wrong = "12345" if line.type == "number" else 12345
    answer = await api.http.post(line.path, json=least(line.path) | {line.name: wrong})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [line.name]


@pytest.mark.parametrize("name", ["patientId", "providerId"])
async def test_what_a_visit_names_must_exist(api: Api, name: str) -> None:
    answer = await api.http.post(VISITS, json=least(VISITS) | {name: "nobody"})
    assert answer.json()["errorCode"] == "REFERENCED_RESOURCE_NOT_FOUND"
    assert [error["field"] for error in answer.json()["errors"]] == [name]


@pytest.mark.parametrize(
    ("name", "value"), [(name, one) for name, all_ in DOCUMENT.enums().items() for one in all_]
)
async def test_an_enum_value_is_taken_and_kept(api: Api, name: str, value: str) -> None:
    field = ENUM_FIELDS[name]
    made = await api.http.post(VISITS, json=least(VISITS) | {field: value})
    assert made.status_code == 201
    assert (await api.http.get(f"{VISITS}/Record-47")).json()["data"][field] == value


@pytest.mark.parametrize("name", DOCUMENT.enums())
async def test_a_word_that_is_not_in_the_enum_is_refused(api: Api, name: str) -> None:
    field = ENUM_FIELDS[name]
    answer = await api.http.post(VISITS, json=least(VISITS) | {field: "ELSE"})
    assert [error["field"] for error in answer.json()["errors"]] == [field]
