from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import app as module
from bridge.cli.check import remarks, unfilled
from bridge.mapping.engine.sets import Sets
from bridge.service.parts import CheckedParts, read_parts
from bridge.settings import Settings, load

COMPLETE = {
    "BRIDGE_FHIR__API_KEY": "a",
    "BRIDGE_ORDERS__API_KEY": "b",
    "BRIDGE_ZAUTO__BASE_URL": "https://zauto.example",
    "BRIDGE_ZAUTO__CLIENT_ID": "c",
    "BRIDGE_ZAUTO__CLIENT_SECRET": "d",
    "BRIDGE_HOSPITAL__PORT": "2576",
}


def test_what_is_right_is_said_with_how_much_of_it(run: Any) -> None:
    result = run("check")
    assert result.exit_code == 0
    assert "settings and mappings are right" in result.output


def test_a_door_without_a_key_is_remarked(run: Any) -> None:
    output = run("check").output
    assert "remark: fhir.api_key is not set: /fhir answers 401 to all" in output
    assert "set BRIDGE_ORDERS__API_KEY" in output


def test_nothing_is_remarked_of_complete_settings() -> None:
    assert remarks(load(None, COMPLETE)) == []


@pytest.mark.parametrize("name", sorted(COMPLETE))
def test_each_thing_left_out_is_one_remark(name: str) -> None:
    assert len(remarks(load(None, {k: v for k, v in COMPLETE.items() if k != name}))) == 1


def test_a_listener_open_to_the_network_is_remarked() -> None:
    open_wide = load(None, COMPLETE | {"BRIDGE_MLLP__HOST": "0.0.0.0"})
    assert remarks(open_wide) == ["mllp.host is 0.0.0.0: open to the network without encryption"]


def told(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, str]:
    """Exit and what is on standard error, from the command's own entry point."""
    monkeypatch.setattr("sys.argv", ["bridge", *words])
    with pytest.raises(SystemExit) as ended:
        module.main()
    return ended.value.code, capsys.readouterr().err


@pytest.mark.usefixtures("run")
def test_a_wrong_setting_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bridge.yaml"
    file.write_text("mllp: {prot: 2575}\n")
    code, _ = told(["check", "--config", str(file)], monkeypatch, capsys)
    assert code == f"bridge: {file}:1:8: mllp.prot: is not a setting. Did you mean 'port'?"


@pytest.mark.usefixtures("run")
def test_every_fault_of_the_mappings_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mappings" / "zauto").mkdir(parents=True)
    file = tmp_path / "mappings" / "zauto" / "patients.yaml"
    file.write_text("name: patients\ntitle: Patient\npath: /p\nfields:\n  id: {requird: true}\n")
    monkeypatch.setenv("BRIDGE_MAPPINGS__FOLDER", str(tmp_path / "mappings"))
    code, printed = told(["check"], monkeypatch, capsys)
    assert code == "bridge: 1 fault in the mappings"
    assert f"{file}:5:8: fields.id.requird" in printed
    assert "Did you mean 'required'?" in printed


@pytest.mark.usefixtures("run")
def test_a_store_that_is_not_known_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRIDGE_STORE__URL", "postgresql://db/bridge")
    code, _ = told(["check"], monkeypatch, capsys)
    assert "set store.url to sqlite:///path.db" in str(code)


def test_a_required_field_that_no_rule_fills_is_remarked() -> None:
    parts = read_parts(Settings())
    assert unfilled(parts) == []
    (mapping,) = [each for each in parts.mappings.all if each.name == "fhir/patient"]
    calls = tuple(
        replace(call, fields=tuple(f for f in call.fields if f.name != "fullName"))
        for call in mapping.calls
    )
    lacking = replace(parts.mappings, all=(replace(mapping, calls=calls),))
    told = ["fhir/patient: no rule fills patients.fullName, which ZautoAI requires"]
    assert unfilled(CheckedParts(parts.catalogue, Sets.of_one(lacking))) == told
