"""`bridge run` and `bridge replay`: what is wrong is told before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import BridgeError, SettingsError


def test_an_unknown_log_level_is_told(run: Any) -> None:
    result = run("run", "--log-level", "LOUD")
    assert result.exit_code == 2
    assert "LOUD" in result.output


def test_settings_that_are_not_there_are_told(run: Any) -> None:
    result = run("run", "--config", "gone.yaml")
    assert isinstance(result.exception, SettingsError)
    assert str(result.exception) == "gone.yaml: cannot be read: No such file or directory"


def test_a_store_of_another_kind_is_told(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_STORE__URL", "mysql://db")
    result = run("status")
    assert isinstance(result.exception, BridgeError)
    assert "No store is known for such a URL" in str(result.exception)


@pytest.mark.parametrize("address", ["2575", "host:", ":2575", "host:port"])
def test_an_address_to_replay_to_needs_host_and_port(run: Any, tmp_path: Any, address: str) -> None:
    (tmp_path / "one.hl7").write_bytes(b"MSH|")
    result = run("replay", "one.hl7", "--mllp", address)
    assert result.exit_code == 2
    assert "HOST:PORT" in result.output


def test_what_is_to_be_replayed_must_be_there(run: Any) -> None:
    result = run("replay", "gone", "--mllp", "127.0.0.1:9")
    assert isinstance(result.exception, BridgeError)
    assert str(result.exception) == "no such file or folder: gone"


def test_what_has_no_answer_exits_1(run: Any, tmp_path: Any) -> None:
    (tmp_path / "one.hl7").write_bytes(b"MSH|^~\\&|A|B|C|D|20260301||ADT^A04|C1|P|2.5\r")
    result = run("replay", "one.hl7", "--mllp", "127.0.0.1:9")
    assert result.exit_code == 1
