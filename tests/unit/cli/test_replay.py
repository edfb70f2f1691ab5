"""`bridge replay`: to which doors it sends when none is named, and what it says where it cannot."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from bridge.errors import BridgeError
from tests.unit.cli.conftest import Run


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """One that nobody listens on, for all doors of the settings."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = int(taken.getsockname()[1])
    monkeypatch.setenv("BRIDGE_MLLP__PORT", str(free))
    monkeypatch.setenv("BRIDGE_HTTP__PORT", str(free))
    return free


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A message, a resource and an order."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.hl7").write_bytes(b"MSH|^~\\&|HIS|SGH|||20260305||ADT^A04|C1|P|2.5.1\r")
    (folder / "b.json").write_text('{"resourceType": "Patient", "id": "p1"}')
    (folder / "c.json").write_text('{"externalVisitId": "V1", "Medications": []}')
    return folder


def test_without_a_door_all_go_to_those_of_the_settings(run: Run, port: int, files: Path) -> None:
    result = run("replay", str(files), "--json")
    assert result.exit_code == 1
    answers = json.loads(result.stdout)
    assert [each["answer"] for each in answers] == ["no answer"] * 3


def test_with_a_door_only_what_is_for_it_is_sent(run: Run, port: int, files: Path) -> None:
    result = run("replay", str(files), "--json", "--orders", f"http://127.0.0.1:{port}/orders")
    answers = json.loads(result.stdout)
    assert [each["answer"] for each in answers] == ["not sent", "not sent", "no answer"]


@pytest.mark.parametrize("given", ["[::1]", "::1"])
def test_an_address_may_be_of_ipv6(run: Run, port: int, files: Path, given: str) -> None:
    result = run("replay", "files/a.hl7", "--json", "--mllp", f"{given}:{port}")
    (answer,) = json.loads(result.stdout)
    assert answer["text"].startswith(f"cannot connect to ::1:{port}: Connection was refused")


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "http://127.0.0.1:8080fhir", "ftp://127.0.0.1/fhir", "http://[::1"]
)
@pytest.mark.parametrize("option", ["--fhir", "--orders"])
def test_a_url_that_is_none_is_named(run: Run, files: Path, option: str, url: str) -> None:
    result = run("replay", str(files), option, url)
    assert result.exit_code == 2
    assert "must be a URL, http://HOST:PORT/PATH" in result.stderr


def test_a_batch_with_wrong_counts_is_told_and_no_success(
    run: Run, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = b"BHS|^~\\&\rMSH|^~\\&|HIS|SGH|||2026||ADT^A04|C1|P|2.5.1|||NE|NE\rBTS|2\r"
    (files / "a.hl7").write_bytes(batch)
    result = run("replay", "files/a.hl7", "--orders", "http://127.0.0.1:1/orders")
    assert result.exit_code == 1
    assert "BTS[1]-1 says 2 messages, 1 came" in result.stdout
    assert "0 sent: 1 not sent, 1 wrong count" in result.stdout


@pytest.mark.parametrize("command", ["replay", "translate", "coverage"])
def test_a_file_that_cannot_be_read_is_told(
    run: Run, files: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = run(command, "files/a.hl7")
    assert isinstance(result.exception, BridgeError)
    assert str(result.exception) == "files/a.hl7: cannot be read: Permission denied"
