"""A clock that is set back closes nothing for as long as it was wrong."""

from __future__ import annotations

from bridge.message import Status
from tests.unit.pipeline.bench import Bench, a_patient
from tests.unit.pipeline.remote import Fault

YEAR = 365 * 86_400.0


async def test_what_was_closed_while_the_clock_was_ahead_is_open(bench: Bench) -> None:
    right = bench.clock.now
    bench.clock.now += YEAR
    bench.remote.faults = iter([Fault.UNAUTHORIZED])
    message_id = await bench.plan(a_patient())
    await bench.look()
    assert list(bench.end.closed(bench.clock())) == [""]

    bench.clock.now = right

    assert not bench.end.closed(bench.clock())
    await bench.finish()
    assert bench.status(message_id) is Status.DELIVERED
    assert bench.clock.now < right + YEAR / 2
