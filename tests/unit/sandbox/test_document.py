"""Each request and answer that the vendor's document shows, field by field."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

PATIENT: dict[str, Any] = {
    "id": "ext-patient-001",
    "uhid": 12345,
    "uhidPrefix": "ZAI",
    "fullName": "John Doe",
    "title": "Mr.",
    "dateOfBirth": "1990-05-15",
    "email": "john.doe@email.com",
    "gender": "Male",
    "phoneNumber": "+1234567890",
    "bloodGroup": "O+",
    "aadhaarNumber": "123456789012",
    "whatsappNumber": "+1234567890",
    "preferred_lang": "en",
    "address": "123 Healthcare St, Medical City, MC 12345",
    "emergencyContactName": "Jane Doe",
    "emergencyContactRelation": "Spouse",
    "emergencyContactPhone": "+1234567891",
    "insuranceProvider": "Health Insurance Co",
    "insurancePolicyNumber": "POL123456",
    "medicalHistory": "Diabetes, Hypertension",
    "remarks": "Regular checkup patient",
    "isTeleCommunication": False,
    "visited": False,
    "referredBy": "Dr. Smith",
}
PROVIDER: dict[str, Any] = {
    "id": "ext-provider-001",
    "fullName": "Dr. Test Provider",
    "email": "testprovider@example.com",
}
VISIT: dict[str, Any] = {
    "id": "ext-visit-001",
    "patientId": "ext-patient-001",
    "visitDateTime": "2024-01-15T14:30:00Z",
    "tokenNumber": 45,
    "providerId": "ext-provider-001",
    "patientType": "OUT_PATIENT",
    "dischargeDateTime": "2024-01-15T16:30:00Z",
    "purposeOfVisit": "Regular checkup and blood pressure monitoring",
    "status": "IN_QUEUE",
}
TEST_RECORDS: dict[str, dict[str, Any]] = {
    "patients": {
        "id": "test-patient-001",
        "uhid": 99999,
        "fullName": "Test Patient",
        "phoneNumber": "+1234567890",
        "email": "test@example.com",
    },
    "providers": {
        "id": "test-provider-001",
        "fullName": "Dr. Test Provider",
        "email": "testprovider@example.com",
    },
    "patient-visits": {
        "id": "test-visit-001",
        "patientId": "test-patient-001",
        "visitDateTime": "2024-01-15T14:30:00Z",
        "purposeOfVisit": "Test visit",
    },
}
NOW = "2024-01-15T10:30:00Z"


def whole(record: dict[str, Any], internal_id: str) -> dict[str, Any]:
    rest = {name: value for name, value in record.items() if name != "id"}
    ids = {"id": internal_id, "externalId": record["id"]}
    return {**ids, **rest, "createdAt": NOW, "updatedAt": NOW}


async def make_all(api: httpx.AsyncClient) -> None:
    for path, record in (
        ("patients", PATIENT),
        ("providers", PROVIDER),
        ("patient-visits", VISIT),
    ):
        assert (await api.post(f"/zauto-api/{path}", json=record)).status_code == 201


async def test_creating_the_documents_patient_answers_as_it_shows(api: httpx.AsyncClient) -> None:
    answer = await api.post("/zauto-api/patients", json=PATIENT)
    body = answer.json()
    internal_id = body["data"].pop("id")
    assert str(UUID(internal_id)) == internal_id
    assert answer.status_code == 201
    assert body == {
        "status": "success",
        "message": "Patient created successfully",
        "data": {
            "externalId": "ext-patient-001",
            "fullName": "John Doe",
            "uhid": 12345,
            "createdAt": NOW,
        },
    }


async def test_a_provider_and_a_visit_are_created_with_their_ids(api: httpx.AsyncClient) -> None:
    await api.post("/zauto-api/patients", json=PATIENT)
    provider = await api.post("/zauto-api/providers", json=PROVIDER)
    visit = await api.post("/zauto-api/patient-visits", json=VISIT)
    assert provider.status_code == visit.status_code == 201
    assert provider.json()["data"].keys() == {"id", "externalId", "fullName", "createdAt"}
    assert visit.json()["data"]["externalId"] == "ext-visit-001"


@pytest.mark.parametrize(
    ("path", "record"),
    [("patients", PATIENT), ("providers", PROVIDER), ("patient-visits", VISIT)],
)
async def test_a_record_is_read_back_with_every_field(
    api: httpx.AsyncClient, path: str, record: dict[str, Any]
) -> None:
    await make_all(api)
    answer = await api.get(f"/zauto-api/{path}/{record['id']}")
    body = answer.json()
    assert answer.status_code == 200
    assert body["status"] == "success"
    assert body["data"] == whole(record, body["data"]["id"])


@pytest.mark.parametrize("path", TEST_RECORDS)
async def test_the_documents_test_records_are_there_at_start(
    api: httpx.AsyncClient, path: str
) -> None:
    record = TEST_RECORDS[path]
    body = (await api.get(f"/zauto-api/{path}/{record['id']}")).json()
    assert body["data"] == whole(record, body["data"]["id"])


async def test_the_documents_list_request_is_answered_with_its_pagination_block(
    api: httpx.AsyncClient,
) -> None:
    for number in range(46):
        patient = PATIENT | {"id": f"p{number}", "uhid": number, "fullName": f"Johnson {number}"}
        await api.post("/zauto-api/patients", json=patient)
    await api.post("/zauto-api/patients", json=PATIENT)
    answer = await api.get("/zauto-api/patients", params={"page": 1, "limit": 10, "search": "john"})
    body = answer.json()
    assert answer.status_code == 200
    assert body.keys() == {"status", "message", "data", "pagination"}
    assert len(body["data"]) == 10
    assert body["pagination"] == {
        "currentPage": 1,
        "totalPages": 5,
        "totalCount": 47,
        "hasNext": True,
        "hasPrev": False,
    }


async def test_an_update_changes_what_it_names_and_null_clears(
    api: httpx.AsyncClient, clock: Any
) -> None:
    await make_all(api)
    clock.now += 60
    change = {"status": "IN_PROGRESS", "purposeOfVisit": None}
    answer = await api.put("/zauto-api/patient-visits/ext-visit-001", json=change)
    assert answer.status_code == 200
    expected = whole({**VISIT, "status": "IN_PROGRESS"}, answer.json()["data"]["id"])
    del expected["purposeOfVisit"]
    expected["updatedAt"] = "2024-01-15T10:31:00Z"
    assert answer.json()["data"] == expected
    again = await api.get("/zauto-api/patient-visits/ext-visit-001")
    assert again.json()["data"] == expected


async def test_a_deleted_record_is_gone(api: httpx.AsyncClient) -> None:
    await make_all(api)
    deleted = await api.delete("/zauto-api/patients/ext-patient-001")
    assert deleted.status_code == 200
    assert deleted.json()["status"] == "success"
    assert (await api.get("/zauto-api/patients/ext-patient-001")).status_code == 404
    found = await api.get("/zauto-api/patients", params={"search": "ext-patient-001"})
    assert found.json()["data"] == []
