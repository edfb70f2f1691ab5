"""Faults of a settings file name line, column and setting, and repeat nothing that stands in it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import SettingsError
from bridge.settings import Settings, load
from bridge.yamlfile import known_at

SECRET = "hunter2-Zx9"
CASE = Path(__file__).parents[4] / "shared/cases/F28-settings-key-twice.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bridge.yaml"


def fault(file: Path | None, environment: dict[str, str] | None = None) -> str:
    """The whole of what could be printed of it: the error, and a traceback of it."""
    with pytest.raises(SettingsError) as raised:
        load(file, environment or {})
    whole = "".join(traceback.format_exception(raised.value))
    assert SECRET not in whole
    assert raised.value.__cause__ is None
    return str(raised.value)


def test_a_section_that_stands_twice_is_a_fault(file: Path) -> None:
    file.write_text("site:\n  country: AE\nsite:\n  name: x\n")
    told = f"{file}:3:1: site: 'site' stands twice; keep one (the first is in line 1)."
    assert fault(file) == told


@pytest.mark.skipif(not CASE.exists(), reason="the shared cases are not beside the repository")
def test_the_case_of_a_section_that_stands_twice() -> None:
    assert fault(CASE).startswith(f"{CASE}:3:1: site: ")


@pytest.mark.parametrize(
    "text",
    [
        f"zauto: {{client_secret: {SECRET}}}",
        f"zauto: {{client_secret:{SECRET}}}",
        f"zauto:\n  client_secret:{SECRET}\n",
        f"zauto:\n  base_url: x\n  client_secret:{SECRET}\n",
        f"zauto:\n  client_secret:{SECRET}\n  base_url: x\n",
        f"zauto:\n  client_secret: *{SECRET}\n",
        f"zauto:\n  client_secret: &{SECRET}\n",
        f"zauto:\n  client_secret: !{SECRET} x\n",
        f"zauto:\n  client_secret: !x!{SECRET} x\n",
        f"zauto:\n  client_secret: %{SECRET}\n",
        f"zauto:\n  client_secret: @{SECRET}\n",
        f"zauto:\n  client_secret: '{SECRET}\n",
        f'zauto:\n  client_secret: "\\{SECRET}"\n',
        f"zauto:\n  client_secret: [{SECRET}\n",
        f"zauto:\n  client_secret: {{{SECRET}: {SECRET}}}\n",
        f"zauto:\n  client_secret: >{SECRET}\n",
        f"zauto:\n\tclient_secret: {SECRET}\n",
        f"zauto:\n  client_secret: {SECRET}\n  client_secret: {SECRET}\n",
        f"zauto:\n  {SECRET}: 1\n  {SECRET}: 2\n",
        f"zauto: {{{SECRET}}}",
        f"{SECRET}: 1",
        f"{SECRET}",
        f"- {SECRET}",
        f"zauto: {SECRET}",
        f"zauto: [{SECRET}]",
        f"? [{SECRET}]\n: {SECRET}\n",
        f"%{SECRET} x\n---\na: b\n",
        f"site: {{}}\n--- {SECRET}\n",
        f"zauto: {{client_id: [{SECRET}]}}",
        f"zauto: {{limits: {SECRET}}}",
        f"zauto: {{not_offered: [{SECRET}]}}",
        f"zauto: {{base_url: 'https://u:{SECRET}@zauto.example'}}",
        f"mllp: {{port: {SECRET}, allow: [{SECRET}], tls: {SECRET}}}",
        f"site: {{time_zone: {SECRET}}}",
        f"listeners: [{{name: {SECRET}}}]",
        f"listeners: [{{name: {SECRET}}}, {{name: {SECRET}}}]",
        f"channels: [{{name: {SECRET}, listener: {SECRET}}}]",
        f"channels: [{{name: {SECRET}}}, {{name: {SECRET}}}]",
        f"channels: [{{name: a, application_acknowledgment: {{to: '{SECRET}'}}}}]",
    ],
)
def test_nothing_that_stands_in_the_file_is_repeated(file: Path, text: str) -> None:
    file.write_text(text)
    assert fault(file).startswith(f"{file}:")


def test_a_line_that_is_not_utf_8_is_not_repeated(file: Path) -> None:
    file.write_bytes(f"zauto:\n  client_secret: {SECRET}\xfc\n".encode("latin-1"))
    assert fault(file) == f"{file}:2:29: is not UTF-8 here; save it as UTF-8."


def _ways(way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every setting, in a list too where it stands in lists."""
    for inner in ((*way, name) for name in known_at(Settings, way)):
        yield inner
        if known_at(Settings, (*inner, 0)) and not known_at(Settings, inner):
            inner = (*inner, 0)
        yield from _ways(inner)


