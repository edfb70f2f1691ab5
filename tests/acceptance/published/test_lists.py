"""Every query parameter, searched field and order of the document works in the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.published.conftest import Api
from tests.acceptance.published.document import Parameter, named, published
from tests.acceptance.published.samples import PATIENTS, PROVIDERS, least, make_providers

DOCUMENT = published()


@pytest.mark.parametrize(
    ("path", "word"), [(path, word) for path, all_ in DOCUMENT.searched().items() for word in all_]
)
async def test_a_search_finds_a_part_of_each_field_in_any_case(
    api: Api, path: str, word: str
) -> None:
    sought = await _with_something_to_find(api, path, word)
    for term in (sought, sought.upper(), sought[1:-1].lower()):
        found = await api.http.get(path, params={"search": term})
        assert [one["externalId"] for one in found.json()["data"]] == ["Record-47"], term


async def _with_something_to_find(api: Api, path: str, word: str) -> str:
    """Make a record that nothing but `word` finds; the term that does."""
    special: dict[str, Any] = {
        "phoneNumber": "+4930901820",
        "email": "Zebra@zoo.example",
        "uhid": 90210,
        "externalId": "Record-47",
    }
    value = special.get(word, "Zebra Crossing")
    record = least(path)
    whose, _, field = word.rpartition(".")
    if whose:
        other = {"patient": PATIENTS, "provider": PROVIDERS}[whose]
        await api.http.post(other, json=least(other) | {"id": "other", field: value})
        record[f"{whose}Id"] = "other"
    elif field != "externalId":
        record[field] = value
    assert (await api.http.post(path, json=record)).status_code == 201
    return str(value)


@pytest.mark.parametrize("path", DOCUMENT.ordered())
async def test_a_list_has_the_order_that_is_said(api: Api, path: str) -> None:
    field, downwards = DOCUMENT.ordered()[path]
    for number, moment in enumerate(("2026-03-01T08:00:00Z", "2026-03-03T08:00:00Z")):
        await api.http.post(path, json=least(path) | {"id": f"n{number}", field: moment})
    values = [one[field] for one in (await api.http.get(path)).json()["data"]]
    assert values == sorted(values, reverse=downwards)
    assert len(set(values)) == 3


@pytest.mark.parametrize("parameter", DOCUMENT.parameters(), ids=named)
async def test_a_query_parameter_does_what_is_said(api: Api, parameter: Parameter) -> None:
    await PARAMETERS[parameter.name](api, parameter)


async def _page(api: Api, parameter: Parameter) -> None:
    await make_providers(api.http, 12)
    without = (await api.http.get(PROVIDERS)).json()
    assert without["pagination"]["currentPage"] == parameter.default
    second = (await api.http.get(PROVIDERS, params={"page": 2})).json()
    assert len(second["data"]) == 3
    assert second["pagination"] == {
        "currentPage": 2,
        "totalPages": 2,
        "totalCount": 13,
        "hasNext": False,
        "hasPrev": True,
    }


async def _limit(api: Api, parameter: Parameter) -> None:
    await make_providers(api.http, parameter.default)
    without = (await api.http.get(PROVIDERS)).json()
    assert len(without["data"]) == parameter.default
    most = await api.http.get(PROVIDERS, params={"limit": parameter.most})
    assert len(most.json()["data"]) == parameter.default + 1
    over = await api.http.get(PROVIDERS, params={"limit": parameter.most + 1})
    assert [error["field"] for error in over.json()["errors"]] == ["limit"]


async def _search(api: Api, parameter: Parameter) -> None:
    found = await api.http.get(PROVIDERS, params={"search": "TEST provider"})
    assert found.json()["pagination"]["totalCount"] == 1
    none = await api.http.get(PROVIDERS, params={"search": "nobody"})
    assert none.json()["data"] == []


PARAMETERS = {"page": _page, "limit": _limit, "search": _search}
