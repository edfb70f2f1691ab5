"""Every table of every command fits lines of 80 and 100 characters, each word whole."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.cli.app import app
from bridge.sandbox.hospital import receiving
from tests.acceptance.processes import ROOT, Bridge, Sandbox, settings
from tests.widths import split_words, too_wide

SAMPLES = ROOT / "samples"
#: what differs from one run of a command to the next
MOVING = re.compile(
    r"\d\d:\d\d:\d\d(\.\d+)?|\b\d{10}\.\d+|\d{14}|\d+(\.\d+)? (ms|s|min|h)\b|\b[A-Z2-7]{16}\b"
)

COMMANDS = [
    "status",
    "messages",
    "messages --reveal --limit 200",
    "messages --status parked",
    "messages quarantine --reveal",
    "messages show {parked} --reveal",
    "messages show {delivered}",
    "messages show {delivered} --reveal",
    "codes --reveal",
    "merges --reveal",
    "mapping versions",
    "mapping show adt_registration",
    "mapping show patient_from_pid",
    "zauto ping",
    "zauto budget",
    "zauto get patients 100201 --reveal",
    "zauto list patients --reveal",
    "zauto list patient-visits --reveal",
    "translate samples/hl7v2/adt-a01 samples/hl7v2/error samples/orders",
    "translate samples/hl7v2/adt-a01 samples/fhir samples/orders --explain",
    "coverage samples/hl7v2/adt-a08 samples/fhir",
    "coverage samples/hl7v2/adt-a08 samples/fhir --all",
    "whatif --mappings {changed} samples/hl7v2/adt-a04 samples/orders --reveal",
    "replay samples/hl7v2/adt-a01 samples/hl7v2/error",
]


class Room:
    """A bridge that has taken the samples, and commands about it at any width."""

    def __init__(
        self, environment: Mapping[str, str], names: Mapping[str, str], codes: Path
    ) -> None:
        self._environment = environment
        self._names = names
        self._codes = codes

    def spoil(self) -> None:
        """Make the site's mappings wrong in two places."""
        (self._codes / "gender.yaml").write_text("rowz: {M: Female}\nabot: nothing\n")

    def printed(self, command: str, columns: int) -> str:
        words = f"{command} --config {{config}}".format_map(self._names).split()
        environment = {**self._environment, "COLUMNS": str(columns)}
        result = CliRunner(env=environment).invoke(app, words)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return MOVING.sub("", result.output)


@pytest.fixture(scope="module")
async def room(
    one_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Room]:
    folder = tmp_path_factory.mktemp("widths")
    codes = folder / "sites/changed/codes"
    codes.mkdir(parents=True)
    (codes / "gender.yaml").write_text("rows: {M: Female}\n")
    await one_sandbox.reset()
    async with receiving() as hospital:
        url, port = one_sandbox.url, str(hospital.port)
        # so that the budget has something to show
        config = folder / "limits.yaml"
        config.write_text("zauto: {limits: {hour: 100000, minute: 100000}}\n")
        site = {"mappings__site": "changed", "mappings__sites": str(folder / "sites")}
        environment = settings(folder, url, hospital__port=port, **site)
        del environment["BRIDGE_ZAUTO__LIMITS"]
        bridge = Bridge(folder, environment, ["--config", str(config)])
        try:
            await bridge.start()
            replayed = await bridge.command(
                *("replay", str(SAMPLES), "--mllp", "{}:{}".format(*bridge.mllp)),
                *("--fhir", f"{bridge.http.base_url}/fhir"),
                *("--orders", f"{bridge.http.base_url}/orders"),
            )
            assert replayed.stderr == ""
            await bridge.settled()
            newest = {row["status"]: str(row["id"]) for row in await bridge.messages()}
            ports = {"BRIDGE_MLLP__PORT": str(bridge.mllp[1])}
            ports["BRIDGE_HTTP__PORT"] = str(bridge.http.base_url.port)
            yield Room(
                environment | ports,
                {**newest, "changed": str(changed(folder)), "config": str(config)},
                codes,
            )
        finally:
            bridge.end()
            await bridge.http.aclose()


def changed(folder: Path) -> Path:
    """A site's folder that makes a difference."""
    codes = folder / "other/codes"
    codes.mkdir(parents=True)
    (codes / "gender.yaml").write_text("rows: {F: Other}\n")
    return codes.parent


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_table_fits_and_no_word_of_it_is_split(room: Room, command: str) -> None:
    await assert_it_fits(room, command)


async def test_a_refusal_fits(room: Room) -> None:
    room.spoil()
    await assert_it_fits(room, "mapping reload")


async def assert_it_fits(room: Room, command: str) -> None:
    wide = await asyncio.to_thread(room.printed, command, 1000)
    assert len(wide.splitlines()) > 1
    for columns in (80, 100):
        narrow = await asyncio.to_thread(room.printed, command, columns)
        assert too_wide(narrow, columns) == []
        assert split_words(narrow, wide) == []
