"""Mappings of several hospitals, changed while messages come in."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, adt
from tests.acceptance.mllp import field
from tests.acceptance.processes import Bridge, Sandbox, until

CONFIG = """
channels:
  - {name: lakeside, site: lakeside, sending_application: LAKESIDE}
  - {name: riverside, site: riverside, sending_application: RIVERHIS}
"""
_numbers = count(81_001)


class Hospitals:
    """A bridge of two hospitals, whose files of mappings a test writes."""

    def __init__(self, folder: Path, bridge: Bridge, connect: Connect) -> None:
        self._folder = folder
        self.bridge = bridge
        self._sender = connect(bridge)
        self.connect = connect

    def says(self, site: str, text: str) -> None:
        """What a site's table of genders says from now on."""
        (self._folder / site / "codes/gender.yaml").write_text(text)

    def registration(self, site: str = "lakeside", sex: str = "F") -> tuple[str, bytes]:
        """A control id, and the registration of somebody new with it."""
        number = str(next(_numbers))
        application = {"lakeside": "LAKESIDE", "riverside": "RIVERHIS"}[site]
        person = replace(Person(number), sex=sex)
        return f"M{number}", adt("A04", f"M{number}", person, None, application=application)

    async def register(self, site: str = "lakeside", sex: str = "F") -> str:
        """Register somebody new; the control id."""
        control_id, body = self.registration(site, sex)
        assert field(await self._sender.send(body), "MSA", 1) == "AA"
        return control_id

    async def gender(self, site: str = "lakeside") -> str:
        """What becomes of a woman that is registered now."""
        return gender_in(await self.bridge.became(await self.register(site), "delivered"))

    async def mapping(self, *words: str) -> tuple[int, dict[str, Any]]:
        """`bridge mapping …`: the exit code and what it printed as JSON."""
        done = await self.bridge.command("mapping", *words, "--json")
        return done.returncode, json.loads(done.stdout)


def gender_in(message: dict[str, Any]) -> str:
    (delivery,) = message["deliveries"]
    return str(delivery["payload"]["gender"])


@pytest.fixture
async def start(
    tmp_path: Path, sandbox: Sandbox, launch: Launch, connect: Connect
) -> Callable[..., Awaitable[Hospitals]]:
    """Starts it; `watch` is how often it looks for files that changed."""
    sites = tmp_path / "sites"
    for site, word in (("lakeside", "Woman"), ("riverside", "Lady")):
        (sites / site / "codes").mkdir(parents=True)
        (sites / site / "codes/gender.yaml").write_text(f"rows: {{F: {word}}}\n")
    config = tmp_path / "bridge.yaml"
    config.write_text(CONFIG)

    async def started(watch: str = "0") -> Hospitals:
        more = {"mappings__sites": str(sites), "mappings__watch_seconds": watch}
        bridge = await launch(sandbox.url, "--config", str(config), **more)
        return Hospitals(sites, bridge, connect)

    return started


async def test_two_hospitals_in_one_service_each_with_its_own_mappings(
    start: Callable[..., Awaitable[Hospitals]],
) -> None:
    hospitals = await start()
    assert await hospitals.gender("lakeside") == "Woman"
    assert await hospitals.gender("riverside") == "Lady"
    status = await hospitals.bridge.status()
    assert [row["site"] for row in status["mappings"]] == ["lakeside", "riverside"]
    assert len({row["hash"] for row in status["mappings"]}) == 2


async def test_a_reload_in_the_stream_loses_no_message_and_each_knows_its_mappings(
    start: Callable[..., Awaitable[Hospitals]],
) -> None:
    hospitals = await start()
    stop, sent = asyncio.Event(), list[str]()

    async def stream() -> None:
        async with hospitals.connect(hospitals.bridge) as sender:
            while not stop.is_set():
                control_id, body = hospitals.registration()
                assert field(await sender.send(body), "MSA", 1) == "AA"
                sent.append(control_id)

    streams = [asyncio.create_task(stream()) for _ in range(3)]
    told = {(await hospitals.bridge.status())["mappings"][0]["hash"]: "Woman"}
    for number in range(4):
        enough = len(sent) + 20
        await until(lambda enough=enough: len(sent) >= enough, "more messages came")
        hospitals.says("lakeside", f"rows: {{F: Woman {number}}}\n")
        code, report = await hospitals.mapping("reload")
        assert code == 0
        (change,) = [each for each in report["sets"] if each["site"] == "lakeside"]
        told[change["hash"]] = f"Woman {number}"
    last = len(sent) + 20
    await until(lambda: len(sent) >= last, "more messages came")
    stop.set()
    await asyncio.gather(*streams)
    await hospitals.bridge.settled()
    rows = await hospitals.bridge.messages()
    assert sorted(row["control_id"] for row in rows) == sorted(sent)
    met = set()
    for row in rows:
        assert row["status"] == "delivered"
        assert gender_in(await hospitals.bridge.message(row["id"])) == told[row["mappings_hash"]]
        met.add(row["mappings_hash"])
    assert met == set(told)
    assert hospitals.bridge.failures() == []


