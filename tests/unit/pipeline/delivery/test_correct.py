"""What is known of a record once a request about it ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.causes import Cause, CauseKind
from bridge.delivery import (
    Call,
    Delivery,
    Entity,
    Interaction,
    Kind,
    Outcome,
    Reason,
    Request,
    Step,
)
from bridge.message import Status
from bridge.pipeline.delivery.correct import OWN_ID, correct, read_as_ours
from bridge.pipeline.delivery.deliver import Attempted
from bridge.pipeline.delivery.settle import DELIVERED, Next, Postpone, Settle
from tests.unit.pipeline.bench import CATALOGUE, Bench, a_patient, a_provider, a_visit

PARKED = Settle(Status.PARKED, Cause(CauseKind.REFUSED))
KNOWN = Entity("patients", "P1", sent={"id": "P1", "fullName": "Meera Nair", "address": "Lake Rd"})


def attempted(call: Call, method: str = "POST", step: Step = Step.APPLY) -> Attempted:
    delivery = Delivery(1, 1, 0, call.key, call, Status.WAITING, step, 1, 0.0)
    body = None if method == "GET" else call.payload
    return Attempted(delivery, Request(method, call.resource, call.external_id, body), 1)


def corrected(
    entity: Entity | None, call: Call, outcome: Outcome, following: Next, **how: Any
) -> Entity | None:
    return correct(entity, attempted(call, **how), outcome, following, CATALOGUE)


def test_an_accepted_record_is_as_it_was_sent_and_has_their_id() -> None:
    accepted = Outcome(Kind.DELIVERED, Reason.ACCEPTED, record={"id": "own", "externalId": "P1"})
    after = corrected(None, a_patient(), accepted, DELIVERED)
    assert after is not None
    assert after.sent is not None
    assert after.sent["fullName"] == "Meera Nair"
    assert after.facts[OWN_ID] == "own"


def test_a_record_that_is_anothers_teaches_nothing() -> None:
    found = Outcome(Kind.DELIVERED, Reason.FOUND, record={"id": "own", "fullName": "Somebody"})
    after = corrected(KNOWN, a_patient(), found, PARKED, method="GET", step=Step.IDENTIFY)
    assert after is KNOWN


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(Kind.UNKNOWN, Reason.NO_ANSWER),
        Outcome(Kind.PERMANENT, Reason.WRONG_RECORD),
        Outcome(Kind.PERMANENT, Reason.UNEXPECTED),
    ],
)
def test_what_a_request_that_was_given_up_may_have_written_is_sent_anew(outcome: Outcome) -> None:
    moved = replace(a_patient(), payload={"fullName": "Meera K Nair"})
    after = corrected(KNOWN, moved, outcome, PARKED, method="PUT")
    assert after is not None
    assert after.sent == {"id": "P1", "address": "Lake Rd"}


def test_what_was_refused_was_not_written() -> None:
    refused = Outcome(Kind.PERMANENT, Reason.INVALID)
    assert corrected(KNOWN, a_patient(), refused, PARKED, method="PUT") is KNOWN


class TestDuplicate:
    DUPLICATE = Outcome(Kind.PERMANENT, Reason.DUPLICATE)

    def test_what_need_only_exist_is_known_to_be_there(self) -> None:
        suppressed = Settle(Status.SUPPRESSED, Cause(CauseKind.EXISTS))
        after = corrected(None, a_provider(), self.DUPLICATE, suppressed)
        assert after is not None
        assert after.sent == {}

    def test_anything_else_is_read_first(self) -> None:
        assert a_patient().interaction is Interaction.UPSERT
        identify = Postpone(Step.IDENTIFY, 0, Cause(CauseKind.READING))
        assert corrected(None, a_patient(), self.DUPLICATE, identify) is None


class TestReadAsOurs:
    OURS = Entity("patient-visits", "V1", desired={"id": "V1", "patientId": "P1"})
    RECORD = Outcome(Kind.DELIVERED, Reason.FOUND, record={"id": "own", "patientId": "own-P1"})

    async def read(self, bench: Bench, outcome: Outcome, method: str = "GET") -> Outcome:
        patient = Entity("patients", "P1", sent={}, facts={OWN_ID: "own-P1"})
        await bench.store.run(lambda tx: tx.put_entity(patient))
        read = attempted(a_visit(), method, Step.IDENTIFY)
        return bench.store.read(
            lambda view: read_as_ours(view, read, outcome, self.OURS, CATALOGUE)
        )

    async def test_a_referent_goes_by_our_id(self, bench: Bench) -> None:
        outcome = await self.read(bench, self.RECORD)
        assert outcome.record is not None
        assert outcome.record["patientId"] == "P1"

    async def test_anothers_stays_as_it_is(self, bench: Bench) -> None:
        theirs = replace(self.RECORD, record={"id": "own", "patientId": "own-P2"})
        assert (await self.read(bench, theirs)).record == theirs.record

    async def test_only_what_was_read_is(self, bench: Bench) -> None:
        assert await self.read(bench, self.RECORD, "PUT") is self.RECORD
