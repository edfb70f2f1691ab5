"""Every error of the API: status, errorCode, errors[] and timestamp."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

PATIENT = {"id": "p1", "uhid": 1, "fullName": "Meera Iyer", "phoneNumber": "+919812345678"}


def error(answer: httpx.Response) -> tuple[int, str | None, list[str]]:
    body = answer.json()
    assert body["status"] == "error"
    assert body["message"]
    assert body["timestamp"] == "2024-01-15T10:30:00Z"
    return answer.status_code, body.get("errorCode"), [e["field"] for e in body["errors"]]


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"fullName": 5}, ["fullName"]),
        ({"uhid": "12345"}, ["uhid"]),
        ({"uhid": True}, ["uhid"]),
        ({"visited": "yes"}, ["visited"]),
        ({"dateOfBirth": "15/05/1990"}, ["dateOfBirth"]),
        ({"dateOfBirth": "1990-02-30"}, ["dateOfBirth"]),
        ({"email": "nobody"}, ["email"]),
        ({"phoneNumber": "call reception"}, ["phoneNumber"]),
        ({"fullName": " "}, ["fullName"]),
        ({"fullName": None}, ["fullName"]),
        ({"shoeSize": 42}, ["shoeSize"]),
        ({"shoeSize": 42, "uhid": None, "email": "x"}, ["shoeSize", "email", "uhid"]),
    ],
)
async def test_a_patient_that_does_not_fit_is_refused_field_by_field(
    api: httpx.AsyncClient, change: dict[str, Any], fields: list[str]
) -> None:
    answer = await api.post("/zauto-api/patients", json=PATIENT | change)
    assert error(answer) == (400, "VALIDATION_FAILED", fields)


@pytest.mark.parametrize("missing", ["id", "uhid", "fullName", "phoneNumber"])
async def test_a_required_field_that_is_missing_is_named(
    api: httpx.AsyncClient, missing: str
) -> None:
    patient = {name: value for name, value in PATIENT.items() if name != missing}
    answer = await api.post("/zauto-api/patients", json=patient)
    assert error(answer) == (400, "VALIDATION_FAILED", [missing])


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"status": "DONE"}, ["status"]),
        ({"patientType": "inpatient"}, ["patientType"]),
        ({"visitDateTime": "2024-01-15"}, ["visitDateTime"]),
        ({"visitDateTime": None}, ["visitDateTime"]),
        ({"tokenNumber": "45"}, ["tokenNumber"]),
        ({"id": "another"}, ["id"]),
    ],
)
async def test_an_update_that_does_not_fit_is_refused(
    api: httpx.AsyncClient, change: dict[str, Any], fields: list[str]
) -> None:
    answer = await api.put("/zauto-api/patient-visits/test-visit-001", json=change)
    assert error(answer) == (400, "VALIDATION_FAILED", fields)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"uhid": NaN}', b" " * 2**21]
)
async def test_a_body_that_is_no_json_object_is_refused(
    api: httpx.AsyncClient, body: bytes
) -> None:
    answer = await api.post("/zauto-api/patients", content=body)
    assert error(answer) == (400, "VALIDATION_FAILED", ["body"])


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=", "limit=0", "limit=101", "page=-1"])
async def test_a_page_out_of_range_is_refused(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/zauto-api/patients?{query}")
    assert error(answer) == (400, "VALIDATION_FAILED", [query.split("=")[0]])


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic d3Jvbmc="])
async def test_a_request_without_a_good_token_is_unauthorized(
    anyone: httpx.AsyncClient, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await anyone.get("/zauto-api/patients", headers=headers)
    assert error(answer) == (401, "INVALID_TOKEN", [])
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_record_is_not_found(api: httpx.AsyncClient, method: str) -> None:
    answer = await api.request(method, "/zauto-api/patients/nobody", json={})
    assert error(answer) == (404, "RESOURCE_NOT_FOUND", [])


async def test_an_external_id_is_taken_once_in_each_resource(api: httpx.AsyncClient) -> None:
    assert (await api.post("/zauto-api/patients", json=PATIENT)).status_code == 201
    answer = await api.post("/zauto-api/patients", json=PATIENT | {"uhid": 2})
    assert error(answer) == (409, "DUPLICATE_EXTERNAL_ID", ["id"])
    kept = await api.get("/zauto-api/patients/p1")
    assert kept.json()["data"]["uhid"] == 1
    provider = {"id": "p1", "fullName": "Dr. Farah Khan"}
    assert (await api.post("/zauto-api/providers", json=provider)).status_code == 201


async def test_a_visit_of_nobody_is_refused_and_not_kept(api: httpx.AsyncClient) -> None:
    visit = {"id": "v1", "patientId": "nobody", "visitDateTime": "2024-01-15T14:30:00Z"}
    answer = await api.post("/zauto-api/patient-visits", json=visit | {"providerId": "no one"})
    expected = (404, "REFERENCED_RESOURCE_NOT_FOUND", ["patientId", "providerId"])
    assert error(answer) == expected
    assert (await api.get("/zauto-api/patient-visits/v1")).status_code == 404


async def test_a_visit_cannot_be_given_to_an_unknown_provider(api: httpx.AsyncClient) -> None:
    path = "/zauto-api/patient-visits/test-visit-001"
    answer = await api.put(path, json={"providerId": "no one"})
    assert error(answer) == (404, "REFERENCED_RESOURCE_NOT_FOUND", ["providerId"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/zauto-api"),
        ("POST", "/"),
        ("GET", "/zauto-api/beds"),
        ("PATCH", "/zauto-api/patients/p1"),
    ],
)
async def test_an_unknown_address_has_the_envelope_but_no_error_code(
    api: httpx.AsyncClient, method: str, path: str
) -> None:
    assert error(await api.request(method, path)) == (404, None, [])
