"""The published PowerShell lines as the requests they make, against the sandbox."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tests.acceptance.processes import CLIENT, Sandbox
from tests.acceptance.published.document import published
from tests.patience import PATIENCE

LINES = published().program("PowerShell", "Testing\n")
HOST = "https://api.zautoai.com"
_TABLE = re.compile(r"^\$(\w+) = @\{\n(.*?)\n\}", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r'^"?([\w-]+)"? = (?:"(.*)"|(\d+))$', re.MULTILINE)
_CALL = re.compile(r"^\$(\w+) = Invoke-RestMethod (.+)$", re.MULTILINE)
_WORD = re.compile(r'-(\w+) (?:"([^"]*)"|(\S+))')


def tables() -> dict[str, dict[str, Any]]:
    """Each `$name = @{…}`."""
    return {
        name: {key: text or int(number) for key, text, number in _ENTRY.findall(inside)}
        for name, inside in _TABLE.findall(LINES)
    }


def calls() -> dict[str, dict[str, str]]:
    """Each `$name = Invoke-RestMethod …` as its parameters, in order."""
    return {
        name: {key: quoted or plain for key, quoted, plain in _WORD.findall(words)}
        for name, words in _CALL.findall(LINES)
    }


def request_of(call: dict[str, str], sandbox: Sandbox, token: str) -> httpx.Response:
    known = tables()
    body = known[call["Body"].removeprefix("$")]
    if "client_id" in body:
        body |= dict(zip(("client_id", "client_secret"), CLIENT, strict=True))
    headers = dict(known[call["Headers"].removeprefix("$")]) if "Headers" in call else {}
    headers = {name: value.replace("$token", token) for name, value in headers.items()}
    headers |= {"Content-Type": call["ContentType"]} if "ContentType" in call else {}
    url = call["Uri"].replace(HOST, sandbox.url)
    method = call["Method"].upper()
    with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
        return client.request(method, url, json=body, headers=headers)


async def test_the_requests_are_answered_with_what_the_lines_read(sandbox: Sandbox) -> None:
    authenticate, create = calls().values()
    assert re.search(r"\$token = \$authResponse\.access_token", LINES)
    token = request_of(authenticate, sandbox, "").json()["access_token"]
    made = request_of(create, sandbox, token)
    assert made.status_code == 201
    assert re.search(r"patientResponse\.data\.externalId", LINES)
    assert made.json()["data"]["externalId"] == tables()["patientData"]["id"]
