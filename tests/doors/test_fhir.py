from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bridge.errors import StoreBusy
from bridge.listeners import fhir, health
from bridge.listeners.http import LARGE, make_app
from bridge.message import Protocol, Receipt
from bridge.settings import Http, Key
from tests.patience import PATIENCE

KEY = "a-key-for-tests"
NOW = 1_700_000_000.0
JSON = {"Content-Type": "application/fhir+json"}
PATIENT: dict[str, Any] = {"resourceType": "Patient", "name": [{"text": "Asha Rao"}]}
ENCOUNTER: dict[str, Any] = {
    "resourceType": "Encounter",
    "status": "in-progress",
    "class": {"code": "AMB"},
    "subject": {"reference": "Patient/1"},
}


class Intake:
    """Keeps in memory what it is handed."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, bytes, bool]] = []
        self.refused: list[tuple[Protocol, str, bytes, int, str]] = []
        self.known: set[str] = set()
        self.busy = False

    async def take_fhir(
        self, resource_type: str, resource_id: str, body: bytes, *, update: bool
    ) -> Receipt:
        if self.busy:
            raise StoreBusy("full")
        self.taken.append((resource_type, resource_id, body, update))
        created = not update or resource_id not in self.known
        self.known.add(resource_id)
        return Receipt(len(self.taken), resource_id or "assigned", created)

    async def refuse(
        self, protocol: Protocol, message_type: str, body: bytes, status_code: int, reason: str
    ) -> None:
        if self.busy:
            raise StoreBusy("full")
        self.refused.append((protocol, message_type, body, status_code, reason))


@pytest.fixture
def intake() -> Intake:
    return Intake()


@pytest.fixture
async def client(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    door = fhir.door(intake, Key(api_key=SecretStr(KEY)), Http(body=LARGE * 2), lambda: NOW)
    app = make_app([door], health.door(list, bytes))
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(
        timeout=PATIENCE,
        transport=httpx.ASGITransport(app),
        base_url="http://bridge.test:8080",
        headers=headers,
    ) as client:
        yield client


def issue(answer: httpx.Response) -> dict[str, Any]:
    """The first issue of an OperationOutcome, which the answer must be."""
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    first = body["issue"][0]
    assert isinstance(first, dict)
    return first


async def test_a_create_is_answered_201_with_where_it_is(
    client: httpx.AsyncClient, intake: Intake
) -> None:
    answer = await client.post("/fhir/Patient", json=PATIENT, headers=JSON)
    assert answer.status_code == 201
    assert answer.headers["location"] == "http://bridge.test:8080/fhir/Patient/assigned/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert issue(answer)["severity"] == "information"
    assert intake.taken[0][:2] == ("Patient", "")


async def test_the_bytes_are_kept_as_they_came(client: httpx.AsyncClient, intake: Intake) -> None:
    body = b'\xef\xbb\xbf{ "resourceType" : "Patient" ,\r\n "birthDate": "1990" }\n'
    answer = await client.post("/fhir/Patient", content=body)
    assert answer.status_code == 201
    assert intake.taken == [("Patient", "", body, False)]


async def test_an_update_creates_what_is_new_and_updates_what_is_known(
    client: httpx.AsyncClient, intake: Intake
) -> None:
    body = {**ENCOUNTER, "id": "E-1"}
    first = await client.put("/fhir/Encounter/E-1", json=body)
    second = await client.put("/fhir/Encounter/E-1", json=body, headers={"If-Match": '"77"'})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.headers["location"].endswith("/fhir/Encounter/E-1/_history/2")
    assert [taken[3] for taken in intake.taken] == [True, True]


@pytest.mark.parametrize("body", [PATIENT, {**PATIENT, "id": "other"}, {**PATIENT, "id": 1}])
async def test_an_update_with_another_id_than_the_url_s_is_refused(
    client: httpx.AsyncClient, intake: Intake, body: dict[str, Any]
) -> None:
    answer = await client.put("/fhir/Patient/1", json=body)
    assert answer.status_code == 400
    assert (issue(answer)["code"], issue(answer)["expression"]) == ("invalid", ["Patient.id"])
    assert intake.taken == []


async def test_an_id_that_fhir_does_not_allow_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.put("/fhir/Patient/a%20b", json={**PATIENT, "id": "a b"})
    assert (answer.status_code, issue(answer)["code"]) == (400, "value")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "structure"),
        (b"{", "structure"),
        (b"[]", "structure"),
        (b'{"resourceType": "Patient", "a": NaN}', "structure"),
        (b'{"resourceType": "Patient", "resourceType": "Patient"}', "structure"),
        (b'{"a":' * 100_000, "structure"),
        (b"\xff\xfe{\x00}\x00", "structure"),
        (b"{}", "structure"),
        (b'{"resourceType": "Encounter"}', "structure"),
        (b'{"resourceType": 1}', "structure"),
    ],
)
async def test_what_is_no_resource_of_the_type_is_refused_and_kept(
    client: httpx.AsyncClient, intake: Intake, content: bytes, code: str
) -> None:
    answer = await client.post("/fhir/Patient", content=content, headers=JSON)
    assert (answer.status_code, issue(answer)["code"]) == (400, code)
    ((protocol, message_type, body, status, reason),) = intake.refused
    assert (protocol, message_type, body, status) == (Protocol.FHIR, "Patient", content, 400)
    assert reason


async def test_missing_content_is_told_with_its_expression(
    client: httpx.AsyncClient, intake: Intake
) -> None:
    body = {"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"}}
    answer = await client.post("/fhir/Encounter", json=body)
    assert answer.status_code == 422
    assert issue(answer)["code"] == "required"
    assert issue(answer)["expression"] == ["Encounter.subject"]
    assert intake.refused[0][3] == 422


async def test_a_wrong_datatype_is_told_with_its_expression(client: httpx.AsyncClient) -> None:
    answer = await client.post("/fhir/Patient", json={**PATIENT, "birthDate": "3 May"})
    assert answer.status_code == 422
    assert issue(answer)["code"] == "value"
    assert issue(answer)["expression"] == ["Patient.birthDate"]


async def test_an_unknown_element_is_taken_with_a_warning(client: httpx.AsyncClient) -> None:
    answer = await client.post("/fhir/Patient", json={**PATIENT, "gender1": "x"})
    assert answer.status_code == 201
    warnings = [each for each in answer.json()["issue"] if each["severity"] == "warning"]
    assert [each["expression"] for each in warnings] == [["Patient.gender1"]]


async def test_a_large_body_is_taken_like_a_small_one(
    client: httpx.AsyncClient, intake: Intake
) -> None:
    photo = [{"contentType": "image/png", "data": "A" * LARGE}]
    answer = await client.post("/fhir/Patient", json={**PATIENT, "photo": photo})
    assert answer.status_code == 201
    assert len(intake.taken[0][2]) > LARGE


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/fhir/Observation", 404, "not-supported"),
        ("PUT", "/fhir/Observation/1", 404, "not-supported"),
        ("POST", "/fhir/patient", 404, "not-supported"),
        ("POST", "/fhir", 404, "not-supported"),
        ("POST", "/fhir/", 404, "not-supported"),
        ("POST", "/fhir/Patient/1/$validate", 404, "not-supported"),
        ("POST", "/fhir/Observation/$validate", 404, "not-supported"),
        ("GET", "/fhir/Observation/1", 404, "not-supported"),
        ("GET", "/fhir/Patient/1", 405, "not-supported"),
        ("GET", "/fhir/Patient?name=x", 405, "not-supported"),
        ("DELETE", "/fhir/Patient/1", 405, "not-supported"),
        ("PATCH", "/fhir/Patient/1", 405, "not-supported"),
        ("POST", "/fhir/Patient/1", 405, "not-supported"),
        ("POST", "/fhir/metadata", 405, "not-supported"),
        ("PUT", "/fhir/Patient?identifier=x", 400, "not-supported"),
    ],
)
async def test_what_is_not_offered_is_refused(
    client: httpx.AsyncClient, intake: Intake, method: str, path: str, status: int, code: str
) -> None:
    content = b"" if method in ("GET", "DELETE") else json.dumps(PATIENT).encode()
    answer = await client.request(method, path, content=content, headers=JSON)
    assert (answer.status_code, issue(answer)["code"]) == (status, code)
    assert ("allow" in answer.headers) == (status == 405)
    assert intake.taken == []


async def test_what_is_refused_for_its_url_is_kept_too(
    client: httpx.AsyncClient, intake: Intake
) -> None:
    await client.post("/fhir/Observation", content=b"{}")
    await client.post("/fhir/" + "x" * 500, content=b"{}")
    await client.delete("/fhir/Patient/1")
    await client.get("/fhir/Patient/1")
    assert [(each[1], each[2], each[3]) for each in intake.refused] == [
        ("Observation", b"{}", 404),
        ("unknown", b"{}", 404),
        ("Patient", b"", 405),
    ]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/fhir+xml"}, 415),
        ({"Content-Type": "application/fhir+json; fhirVersion=5.0"}, 415),
        ({"Accept": "application/fhir+xml"}, 406),
        ({"If-None-Exist": "identifier=urn:a|1"}, 412),
    ],
)
async def test_what_the_headers_ask_in_vain_is_refused(
    client: httpx.AsyncClient, intake: Intake, headers: dict[str, str], status: int
) -> None:
    answer = await client.post("/fhir/Patient", json=PATIENT, headers=headers)
    assert (answer.status_code, issue(answer)["code"]) == (status, "not-supported")
    assert (intake.taken, len(intake.refused)) == ([], 1)


async def test_the_format_parameter_goes_before_accept(client: httpx.AsyncClient) -> None:
    xml = {"Accept": "application/fhir+xml"}
    taken = await client.post(
        "/fhir/Patient?_format=application/fhir+json", json=PATIENT, headers=xml
    )
    refused = await client.post("/fhir/Patient?_format=xml", json=PATIENT)
    assert (taken.status_code, refused.status_code) == (201, 406)


async def test_the_sender_says_what_comes_back(client: httpx.AsyncClient) -> None:
    async def returned(preference: str) -> httpx.Response:
        headers = {"Prefer": f"return={preference}"}
        return await client.post("/fhir/Patient", json={**PATIENT, "id": "own"}, headers=headers)

    assert (await returned("minimal")).content == b""
    assert (await returned("OperationOutcome")).json()["resourceType"] == "OperationOutcome"
    assert (await returned("representation")).json() == {
        **PATIENT,
        "id": "assigned",
        "meta": {"versionId": "3", "lastUpdated": "2023-11-14T22:13:20.000+00:00"},
    }


async def test_a_busy_store_asks_to_send_again(client: httpx.AsyncClient, intake: Intake) -> None:
    intake.busy = True
    for body in (PATIENT, {}):
        answer = await client.post("/fhir/Patient", json=body)
        assert (answer.status_code, issue(answer)["code"]) == (503, "no-store")
        assert int(answer.headers["retry-after"]) > 0


async def test_validate_finds_without_keeping(client: httpx.AsyncClient, intake: Intake) -> None:
    body = {**PATIENT, "birthDate": "soon", "gender1": "x"}
    answer = await client.post("/fhir/Patient/$validate", json=body)
    assert answer.status_code == 200
    found = {(each["severity"], *each["expression"]) for each in answer.json()["issue"]}
    assert ("error", "Patient.birthDate") in found
    assert ("warning", "Patient.gender1") in found
    assert (intake.taken, intake.refused) == ([], [])


async def test_validate_takes_parameters_and_says_when_all_is_well(
    client: httpx.AsyncClient,
) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "mode", "valueCode": "create"},
            {"name": "resource", "resource": PATIENT},
        ],
    }
    answer = await client.post("/fhir/Patient/$validate", json=body)
    assert (answer.status_code, issue(answer)["severity"]) == (200, "information")


@pytest.mark.parametrize("body", [{"resourceType": "Parameters"}, {"resourceType": "Encounter"}])
async def test_validate_refuses_what_it_cannot_judge(
    client: httpx.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await client.post("/fhir/Patient/$validate", json=body)
    assert (answer.status_code, issue(answer)["code"]) == (400, "structure")


async def test_metadata_is_read_without_the_key_and_has_an_etag(client: httpx.AsyncClient) -> None:
    client.headers.pop("authorization")
    first, second = [await client.get("/fhir/metadata") for _ in range(2)]
    assert first.status_code == 200
    assert first.json()["resourceType"] == "CapabilityStatement"
    assert first.headers["etag"] == second.headers["etag"]
    assert (await client.get("/fhir/metadata?_format=xml")).status_code == 406
    assert (await client.post("/fhir/metadata")).status_code == 401
