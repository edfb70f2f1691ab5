"""The published Python client, with requests, against the sandbox."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import requests

from tests.acceptance.processes import CLIENT, Sandbox
from tests.acceptance.published.document import published
from tests.patience import PATIENCE


def indented(program: str) -> str:
    """The program with the indentation that the document has lost.

    It has one class of methods without blocks inside them; a comment of a column of its own,
    like `# Usage`, ends the class.
    """
    depth, lines = 0, []
    for line in program.splitlines():
        if line.startswith(("class ", "#")):
            depth = 0
        elif line.startswith("def "):
            depth = 1
        lines.append("    " * depth + line)
        if line.startswith(("class ", "def ")):
            depth += 1
    return "\n".join(lines)


PROGRAM = indented(published().program("Python", "PowerShell Example"))


@pytest.fixture
def client_class(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The class, executed from the document."""
    monkeypatch.setenv("NO_PROXY", "*")
    names: dict[str, Any] = {}
    exec(compile(PROGRAM.split("# Usage")[0], "published client", "exec"), names)
    return names["ZautoAIClient"]


async def test_every_method_of_the_class_returns_what_the_document_shows(
    sandbox: Sandbox, client_class: Any
) -> None:
    client = client_class(*CLIENT, base_url=sandbox.url)
    token = client.authenticate()
    assert token.keys() == published().example("Response (200 OK):").keys()
    patient = {"id": "py-1", "uhid": 4711, "fullName": "Meera Iyer", "phoneNumber": "+919812345678"}
    made = client.create_patient(patient)
    assert made.keys() == published().example("Response (201 Created)").keys()
    assert made["data"]["externalId"] == "py-1"
    assert client.get_patients()["pagination"]["totalCount"] == 2
    assert [one["externalId"] for one in client.get_patients(search="MEERA")["data"]] == ["py-1"]


async def test_its_refusals_are_raised_by_the_class(sandbox: Sandbox, client_class: Any) -> None:
    client = client_class(*CLIENT, base_url=sandbox.url)
    client.authenticate()
    with pytest.raises(requests.HTTPError, match="400"):
        client.create_patient({"id": "py-2"})
    with pytest.raises(requests.HTTPError, match="401"):
        client_class(CLIENT[0], "wrong", base_url=sandbox.url).authenticate()


async def test_the_program_runs_to_its_end(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    shown = published().example("Content-Type: application/json")
    program = PROGRAM.replace("https://api.zautoai.com", sandbox.url)
    for word, value in zip(("client_id", "client_secret"), CLIENT, strict=True):
        program = program.replace(shown[word], value)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Patient created: ")
