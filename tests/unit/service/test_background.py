"""Work in the background, with nothing else of a service."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from bridge.service.background import BackgroundWork
from tests.patience import PATIENCE


async def never_ending() -> None:
    await asyncio.Event().wait()


async def failing() -> None:
    raise ZeroDivisionError


async def begun() -> BackgroundWork:
    """One that goes on, and one that has failed."""
    work = BackgroundWork()
    work.begin("sweeping", never_ending())
    work.begin("translation", failing())
    await asyncio.wait(work._tasks[1:], timeout=PATIENCE)
    return work


async def test_work_that_failed_is_named_and_logged_once() -> None:
    with capture_logs() as logged:
        work = await begun()
        assert work.ended() == ["translation"]
        await work.stop()
    assert [line["event"] for line in logged] == ["work has stopped"]
    assert isinstance(logged[0]["exc_info"], ZeroDivisionError)


async def test_a_stop_ends_all_of_it_and_is_no_fault() -> None:
    work = BackgroundWork()
    work.begin("sweeping", never_ending())
    with capture_logs() as logged:
        await work.stop()
    assert (work.ended(), logged) == (["sweeping"], [])


async def test_nothing_begun_may_be_stopped() -> None:
    await BackgroundWork().stop()
