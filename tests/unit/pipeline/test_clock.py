"""A clock that is set closes nothing for as long as it was wrong."""

from __future__ import annotations

import pytest

from bridge.message import Status
from tests.unit.pipeline.bench import Bench, a_patient
from tests.unit.pipeline.remote import Fault

YEAR = 365 * 86_400.0


@pytest.mark.parametrize("back", [120.0, 3600.0, YEAR])
async def test_what_was_closed_while_the_clock_was_ahead_is_waited_out_again(
    bench: Bench, back: float
) -> None:
    bench.remote.faults = iter([Fault.UNAUTHORIZED])
    message_id = await bench.plan(a_patient())
    await bench.look()
    closed = bench.end.breakers.all(bench.clock())[""]

    bench.clock.now -= back

    right = bench.clock.now
    assert bench.end.breakers.all(right)[""].until == right + closed.seconds
    await bench.finish()
    assert bench.status(message_id) is Status.DELIVERED
    assert bench.clock.now <= right + max(2 * closed.seconds, back + closed.seconds)
    assert bench.clock.now < right + YEAR / 2


async def test_what_was_closed_before_the_clock_was_set_forward_is_open(bench: Bench) -> None:
    bench.remote.faults = iter([Fault.UNAUTHORIZED])
    await bench.plan(a_patient())
    await bench.look()
    bench.clock.now += YEAR
    assert not bench.end.breakers.all(bench.clock())
