"""The law of lanes: whatever happens, each lane's work starts in commit order."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.delivery import Delivery, Step, Target
from bridge.message import Status
from bridge.store.contract import Store, Transaction
from bridge.store.open import open_store
from tests.store.samples import a_call, keep

T = TypeVar("T")

LANES = st.sampled_from(["a", "b", "c"])
KEYS = st.sampled_from(["X/1", "X/2"])
PICK = st.integers(0, 99)
ENDS = st.sampled_from([Status.DELIVERED, Status.PARKED, Status.SUPPRESSED, Status.SUPERSEDED])


class Lanes(RuleBasedStateMachine):
    """A model of lanes as sorted sets, beside the store."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        # In memory where there is such a folder: the law is about order, not about disks.
        memory = Path("/dev/shm")
        self.folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        self.store: Store = open_store(
            f"sqlite:///{Path(self.folder.name)}/lanes.db", free_bytes=0, clock=lambda: 0.0
        )
        self.message_id = self.run_job(keep).id
        self.now = 1.0
        #: by lane, the ids that wait
        self.waiting: dict[str, set[int]] = {"a": set(), "b": set(), "c": set()}
        #: by id, what it is held for and in which lane
        self.held: dict[int, tuple[str, str]] = {}
        self.under_way: dict[str, Delivery] = {}
        #: lanes whose head may still take effect, or is blocked, with its id
        self.verifying: dict[str, int] = {}
        self.blocked: dict[str, tuple[int, str]] = {}

    def run_job(self, job: Callable[[Transaction], T]) -> T:
        return self.loop.run_until_complete(self.store.run(job))

    def teardown(self) -> None:
        self.loop.run_until_complete(self.store.close())
        self.loop.close()
        self.folder.cleanup()

    def picked(self, pick: int) -> Delivery:
        lanes = sorted(self.under_way)
        return self.under_way.pop(lanes[pick % len(lanes)])

    @rule(lane=LANES, record=KEYS)
    def add(self, lane: str, record: str) -> None:
        resource, external_id = record.split("/")
        call = a_call(external_id, resource=resource)
        added = self.run_job(lambda tx: tx.add(self.message_id, 0, lane, call, self.now))
        self.waiting[lane].add(added)

    @rule(passed=st.sampled_from([0.0, 1.0, 100.0]), limit=st.integers(1, 3))
    def claim(self, passed: float, limit: int) -> None:
        self.now += passed
        for head in self.run_job(lambda tx: tx.claim(Target.ZAUTO, self.now, limit)):
            assert head.lane not in self.under_way
            assert head.lane not in self.blocked
            expected = self.verifying.pop(head.lane, min(self.waiting[head.lane]))
            assert head.id == expected
            self.under_way[head.lane] = head

    @precondition(lambda self: self.under_way)
    @rule(pick=PICK, status=ENDS)
    def settle(self, pick: int, status: Status) -> None:
        head = self.picked(pick)
        self.run_job(lambda tx: tx.settle(head.id, status, at=self.now))
        self.waiting[head.lane].discard(head.id)
        self.wake(head)

    @precondition(lambda self: self.under_way)
    @rule(pick=PICK, key=KEYS)
    def hold(self, pick: int, key: str) -> None:
        head = self.picked(pick)
        self.run_job(lambda tx: tx.settle(head.id, Status.HELD, at=self.now, waits_for=key))
        self.waiting[head.lane].discard(head.id)
        self.held[head.id] = (key, head.lane)
        self.wake(head)

    def wake(self, settled: Delivery) -> None:
        record = f"{settled.call.resource}/{settled.call.external_id}"
        for lane, (_, key) in list(self.blocked.items()):
            if key == record:
                del self.blocked[lane]

    @precondition(lambda self: self.under_way)
    @rule(pick=PICK, step=st.sampled_from(Step), wait=st.sampled_from([0.0, 50.0]))
    def postpone(self, pick: int, step: Step, wait: float) -> None:
        head = self.picked(pick)
        due = self.now + wait
        self.run_job(lambda tx: tx.postpone(head.id, step, due_at=due, attempts=1))
        if step is Step.VERIFY:
            self.verifying[head.lane] = head.id

    @precondition(lambda self: self.under_way)
    @rule(pick=PICK, key=KEYS)
    def block(self, pick: int, key: str) -> None:
        head = self.picked(pick)
        self.run_job(lambda tx: tx.block(head.id, key))
        if head.step is Step.VERIFY:
            self.verifying[head.lane] = head.id
        if head.step is Step.VERIFY or head.id == min(self.waiting[head.lane]):
            self.blocked[head.lane] = (head.id, key)

    @rule(key=KEYS)
    def release(self, key: str) -> None:
        released = [each for each, (held_for, _) in self.held.items() if held_for == key]
        assert self.run_job(lambda tx: tx.release(key, self.now)) == len(released)
        for delivery_id in released:
            _, lane = self.held.pop(delivery_id)
            self.waiting[lane].add(delivery_id)
            verifying = lane in self.verifying
            if not verifying and delivery_id < self.blocked.get(lane, (0, ""))[0]:
                del self.blocked[lane]

    @rule()
    def crash(self) -> None:
        """Give back all leases; without an attempt nothing else changes."""
        assert self.run_job(lambda tx: tx.recover(self.now, 60.0)) == 0
        for lane, head in self.under_way.items():
            if head.step is Step.VERIFY:
                self.verifying[lane] = head.id
        self.under_way.clear()

    @invariant()
    def a_lane_with_work_will_be_claimed(self) -> None:
        runnable = {
            lane
            for lane, waiting in self.waiting.items()
            if waiting and lane not in self.under_way and lane not in self.blocked
        }
        due = self.run_job(lambda tx: tx.next_due(Target.ZAUTO))
        assert (due is not None) == bool(runnable)


TestLanes = Lanes.TestCase
TestLanes.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
