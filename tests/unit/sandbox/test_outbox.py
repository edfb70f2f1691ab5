"""Orders to a partner that is up, down, or will not have them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import DoorError
from bridge.sandbox.database import Database
from bridge.sandbox.outbox import BACKOFF, GIVEN_UP_AFTER, Outbox, Progress
from bridge.sandbox.push import PartnerAnswer
from tests.unit.sandbox.conftest import Clock

TAKEN = PartnerAnswer(202, b"{}", "application/json")
BUSY = PartnerAnswer(503, b"later", "text/plain")
ORDER = b'{"externalVisitId": "v1", "Services": []}'


@dataclass
class Partner:
    """Answers what it is told; None is no answer."""

    answers: list[PartnerAnswer | None] = field(default_factory=list)
    asked: list[tuple[str, bytes, str]] = field(default_factory=list)

    async def push(self, kind: str, body: bytes, *, idempotency_key: str = "") -> PartnerAnswer:
        self.asked.append((kind, body, idempotency_key))
        answer = self.answers.pop(0) if self.answers else TAKEN
        if answer is None:
            raise DoorError("the partner did not answer: ConnectError")
        return answer


@pytest.fixture
def partner() -> Partner:
    return Partner()


@pytest.fixture
def outbox(state: Database, partner: Any, clock: Clock) -> Outbox:
    return Outbox(state.db, partner, clock)


async def test_an_order_that_is_taken_is_done(outbox: Outbox, partner: Partner) -> None:
    assert await outbox.push("services", ORDER, "k1") == TAKEN
    (push,) = outbox.newest(9)
    assert (push.progress, push.attempts, push.status) == (Progress.DELIVERED, 1, 202)
    await outbox.retry_due()
    assert partner.asked == [("services", ORDER, "k1")]


@pytest.mark.parametrize(
    "answer", [None, BUSY, PartnerAnswer(429, b"", ""), PartnerAnswer(408, b"", "")]
)
async def test_an_order_is_tried_again_while_the_partner_is_down(
    outbox: Outbox, partner: Partner, clock: Clock, answer: PartnerAnswer | None
) -> None:
    partner.answers = [answer, answer]
    if answer is None:
        with pytest.raises(DoorError, match=r"did not answer: ConnectError; push 1 is tried again"):
            await outbox.push("services", ORDER)
    else:
        assert await outbox.push("services", ORDER) == answer
    for wait in BACKOFF[:2]:
        clock.now += wait - 0.1
        await outbox.retry_due()
        asked = len(partner.asked)
        clock.now += 0.1
        await outbox.retry_due()
        assert len(partner.asked) == asked + 1
    (push,) = outbox.newest(9)
    assert (push.progress, push.attempts) == (Progress.DELIVERED, 3)
    assert {body for _, body, _ in partner.asked} == {ORDER}


@pytest.mark.parametrize("status", [301, 400, 401, 404, 422])
async def test_an_order_the_partner_will_not_have_is_not_tried_again(
    outbox: Outbox, partner: Partner, clock: Clock, status: int
) -> None:
    partner.answers = [PartnerAnswer(status, b"", "")]
    await outbox.push("prescriptions", ORDER)
    clock.now += GIVEN_UP_AFTER
    await outbox.retry_due()
    assert len(partner.asked) == 1
    assert outbox.newest(1)[0].progress is Progress.REFUSED


async def test_an_order_is_given_up_after_a_day(
    outbox: Outbox, partner: Partner, clock: Clock
) -> None:
    partner.answers = [None] * 1000
    began = clock.now
    with pytest.raises(DoorError):
        await outbox.push("services", ORDER)
    while (push := outbox.newest(1)[0]).progress is Progress.WAITING:
        clock.now = push.due_at
        await outbox.retry_due()
    assert push.progress is Progress.GIVEN_UP
    assert began + GIVEN_UP_AFTER - BACKOFF[-1] <= clock.now <= began + GIVEN_UP_AFTER


async def test_the_partner_may_ask_for_more_time(
    outbox: Outbox, partner: Partner, clock: Clock
) -> None:
    partner.answers = [PartnerAnswer(503, b"", "", retry_after=30)]
    await outbox.push("services", ORDER)
    assert outbox.newest(1)[0].due_at == clock.now + 30


async def test_a_restart_goes_on_with_what_waits(
    tmp_path: Path, partner: Any, clock: Clock
) -> None:
    partner.answers = [None]
    file = tmp_path / "sandbox.db"
    before = Database(file)
    with pytest.raises(DoorError):
        await Outbox(before.db, partner, clock).push("services", ORDER)
    before.close()
    after = Database(file)
    clock.now += BACKOFF[0]
    outbox = Outbox(after.db, partner, clock)
    await outbox.retry_due()
    assert outbox.newest(1)[0].progress is Progress.DELIVERED
    after.close()


async def test_it_runs_on_and_wakes_for_what_fails(
    outbox: Outbox, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.sandbox.outbox.BACKOFF", (0.0,))
    running = asyncio.create_task(outbox.run())
    await asyncio.sleep(0)
    partner.answers = [BUSY, BUSY, BUSY]
    await outbox.push("services", ORDER)
    while outbox.newest(1)[0].progress is Progress.WAITING:
        await asyncio.sleep(0)
    assert outbox.newest(1)[0].attempts == 4
    running.cancel()
    await asyncio.wait({running})


async def test_without_a_partner_a_push_says_what_to_do(state: Database, clock: Clock) -> None:
    outbox = Outbox(state.db, None, clock)
    with pytest.raises(DoorError, match="--push-to"):
        await outbox.push("services", ORDER)
    await outbox.retry_due()
    assert outbox.newest(1) == []