def _laid(way: tuple[str | int, ...], value: Any) -> Any:
    for part in reversed(way):
        value = {part: value} if isinstance(part, str) else [value]
    return value


WAYS = tuple(_ways())


def test_every_setting_is_tried() -> None:
    assert ("channels", 0, "application_acknowledgment", "to") in WAYS
    assert ("zauto", "limits", "hour") in WAYS
    assert ("mllp", "tls", "certificate") in WAYS


@pytest.mark.parametrize("way", WAYS, ids=lambda way: ".".join(map(str, way)))
@pytest.mark.parametrize("shape", ["{}", "[{}]", "[[{}]]", "{{x: {}}}", "{{{}: x}}"])
def test_no_setting_repeats_its_value(file: Path, way: tuple[str | int, ...], shape: str) -> None:
    written = str(_laid(way, "@")).replace("'@'", shape.format(f"'{SECRET}'"))
    file.write_text(written)
    try:
        load(file, {})
    except SettingsError:
        told = fault(file)
        assert all(line.startswith(f"{file}:1:") for line in told.splitlines())


@pytest.mark.parametrize(
    "way", [way for way in WAYS if 0 not in way and len(way) > 1], ids=lambda way: ".".join(way)
)
@pytest.mark.parametrize("below", ["", "__X"])
def test_no_variable_repeats_its_value(way: tuple[str, ...], below: str) -> None:
    name = f"BRIDGE_{'__'.join(way).upper()}{below}"
    try:
        load(None, {name: SECRET})
    except SettingsError:
        told = fault(None, {name: SECRET})
        # what else its section needs is missing in no variable
        assert name in told or told.endswith("is missing")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mllp:\n  prot: 1\n", ":2:3: mllp.prot: is not a setting. Did you mean 'port'?"),
        ("mllp: {Port: 1}", ":1:8: mllp.Port: is not a setting. Did you mean 'port'?"),
        ("mllp:\n  port: many\n", ":2:9: mllp.port: must be a whole number"),
        ("channels:\n- {name: a, lisener: x}\n", ":2:13: channels.0.lisener: is not a setting"),
        ("zauto:\n  limits: {our: 1}\n", ":2:12: zauto.limits.our: is not a setting"),
        ("mllp:\n  tls: {key: a}\n", ":2:3: mllp.tls.certificate: is missing"),
        ("orders: {}\nfhir:\n  api_key: x\n", ":3:3: fhir.api_key: a secret does not belong"),
        ("site: {name: 12}", "site.name: must be text; put what looks like a number in quotes"),
        ("mllp: {moons: 1}", ":1:8: mllp.(key not shown): is not a setting; there are host, port,"),
        ("listeners: [{name: lab}]", ":1:1: channels: listeners.0 needs a channel that names it"),
    ],
)
def test_a_fault_has_line_and_column(file: Path, text: str, told: str) -> None:
    file.write_text(text)
    assert told in fault(file)
    assert "\n" not in fault(file)


def test_faults_of_the_file_and_of_variables_are_told_at_once(file: Path, tmp_path: Path) -> None:
    file.write_text("mllp: {port: x}\nmllp: {port: y}\nhttp: {prot: 1}\n")
    told = fault(
        file, {"BRIDGE_ZAUTO__CLIENT_SECRET_FILE": str(tmp_path), "BRIDGE_HTTP__BODY": "x"}
    )
    assert [line.removeprefix(f"{file}:").partition(": ")[0] for line in told.splitlines()] == [
        "2:1",
        "BRIDGE_ZAUTO__CLIENT_SECRET_FILE",
        "1:14",
        "BRIDGE_HTTP__BODY",
        "3:8",
    ]
