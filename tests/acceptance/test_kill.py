"""A bridge that is killed again and again loses nothing, repeats nothing and mixes up nothing."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from random import Random

import pytest

from tests.acceptance.conftest import Connect, Launch
from tests.acceptance.day import Event, day, fold, patient_of, shown, version_of
from tests.acceptance.mllp import HungUp, Sender, field
from tests.acceptance.processes import Bridge, Sandbox, until
from tests.acceptance.relay import Asked, Relay

KILLS_WHILE_SENDING = 4
QUIET = 0.3


class Hospital:
    """Sends a day over some connections and sends again what had no answer, as engines do."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.acknowledged: list[Event] = []
        self.sent_again = 0

    def has_sent(self, count: int) -> bool:
        """Whether so many messages were acknowledged."""
        return len(self.acknowledged) >= count

    async def send_all(self, senders: Sequence[Sender]) -> None:
        """All of a patient's events go over one connection, in their order."""
        queues: list[list[Event]] = [[] for _ in senders]
        for event in self.events:
            queues[int(event.patient) % len(senders)].append(event)
        await asyncio.gather(*map(self._send, senders, queues))

    async def _send(self, sender: Sender, queue: Sequence[Event]) -> None:
        for event in queue:
            while not await self._acknowledged(sender, event):
                self.sent_again += 1
            self.acknowledged.append(event)

    async def _acknowledged(self, sender: Sender, event: Event) -> bool:
        try:
            answer = await sender.send(event.body)
        except HungUp:
            # an engine waits a moment before it connects again
            await asyncio.sleep(0.05)
            return False
        told = (field(answer, "MSA", 1), field(answer, "MSA", 2))
        assert told == ("AA", event.control_id)
        return True


async def kill_now_and_then(
    bridge: Bridge, relay: Relay, hospital: Hospital, random: Random
) -> None:
    """Kill it while messages come in, and while only calls go out."""
    total = len(hospital.events)
    for count in sorted(random.sample(range(total // 10, total * 9 // 10), KILLS_WHILE_SENDING)):
        await until(partial(hospital.has_sent, count), "sending goes on")
        await kill_after(random.randrange(4), bridge, relay)
    await until(partial(hospital.has_sent, total), "all is sent")
    await kill_after(random.randrange(20, 60), bridge, relay)


async def kill_after(calls: int, bridge: Bridge, relay: Relay) -> None:
    """Kill it when it has made so many more calls, and start it again."""
    expected = len(relay.asked) + calls
    await until(lambda: len(relay.asked) >= expected, "calls go on")
    bridge.kill()
    await relay.next_run()
    await bridge.start()


@pytest.mark.parametrize("seed", [1])
async def test_killed_at_random_the_sandbox_holds_the_fold_of_what_was_acknowledged(
    seed: int, sandbox: Sandbox, relay: Relay, launch: Launch, connect: Connect
) -> None:
    random = Random(seed)
    hospital = Hospital(day(random, patients=25, updates=11))
    bridge = await launch(relay.url, zauto__quiet_seconds=str(QUIET))
    await asyncio.gather(
        hospital.send_all([connect(bridge) for _ in range(4)]),
        kill_now_and_then(bridge, relay, hospital, random),
    )
    status = await bridge.settled()

    assert hospital.sent_again
    await assert_all_is_kept(bridge, hospital)
    assert {name for name, count in status["messages"].items() if count} <= {
        "delivered",
        "superseded",
        "suppressed",
    }
    expected = fold(hospital.acknowledged)
    assert {key: await held(sandbox, *key) for key in expected} == expected
    await assert_each_was_made_once(sandbox)
    assert_versions_never_go_back(relay.asked)
    assert_one_call_at_a_time(relay.asked)
    assert_quiet_after_each_kill(bridge, relay.asked)
    assert bridge.failures() == []


async def held(sandbox: Sandbox, resource: str, external_id: str) -> dict[str, object]:
    """What the sandbox holds of a record, in the oracle's words."""
    return shown(await sandbox.record(resource, external_id) or {})


async def assert_all_is_kept(bridge: Bridge, hospital: Hospital) -> None:
    """Each acknowledged message is in the store, once."""
    kept = Counter(row["control_id"] for row in await bridge.messages())
    assert kept == Counter(event.control_id for event in hospital.acknowledged)


async def assert_each_was_made_once(sandbox: Sandbox) -> None:
    made = Counter(
        (entry["resource"], entry["external_id"])
        for entry in await sandbox.journal()
        if entry["created"]
    )
    assert made
    assert set(made.values()) == {1}


def assert_versions_never_go_back(asked: Sequence[Asked]) -> None:
    versions = defaultdict(list)
    for each in asked:
        version = version_of(each.body)
        if version is not None:
            versions[each.resource, each.external_id].append(version)
    assert len(versions) > 20
    for record, seen in versions.items():
        assert seen == sorted(seen), record


def assert_one_call_at_a_time(asked: Sequence[Asked]) -> None:
    """Of one patient with all their visits, within one run of the bridge."""
    of_patient = defaultdict(list)
    for each in asked:
        if each.resource:
            key = (each.resource, each.external_id)
            of_patient[each.run, patient_of(key)].append(each)
    for patient, calls in of_patient.items():
        for one, other in pairwise(calls):
            assert one.ended is not None, patient
            assert one.ended <= other.began, patient


def assert_quiet_after_each_kill(bridge: Bridge, asked: Sequence[Asked]) -> None:
    """What was in flight when it was killed is read first, after the quiet time."""
    reads = [each for each in asked if each.method == "GET"]
    assert reads
    for run, process in enumerate(bridge.runs):
        assert all(e.began - process.started_at >= QUIET for e in reads if e.run == run)
    (opened,) = [e for e in bridge.process.events() if e.get("event") == "store open"]
    assert bool(opened["recovered"]) == any(each.run == len(bridge.runs) - 1 for each in reads)
