"""A stop of all calls, and the calls that were made, outlive a stop and a kill."""

from __future__ import annotations

import asyncio

import pytest

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.hl7 import Person, Visit, adt
from tests.acceptance.processes import Bridge, until
from tests.acceptance.relay import Relay, say

ENDS = ["stopped", "killed"]


async def ends_and_starts(bridge: Bridge, how: str) -> None:
    if how == "killed":
        bridge.kill()
    else:
        assert await bridge.stop() == 0
    await bridge.start()


@pytest.mark.parametrize("how", ENDS)
async def test_a_wait_after_a_429_goes_on(
    how: str, relay: Relay, launch: Launch, connect: Connect
) -> None:
    relay.plan("POST", "patients", say(429, retry_after="120"))
    bridge = await launch(relay.url, zauto__limits="documented", zauto__deadline_seconds="30")
    await connect(bridge).send(adt("A04", "C1", Person("93001"), None))
    await until(lambda: len(relay.of("patients", "93001")) == 1, "the call is made")
    await until(lambda: _stopped(bridge), "all calls are stopped")
    before = (await bridge.status())["budget"]
    await ends_and_starts(bridge, how)
    after = (await bridge.status())["budget"]
    assert 60 < after["waiting"] <= before["waiting"] <= 120
    assert after["used"] >= before["used"] == 2
    await connect(bridge).send(adt("A04", "C2", Person("93002"), Visit("V93002")))
    await asyncio.sleep(1)
    assert relay.of("patients", "93002") == []


def _stopped(bridge: Bridge) -> bool:
    return any(event.get("event") == "calls stopped" for event in bridge.process.events())


@pytest.mark.parametrize("how", ENDS)
async def test_a_resource_that_is_not_permitted_stays_stopped(
    how: str, relay: Relay, launch: Launch, connect: Connect
) -> None:
    relay.plan("POST", "patients", say(403))
    bridge = await launch(relay.url)
    await connect(bridge).send(adt("A04", "C1", Person("93003"), None))
    await until(lambda: _stopped(bridge), "the resource is stopped")
    await ends_and_starts(bridge, how)
    (row,) = [each for each in (await bridge.status())["destinations"] if each["stops"]]
    assert [stop["resource"] for stop in row["stops"]] == ["patients"]
    await connect(bridge).send(adt("A04", "C2", Person("93004"), None))
    await asyncio.sleep(1)
    assert relay.of("patients", "93004") == []
