"""Lists: search, order and pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.sandbox.collection import Collection
from bridge.sandbox.database import Database
from bridge.zauto.catalogue import Resource, ResourceField

PATIENT = {"uhid": 1, "fullName": "Meera Iyer", "phoneNumber": "+919812345678"}


async def make_patient(api: httpx.AsyncClient, external_id: str, **fields: Any) -> None:
    body = PATIENT | {"id": external_id} | fields
    assert (await api.post("/zauto-api/patients", json=body)).status_code == 201


async def make_visit(api: httpx.AsyncClient, external_id: str, **fields: Any) -> None:
    visit = {"patientId": "test-patient-001", "visitDateTime": "2024-01-15T14:30:00Z"}
    answer = await api.post("/zauto-api/patient-visits", json=visit | {"id": external_id} | fields)
    assert answer.status_code == 201


async def found(api: httpx.AsyncClient, path: str, term: str) -> list[str]:
    answer = await api.get(f"/zauto-api/{path}", params={"search": term})
    return [record["externalId"] for record in answer.json()["data"]]


async def test_patients_are_found_by_each_documented_field(api: httpx.AsyncClient) -> None:
    await make_patient(api, "MRN-77", uhid=40417, fullName="Ünal Öztürk", email="u@example.org")
    for term in ("ünal", "ÖZTÜRK", "mrn-77", "40417", "u@exam", "98123"):
        assert await found(api, "patients", term) == ["MRN-77"], term


async def test_a_search_looks_in_no_other_field(api: httpx.AsyncClient) -> None:
    await make_patient(api, "p1", address="Harbour Road", remarks="allergic")
    assert await found(api, "patients", "harbour") == []


async def test_a_short_term_and_quotes_are_plain_text(api: httpx.AsyncClient) -> None:
    await make_patient(api, "p1", fullName='Anil "Bunty" OR Sons')
    assert await found(api, "patients", '"bunty" or') == ["p1"]
    assert await found(api, "patients", '"b') == ["p1"]
    assert await found(api, "patients", "%") == []
    assert await found(api, "patients", "a\0nil") == ["p1"]


async def test_an_empty_search_is_no_filter(api: httpx.AsyncClient) -> None:
    assert await found(api, "patients", "") == ["test-patient-001"]


async def test_visits_are_found_by_the_names_of_patient_and_provider(
    api: httpx.AsyncClient,
) -> None:
    await make_patient(api, "p1", fullName="Lakshmi Nair")
    await make_visit(api, "v1", patientId="p1")
    await make_visit(api, "v2", providerId="test-provider-001", purposeOfVisit="Fever")
    assert await found(api, "patient-visits", "lakshmi") == ["v1"]
    assert await found(api, "patient-visits", "dr. test") == ["v2"]
    assert await found(api, "patient-visits", "fever") == ["v2"]
    assert await found(api, "patient-visits", "p1") == []


async def test_a_visit_is_found_by_whom_it_refers_to_now(api: httpx.AsyncClient) -> None:
    await make_patient(api, "p1", fullName="Lakshmi Nair")
    await make_patient(api, "p2", fullName="Imran Khan")
    await make_visit(api, "v1", patientId="p1")
    await api.put("/zauto-api/patient-visits/v1", json={"patientId": "p2"})
    assert await found(api, "patient-visits", "lakshmi") == []
    assert await found(api, "patient-visits", "imran") == ["v1"]
    await api.put("/zauto-api/patients/p2", json={"fullName": "Imran Sheikh"})
    assert await found(api, "patient-visits", "im") == ["v1"]
    assert await found(api, "patient-visits", "khan") == []
    await api.delete("/zauto-api/patient-visits/v1")
    assert await found(api, "patient-visits", "sheikh") == []


async def test_visits_that_are_found_come_latest_first_and_once(api: httpx.AsyncClient) -> None:
    await make_patient(api, "p1", fullName="Review Nair")
    for day in (3, 1, 2):
        at = f"2024-02-0{day}T12:00:00Z"
        purpose = "Review" if day == 1 else "Fever"
        await make_visit(api, f"v{day}", patientId="p1", visitDateTime=at, purposeOfVisit=purpose)
    assert await found(api, "patient-visits", "review") == ["v3", "v2", "v1"]
    answer = await api.get("/zauto-api/patient-visits?search=review&limit=2&page=2")
    assert [record["externalId"] for record in answer.json()["data"]] == ["v1"]
    assert answer.json()["pagination"]["totalCount"] == 3


async def test_a_total_follows_what_is_written(api: httpx.AsyncClient) -> None:
    async def total(search: str) -> int:
        answer = await api.get("/zauto-api/patients", params={"search": search})
        return int(answer.json()["pagination"]["totalCount"])

    assert [await total(""), await total("meera")] == [1, 0]
    await make_patient(api, "p1")
    assert [await total(""), await total("meera")] == [2, 1]
    await api.put("/zauto-api/patients/p1", json={"fullName": "Imran Khan"})
    assert [await total(""), await total("meera")] == [2, 0]
    await api.delete("/zauto-api/patients/p1")
    assert [await total(""), await total("imran")] == [1, 0]


async def test_an_update_changes_what_is_found(api: httpx.AsyncClient) -> None:
    await make_patient(api, "p1", fullName="Before Marriage")
    await api.put("/zauto-api/patients/p1", json={"fullName": "After Wedding"})
    assert await found(api, "patients", "before") == []
    assert await found(api, "patients", "wedding") == ["p1"]


async def test_visits_come_latest_first_whatever_their_offset(api: httpx.AsyncClient) -> None:
    await make_visit(api, "noon in London", visitDateTime="2024-02-01T12:00:00Z")
    await make_visit(api, "noon in Delhi", visitDateTime="2024-02-01T12:00:00+05:30")
    await make_visit(api, "eleven in London", visitDateTime="2024-02-01T11:00:00.000Z")
    assert await found(api, "patient-visits", "") == [
        "noon in London",
        "eleven in London",
        "noon in Delhi",
        "test-visit-001",
    ]


async def test_pages_hold_every_record_once(api: httpx.AsyncClient) -> None:
    for number in range(24):
        await make_patient(api, f"p{number:02}")
    pages = [
        (await api.get(f"/zauto-api/patients?page={page}&limit=10")).json() for page in (1, 2, 3, 4)
    ]
    ids = [record["externalId"] for page in pages for record in page["data"]]
    assert ids == ["test-patient-001", *(f"p{number:02}" for number in range(24))]
    assert [page["pagination"]["hasNext"] for page in pages] == [True, True, False, False]
    assert [page["pagination"]["hasPrev"] for page in pages] == [False, True, True, True]


@pytest.mark.parametrize("external_id", ["क/7 #?", "two\nlines"])
async def test_an_id_may_hold_anything(api: httpx.AsyncClient, external_id: str) -> None:
    await make_patient(api, external_id)
    answer = await api.get(f"/zauto-api/patients/{quote(external_id, safe='')}")
    assert answer.json()["data"]["externalId"] == external_id


NOTES = Resource(
    name="notes",
    path="/notes",
    title="Note",
    fields={"id": ResourceField(required=True), "text": ResourceField()},
    search=("text",),
)


#: few characters, so that terms are met; among them some that fold to two, or quote, or end
LETTERS = st.sampled_from("aAbßIİıςΣé \"%_*'-क्ষ\n\0𝒜")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(LETTERS, max_size=12), max_size=6), st.text(LETTERS, max_size=5))
def test_a_search_finds_what_holds_the_term_and_nothing_else(texts: list[str], term: str) -> None:
    state = Database()
    notes = Collection(NOTES, state)
    for number, text in enumerate(texts):
        notes.create(orjson.dumps({"id": str(number), "text": text}), 0.0)
    ids = [record["externalId"] for record in notes.list({"search": term}).body["data"]]
    folded = term.replace("\0", "").strip().casefold()
    assert ids == [str(n) for n, text in enumerate(texts) if folded in text.casefold()]
    state.close()