async def test_wrong_mappings_are_refused_with_every_fault_and_the_old_ones_stay(
    start: Callable[..., Awaitable[Hospitals]],
) -> None:
    hospitals = await start()
    hospitals.says("lakeside", "rowz: {F: Frau}\notherwise: [x]\n")
    hospitals.says("riverside", "rows: {F: Frau}\n")
    code, report = await hospitals.mapping("reload")
    assert code == 1
    assert {"rowz", "otherwise"} <= {fault["key"] for fault in report["faults"]}
    # wide enough that no path is folded
    hospitals.bridge.environment["COLUMNS"] = "300"
    shown = await hospitals.bridge.command("mapping", "reload")
    assert shown.returncode == 1
    assert "lakeside/codes/gender.yaml:1:1" in shown.stdout.replace("\n", "")
    assert [await hospitals.gender(site) for site in ("lakeside", "riverside")] == ["Woman", "Lady"]
    notices = (await hospitals.bridge.status())["notices"]
    assert any("changed mappings were refused" in notice for notice in notices)
    hospitals.says("lakeside", "rows: {F: Frau}\n")
    assert (await hospitals.mapping("reload"))[0] == 0
    assert await hospitals.gender() == "Frau"


async def test_rollback_brings_the_old_calls_back_until_the_files_are_taken_again(
    start: Callable[..., Awaitable[Hospitals]],
) -> None:
    hospitals = await start()
    assert await hospitals.gender() == "Woman"
    hospitals.says("lakeside", "rows: {F: Frau}\n")
    await hospitals.mapping("reload")
    assert await hospitals.gender() == "Frau"
    code, report = await hospitals.mapping("rollback", "--site", "lakeside")
    assert (code, report["taken"]) == (0, True)
    assert await hospitals.gender() == "Woman"
    hospitals.bridge.kill()
    await hospitals.bridge.start()
    again = Hospitals(hospitals._folder, hospitals.bridge, hospitals.connect)
    assert await again.gender() == "Woman"
    notices = (await again.bridge.status())["notices"]
    assert any("of lakeside are pinned" in notice for notice in notices)
    _, versions = await again.mapping("versions")
    assert [row["pinned_by"] for row in versions if row["pinned_by"]] == [["lakeside"]]
    await again.mapping("reload")
    assert await again.gender() == "Frau"


async def test_a_code_nobody_knows_holds_its_message_until_there_is_a_row(
    start: Callable[..., Awaitable[Hospitals]],
) -> None:
    hospitals = await start()
    hospitals.says("lakeside", "otherwise: hold\n")
    await hospitals.mapping("reload")
    waiting = [await hospitals.register(sex="W") for _ in range(2)]
    for control_id in waiting:
        held = await hospitals.bridge.became(control_id, "held")
        assert (held["waits_for"], held["verdict"]) == ("codes/gender/W", "mapping")
        assert "bridge codes" in held["next"]
    listed = json.loads((await hospitals.bridge.command("codes", "--json")).stdout)
    (code,) = [row for row in listed if row["code"] == "W"]
    assert (code["table"], code["sender"]) == ("gender", "LAKESIDE|CITY")
    assert (code["waiting"], code["count"]) == (2, 2)
    hospitals.says("lakeside", "otherwise: hold\nsenders: {LAKESIDE: {W: Female}}\n")
    await hospitals.mapping("reload")
    for control_id in waiting:
        message = await hospitals.bridge.became(control_id, "delivered")
        assert gender_in(message) == "Female"
    assert json.loads((await hospitals.bridge.command("codes", "--json")).stdout) == []


@pytest.mark.parametrize("by", ["SIGHUP", "watching"])
async def test_changed_files_are_taken_without_a_command(
    start: Callable[..., Awaitable[Hospitals]], by: str
) -> None:
    hospitals = await start(watch="0.05" if by == "watching" else "0")
    hospitals.says("lakeside", "rows: {F: Frau}\n")
    before = (await hospitals.bridge.status())["mappings"][0]["hash"]
    if by == "SIGHUP":
        hospitals.bridge.process.signal(signal.SIGHUP)

    async def changed() -> bool:
        return (await hospitals.bridge.status())["mappings"][0]["hash"] != before

    await until(changed, "other mappings in use")
    assert await hospitals.gender() == "Frau"
