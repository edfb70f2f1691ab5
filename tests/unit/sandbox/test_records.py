"""What becomes of a record: made, read, changed, deleted.

That all is as the vendor's document shows is tested in tests/acceptance/published.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

RECORDS: dict[str, dict[str, Any]] = {
    "patients": {
        "id": "p1",
        "uhid": 4711,
        "fullName": "Meera Iyer",
        "dateOfBirth": "1984-11-02",
        "phoneNumber": "+919812345678",
        "visited": False,
    },
    "providers": {"id": "d1", "fullName": "Dr. Farah Khan", "email": "farah@example.org"},
    "patient-visits": {
        "id": "v1",
        "patientId": "p1",
        "providerId": "d1",
        "visitDateTime": "2026-03-01T09:30:00+05:30",
        "tokenNumber": 12,
        "purposeOfVisit": "Fever",
        "status": "IN_QUEUE",
    },
}
#: the clock's
NOW = "2024-01-15T10:30:00Z"


def whole(record: dict[str, Any], internal_id: str) -> dict[str, Any]:
    rest = {name: value for name, value in record.items() if name != "id"}
    ids = {"id": internal_id, "externalId": record["id"]}
    return {**ids, **rest, "createdAt": NOW, "updatedAt": NOW}


@pytest.fixture(autouse=True)
async def _made(api: httpx.AsyncClient) -> None:
    for path, record in RECORDS.items():
        answer = await api.post(f"/zauto-api/{path}", json=record)
        assert answer.status_code == 201
        UUID(answer.json()["data"]["id"])


@pytest.mark.parametrize("path", RECORDS)
async def test_a_record_is_read_back_with_every_field(api: httpx.AsyncClient, path: str) -> None:
    record = RECORDS[path]
    answer = await api.get(f"/zauto-api/{path}/{record['id']}")
    body = answer.json()
    assert answer.status_code == 200
    assert body["data"] == whole(record, body["data"]["id"])


async def test_an_update_changes_what_it_names_and_null_clears(
    api: httpx.AsyncClient, clock: Any
) -> None:
    clock.now += 60
    change = {"status": "IN_PROGRESS", "purposeOfVisit": None}
    answer = await api.put("/zauto-api/patient-visits/v1", json=change)
    assert answer.status_code == 200
    visit = {**RECORDS["patient-visits"], "status": "IN_PROGRESS"}
    expected = whole(visit, answer.json()["data"]["id"])
    del expected["purposeOfVisit"]
    expected["updatedAt"] = "2024-01-15T10:31:00Z"
    assert answer.json()["data"] == expected
    again = await api.get("/zauto-api/patient-visits/v1")
    assert again.json()["data"] == expected


async def test_a_deleted_record_is_gone(api: httpx.AsyncClient) -> None:
    deleted = await api.delete("/zauto-api/patients/p1")
    assert deleted.status_code == 200
    assert (await api.get("/zauto-api/patients/p1")).status_code == 404
    found = await api.get("/zauto-api/patients", params={"search": "Meera"})
    assert found.json()["data"] == []
