"""The bridge starts only when all is right, says what is not, and stops without losing a thing."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import sqlite3
from pathlib import Path

import pytest

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, Visit, adt
from tests.acceptance.mllp import HungUp, Sender, field
from tests.acceptance.processes import ROOT, Process, Sandbox, settings, until


class Load:
    """Senders that send until they are hung up on, and note what was acknowledged."""

    def __init__(self, senders: list[Sender]) -> None:
        self.acknowledged: list[str] = []
        self.sending = asyncio.gather(*map(self._send, range(len(senders)), senders))

    async def _send(self, which: int, sender: Sender) -> None:
        number = 0
        while True:
            number += 1
            person = Person(f"9{which}{number:05}")
            control_id = f"L{which}N{number}"
            try:
                answer = await sender.send(adt("A04", control_id, person, Visit(f"V{control_id}")))
            except HungUp:
                return
            assert field(answer, "MSA", 1) == "AA"
            self.acknowledged.append(control_id)


async def test_sigterm_under_load_ends_it_and_keeps_what_was_acknowledged(
    sandbox: Sandbox, launch: Launch, connect: Connect
) -> None:
    bridge = await launch(sandbox.url)
    load = Load([connect(bridge) for _ in range(8)])
    await until(lambda: len(load.acknowledged) > 300, "the load runs")
    assert await bridge.stop() == 0
    await load.sending
    await bridge.start()
    kept = {row["control_id"] for row in await bridge.messages()}
    assert set(load.acknowledged) <= kept
    assert bridge.failures() == []


async def test_sigterm_ends_it_although_zautoai_and_a_sender_hang(
    launch: Launch, connect: Connect
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bridge = await launch(
            f"http://127.0.0.1:{silent.getsockname()[1]}", zauto__deadline_seconds="36000"
        )
        sender = connect(bridge)
        await sender.send(adt("A04", "C1", Person("91001"), None))
        await sender.raw(b"\x0bMSH|^~\\&|HALF")
        assert await bridge.stop() == 0


async def test_a_second_service_on_the_same_store_is_refused(
    sandbox: Sandbox, launch: Launch
) -> None:
    bridge = await launch(sandbox.url)
    refused = await bridge.command("run")
    assert_a_sentence(refused.returncode, refused.stdout + refused.stderr)
    assert "held by another process" in refused.stderr
    assert await bridge.healthy()


async def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with sqlite3.connect(tmp_path / "kept" / "bridge.db") as store:
        store.execute("PRAGMA user_version = 9999")
    run = Process(tmp_path, ["run"], settings(tmp_path, "http://127.0.0.1:9"))
    assert_a_sentence(await run.end(), run.output() + run.errors())
    assert "newer version" in run.errors()


async def test_a_wrong_mapping_stops_the_start_with_its_place_and_the_right_word(
    tmp_path: Path,
) -> None:
    mappings = tmp_path / "mappings"
    shutil.copytree(ROOT / "mappings", mappings)
    file = mappings / "parts" / "patient_from_pid.yaml"
    text = file.read_text(encoding="utf-8")
    line = text[: text.index("as: person_name")].count("\n") + 1
    file.write_text(text.replace("as: person_name", "as: person_nam", 1), encoding="utf-8")
    chosen = settings(tmp_path, "http://127.0.0.1:9", mappings__folder=str(mappings))
    run = Process(tmp_path, ["run"], chosen)
    assert_a_sentence(await run.end(), run.output() + run.errors())
    assert re.search(
        rf"patient_from_pid\.yaml:{line}\b.*fullName.*person_nam.*person_name", run.errors()
    )


@pytest.mark.parametrize("door", ["mllp__port", "http__port"])
async def test_a_port_in_use_is_told_in_a_sentence(door: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = Process(tmp_path, ["run"], settings(tmp_path, "http://127.0.0.1:9", **{door: port}))
        assert_a_sentence(await run.end(), run.output() + run.errors())
        assert port in run.errors()


async def test_a_wrong_setting_is_told_in_a_sentence(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "ftp://nowhere", site__time_zone="Asia/Nowhere")
    run = Process(tmp_path, ["run"], chosen)
    assert_a_sentence(await run.end(), run.output() + run.errors())
    assert "BRIDGE_ZAUTO__BASE_URL" in run.errors()
    assert "BRIDGE_SITE__TIME_ZONE" in run.errors()


async def test_what_is_paused_stays_paused_over_a_restart_and_goes_out_when_resumed(
    sandbox: Sandbox, launch: Launch, connect: Connect
) -> None:
    bridge = await launch(sandbox.url)
    await bridge.ask("pause", paused=True)
    assert field(await connect(bridge).send(adt("A04", "C1", Person("91002"), None)), "MSA", 1)
    assert await bridge.stop() == 0
    await bridge.start()
    status = await bridge.status()
    assert (status["paused"], status["messages"]["waiting"]) == (True, 1)
    assert await sandbox.record("patients", "91002") is None
    assert (await bridge.command("resume")).returncode == 0
    await bridge.became("C1", "delivered")


@pytest.mark.parametrize("named", [("--channel", "LAB"), ("--patient", "91003")])
async def test_a_paused_channel_or_patient_waits_over_a_restart_while_others_go(
    sandbox: Sandbox, launch: Launch, connect: Connect, tmp_path: Path, named: tuple[str, str]
) -> None:
    file = tmp_path / "bridge.yaml"
    file.write_text("channels: [{name: LAB, sending_facility: LAB}, {name: default}]\n")
    bridge = await launch(sandbox.url, "--config", str(file))
    assert (await bridge.command("pause", *named)).returncode == 0
    # the doctor is another's, because both channels' visits would wait for one they share
    visit = Visit("V91003", doctor=("D18", "Iyer", "Leela"))
    waits = adt("A04", "C1", Person("91003"), visit, facility="LAB")
    assert field(await connect(bridge).send(waits), "MSA", 1) == "AA"
    await connect(bridge).send(adt("A04", "C2", Person("91004"), Visit("V91004")))
    await bridge.became("C2", "delivered")
    assert await bridge.stop() == 0
    await bridge.start()
    await connect(bridge).send(adt("A08", "C3", Person("91004", family="Menon"), None))
    await bridge.became("C3", "delivered")
    assert (await bridge.command("status")).returncode == 2
    written = {row["external_id"] for row in await sandbox.journal() if row["created"]}
    assert {"91004", "V91004"} <= written
    assert not {"91003", "V91003"} & written
    said = await bridge.command("resume", *named)
    assert (said.returncode, said.stdout) == (0, "Delivery goes on.\n")
    await bridge.became("C1", "delivered")
    assert await sandbox.record("patient-visits", "V91003") is not None
    assert bridge.failures() == []


def assert_a_sentence(code: int, said: str) -> None:
    """It ended with exit 1, and tells a person, not a programmer, why."""
    assert code == 1, said
    assert "Traceback" not in said
    assert said.strip()
