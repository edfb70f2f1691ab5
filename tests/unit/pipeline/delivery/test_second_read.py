"""A record is read a second time after a request about it went unanswered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.delivery import Call, Delivery, Entity, Kind, Outcome, Reason, Step, Target
from bridge.message import Status
from bridge.pipeline.delivery.second_read import AGAIN_AFTER, add_second_read, schedule
from bridge.store.contract import Transaction
from bridge.store.records import Again
from tests.unit.pipeline.bench import CATALOGUE, Bench, a_patient, a_provider
from tests.unit.pipeline.remote import QUIET

FOUND = Outcome(Kind.DELIVERED, Reason.FOUND, record={})
NO_ANSWER = Outcome(Kind.UNKNOWN, Reason.NO_ANSWER)


async def scheduled(bench: Bench, outcome: Outcome, **changes: object) -> bool:
    """Whether a read with this outcome is followed by a second one, in its time."""
    (delivery,) = bench.deliveries([await bench.plan(a_patient())])
    delivery = replace(delivery, **{"step": Step.VERIFY, "attempts": 1, **changes})
    now = bench.clock()

    def job(tx: Transaction) -> list[Again]:
        schedule(tx, delivery, outcome, now, QUIET)
        due_at = now + AGAIN_AFTER * QUIET
        assert not tx.take_again(due_at - 1, due_at, 10)
        return list(tx.take_again(due_at, due_at, 10))

    return [each.external_id for each in await bench.store.run(job)] == ["P1"]


@pytest.mark.parametrize("reason", [Reason.FOUND, Reason.ABSENT])
async def test_the_first_read_that_was_answered_is_followed_by_another(
    bench: Bench, reason: Reason
) -> None:
    assert await scheduled(bench, replace(FOUND, reason=reason))


@pytest.mark.parametrize(
    ("outcome", "changes"),
    [
        (NO_ANSWER, {}),
        # it is the second read itself, or reads who is there
        (FOUND, {"attempts": 0}),
        (FOUND, {"step": Step.IDENTIFY}),
        # what need only exist overwrites nothing
        (FOUND, {"call": a_provider()}),
    ],
)
async def test_nothing_else_is(bench: Bench, outcome: Outcome, changes: dict[str, object]) -> None:
    assert not await scheduled(bench, outcome, **changes)


class TestAdd:
    async def planned(self, bench: Bench, entity: Entity) -> list[Delivery]:
        message_id = await bench.plan()

        def job(tx: Transaction) -> None:
            tx.put_entity(entity)
            again = Again(entity.resource, entity.external_id, message_id, 0.0)
            add_second_read(tx, CATALOGUE, again, bench.clock())

        await bench.store.run(job)
        return list(bench.deliveries([message_id]))

    async def test_it_states_nothing_itself(self, bench: Bench) -> None:
        known = Entity("patients", "P1", desired={"fullName": "Meera Nair"}, sent={"id": "P1"})
        (read,) = await self.planned(bench, known)
        silent: Call = read.call
        assert (read.step, read.status, read.lane) == (Step.VERIFY, Status.WAITING, "patients/P1")
        assert (silent.target, silent.key, silent.payload) == (Target.ZAUTO, "patients/P1", {})

    async def test_what_is_not_known_to_be_there_is_not_read(self, bench: Bench) -> None:
        assert await self.planned(bench, Entity("patients", "P1")) == []
