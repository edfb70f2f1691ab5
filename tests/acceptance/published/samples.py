"""Records made of what the document requires, and answers measured by what it shows."""

from __future__ import annotations

from typing import Any

import httpx

from tests.acceptance.published.document import TEST_RECORDS, published

DOCUMENT = published()
PATIENTS, VISITS, PROVIDERS = (
    TEST_RECORDS["Test Patient"],
    TEST_RECORDS["Test Visit"],
    "/zauto-api/providers",
)
PATHS = sorted({line.path for line in DOCUMENT.required()})
#: what a record of each path must hold, from its "Required Fields"
SAMPLES = {"number": 4711, "string": "sample", "": "sample"}
EXACT = {
    "id": "Record-47",
    "patientId": "test-patient-001",
    "visitDateTime": "2024-01-15T14:30:00Z",
    "phoneNumber": "+919812345678",
}


def least(path: str) -> dict[str, Any]:
    """A record that holds what is required and nothing else."""
    lines = [line for line in DOCUMENT.required() if line.path == path]
    return {line.name: EXACT.get(line.name, SAMPLES[line.type]) for line in lines}


def alike(shown: Any, answered: Any) -> bool:
    """Whether both have the same keys, with values of the same JSON types."""
    if isinstance(shown, dict) and isinstance(answered, dict):
        return shown.keys() == answered.keys() and all(
            alike(value, answered[name]) for name, value in shown.items()
        )
    if isinstance(shown, list) and isinstance(answered, list):
        return all(alike(shown[0], one) for one in answered)
    return type(shown) is type(answered)


def enveloped(answer: httpx.Response, *more: str) -> Any:
    """The answer's `data`; checks the envelope round it, with its keys in the order shown."""
    body = answer.json()
    keys = [name for name in DOCUMENT.envelope() if name != "pagination" or name in more]
    assert list(body) == keys
    assert f'"{body["status"]}"' in DOCUMENT.envelope()["status"].split(" | ")
    assert isinstance(body["message"], str)
    return body["data"]


async def make_providers(http: httpx.AsyncClient, count: int) -> None:
    """That many, beside the test provider."""
    for number in range(count):
        await http.post(PROVIDERS, json=least(PROVIDERS) | {"id": f"d{number}"})
