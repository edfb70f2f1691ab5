"""What is waited for when the machine's clock is set, in seconds that really pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from bridge.delivery import Outcome, Request
from bridge.errors import StoreBusy
from bridge.message import Status
from bridge.pipeline.delivery.probe import Probe
from bridge.pipeline.delivery.timekeeper import JUMP, ClockWatch, Timekeeper, redate_at_start
from bridge.settings import CallLimits
from bridge.store.contract import Transaction, View
from bridge.zauto.budget import Budget
from tests.unit.pipeline.bench import Bench, a_patient
from tests.unit.pipeline.remote import QUIET, Clock, Fault

HOUR = 3600.0
#: seconds that pass between the failure and the jump
BEFORE = 5.0


class Machine:
    """A bench on a machine with both clocks."""

    def __init__(self, bench: Bench, limits: CallLimits | None = None) -> None:
        self.bench = bench
        self.wall, self.monotonic = Clock(1_000_000.0), Clock(500.0)
        self._limits = limits
        self._start()
        #: whose time really passes
        bench.remote._clock = self.monotonic

    def _start(self) -> None:
        bench = self.bench
        bench.clock = self.clock = Timekeeper(self.wall, self.monotonic)  # type: ignore[assignment]
        bench.budget = Budget(self._limits)
        bench.end = bench.far_end()
        bench.deliver = bench.carrier()
        send = bench.remote.send

        async def counted(request: Request) -> Outcome:
            bench.end.calls.use_reserved()
            bench.end.calls.spent(self.clock(), {})
            return await send(request)

        bench.end._send = counted

    def move(self, view: View, seconds: float) -> None:
        self.bench.end.calls.shift(view, seconds)
        self.bench.end.take_up_stops(view)
        self.bench.deliver.health.take_up(view)

    def wake(self) -> None:
        self.bench.deliver.wake()

    def passes(self, seconds: float) -> None:
        self.wall.now += seconds
        self.monotonic.now += seconds

    @property
    def watch(self) -> ClockWatch:
        return ClockWatch(self.bench.store, self.clock, self, quiet_seconds=QUIET)

    async def is_set(self, seconds: float) -> None:
        """Somebody sets the clock while the service runs."""
        self.wall.now += seconds
        await self.watch.once()

    async def restarts(self, seconds: float) -> None:
        """The clock is set while the service is stopped."""
        self.wall.now += seconds
        self._start()
        now, bench = self.clock(), self.bench
        await bench.store.run(lambda tx: redate_at_start(tx, now, QUIET))
        bench.store.read(lambda view: bench.end.take_up(view, now))
        bench.store.read(bench.deliver.health.take_up)

    async def look(self) -> int:
        """Look for work; how many requests were made so far."""
        await self.bench.sweep()
        await self.bench.look()
        return len(self.bench.remote.requests)


Wait = Callable[[Machine], Awaitable[None]]


async def quiet_time(machine: Machine) -> None:
    machine.bench.remote.faults = iter([Fault.LOST])
    await machine.bench.plan(a_patient())
    await machine.look()


async def second_read(machine: Machine) -> None:
    await quiet_time(machine)
    machine.passes(QUIET)
    assert await machine.look() == 2
    assert await machine.look() == 3


async def retry(machine: Machine) -> None:
    machine.bench.remote.faults = iter([Fault.UNREACHABLE] * 4)
    await machine.bench.plan(a_patient())
    for seconds in (0, 1, 2, 4):
        machine.passes(seconds)
        await machine.look()


async def breaker(machine: Machine) -> None:
    machine.bench.remote.faults = iter([Fault.UNAUTHORIZED])
    await machine.bench.plan(a_patient())
    await machine.look()


async def hold_after_429(machine: Machine) -> None:
    machine.bench.remote.faults = iter([Fault.LIMITED])
    await machine.bench.plan(a_patient())
    await machine.look()


async def budget_window(machine: Machine) -> None:
    for number in range(2):
        await machine.bench.plan(a_patient(f"P{number}", uhid=number))
    await machine.look()


@dataclass(frozen=True)
class Row:
    """A wait, and seconds that it lasts beyond those that passed before the jump."""

    wait: Wait
    not_set: float
    forward: float
    back: float
    restart: float
    limits: CallLimits | None = None


TABLE = [
    Row(quiet_time, 55, 60, 60, 60),
    Row(second_read, 595, 600, 600, 600),
    # after a restart that found the clock set back, a wait counts from when the time was noted
    Row(retry, 3, 3, 3, 8),
    Row(breaker, 55, 55, 55, 60),
    Row(hold_after_429, 25, 25, 25, 30),
    Row(budget_window, 55, 55, 55, 60, CallLimits(hour=100, minute=1)),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.wait.__name__)
@pytest.mark.parametrize(
    ("column", "seconds"),
    [
        ("not_set", 1.0),
        ("not_set", -1.0),
        ("forward", HOUR),
        ("back", -HOUR),
        ("back", -24 * HOUR),
        ("restart", -HOUR),
    ],
)
async def test_a_wait_lasts_as_long_as_it_should(
    bench: Bench, row: Row, column: str, seconds: float
) -> None:
    machine = Machine(bench, row.limits)
    await row.wait(machine)
    await Probe(bench.store, machine.clock).once()
    before = len(bench.remote.requests)
    machine.passes(BEFORE)
    await (machine.restarts if column == "restart" else machine.is_set)(seconds)
    lasts = getattr(row, column)
    machine.passes(lasts - 0.5)
    assert await machine.look() == before
    machine.passes(0.5)
    assert await machine.look() == before + 1


async def test_a_suspended_machine_waits_out_a_quiet_time_again(bench: Bench) -> None:
    machine = Machine(bench)
    await quiet_time(machine)
    machine.passes(BEFORE)
    machine.wall.now += 8 * HOUR
    assert await machine.look() == 1
    await machine.watch.once()
    machine.passes(QUIET - 1)
    assert await machine.look() == 1
    machine.passes(1)
    assert await machine.look() == 2


async def test_time_goes_on_evenly_until_what_waits_is_moved(bench: Bench) -> None:
    machine = Machine(bench)
    machine.wall.now += HOUR
    machine.passes(3)
    assert machine.clock() == 1_000_003.0
    assert machine.clock.jumped() == HOUR
    await machine.watch.once()
    assert machine.clock() == 1_000_003.0 + HOUR
    assert machine.clock.jumped() == 0.0


async def test_small_steps_are_passed_over_until_they_add_up(bench: Bench) -> None:
    machine = Machine(bench)
    machine.wall.now += JUMP
    await machine.watch.once()
    assert machine.clock() == 1_000_000.0
    machine.wall.now += 0.5
    await machine.watch.once()
    assert machine.clock() == 1_000_000.0 + JUMP + 0.5


async def test_where_the_store_cannot_commit_the_former_time_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(bench, CallLimits(hour=100, minute=1))
    await budget_window(machine)
    run = bench.store.run

    async def undone(job: Callable[[Transaction], object]) -> object:
        def fail(tx: Transaction) -> None:
            job(tx)
            raise StoreBusy("the disk is full")

        return await run(fail)

    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "run", undone)
        with pytest.raises(StoreBusy):
            await machine.is_set(HOUR)
    assert machine.clock() == 1_000_000.0
    assert bench.end.calls.state(machine.clock()).resets_at == 1_000_000.0 + HOUR
    await machine.watch.once()
    machine.passes(60)
    assert await machine.look() == 2


@pytest.mark.parametrize("seconds", [100 * HOUR, -100 * HOUR])
async def test_what_is_held_is_held_for_as_long_as_it_should(bench: Bench, seconds: float) -> None:
    machine = Machine(bench)
    message_id = await bench.plan(a_patient())

    def hold(tx: Transaction) -> None:
        tx.mark(message_id, Status.HELD, at=machine.clock(), waits_for="patients/P9")

    await bench.store.run(hold)
    machine.passes(HOUR)
    await machine.is_set(seconds)
    machine.passes(71 * HOUR - 1)
    await bench.sweep()
    assert bench.status(message_id) is Status.HELD
    machine.passes(1)
    await bench.sweep()
    assert bench.status(message_id) is Status.PARKED


async def test_what_is_under_way_at_a_jump_is_settled(bench: Bench) -> None:
    machine = Machine(bench)
    message_id = await bench.plan(a_patient())
    await bench.deliver.once()
    await machine.is_set(-HOUR)
    await bench.deliver.until_idle()
    assert bench.status(message_id) is Status.DELIVERED
