"""The state table in code: what each answer makes of a delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.causes import OTHER_FIELD, Cause, CauseKind
from bridge.delivery import (
    Delivery,
    FieldError,
    Interaction,
    Kind,
    Outcome,
    Reason,
    Request,
    Step,
)
from bridge.message import Status, Verdict
from bridge.pipeline.delivery.poison import POISON
from bridge.pipeline.delivery.settle import (
    DELIVERED,
    LONGEST_WAIT,
    LONGEST_WAIT_OF_ORDER,
    MOST_FLIPS,
    SHORT_QUIET,
    STRANGE_ANSWERS,
    Next,
    Ours,
    Past,
    Postpone,
    Settle,
    after_hospital,
    after_zauto,
    backoff,
)
from bridge.pipeline.records.identity import another
from tests.unit.pipeline.bench import CATALOGUE, a_patient, a_visit

PATIENTS = CATALOGUE["patients"]
WHOLE = a_patient().payload
RECORD = {**WHOLE, "id": "own"}
QUIET = 60.0


def a_delivery(**changes: Any) -> Delivery:
    made = Delivery(1, 1, 0, "patients/P1", a_patient(), Status.WAITING, Step.APPLY, 0, 0.0)
    return replace(made, **changes)


def after(
    method: str,
    outcome: Outcome,
    *,
    past: Past | None = None,
    accepted: bool = True,
    **changes: Any,
) -> Next:
    return after_zauto(
        a_delivery(**changes),
        Request(method, "patients", "P1", None if method == "GET" else WHOLE),
        outcome,
        PATIENTS,
        ours=Ours(WHOLE, {n: v for n, v in WHOLE.items() if n != "id"}, accepted),
        quiet_seconds=QUIET,
        past=past or Past(),
    )


def unknown(reason: Reason = Reason.NO_ANSWER, **changes: Any) -> Outcome:
    return Outcome(Kind.UNKNOWN, reason, **changes)


def transient(reason: Reason = Reason.UNREACHABLE, **changes: Any) -> Outcome:
    return Outcome(Kind.TRANSIENT, reason, **changes)


def permanent(reason: Reason, **changes: Any) -> Outcome:
    return Outcome(Kind.PERMANENT, reason, **changes)


def found(record: dict[str, Any]) -> Outcome:
    return Outcome(Kind.DELIVERED, Reason.FOUND, 200, record=record)


def parked(kind: CauseKind, **parameters: Any) -> Settle:
    return Settle(Status.PARKED, Cause(kind, **parameters))


def again(reason: Reason) -> Cause:
    """The cause of another attempt."""
    return Cause(CauseKind.RETRY, name=reason)


class TestWrites:
    def test_accepted_is_delivered(self) -> None:
        assert after("POST", Outcome(Kind.DELIVERED, Reason.ACCEPTED)) == DELIVERED

    def test_no_answer_of_a_gateway_is_verified_after_the_whole_quiet_time(self) -> None:
        following = after("POST", unknown(status=504))
        assert following == Postpone(Step.VERIFY, QUIET, again(Reason.NO_ANSWER))

    def test_no_answer_is_verified_after_the_quiet_time(self) -> None:
        assert after("PUT", unknown()) == Postpone(Step.VERIFY, QUIET, again(Reason.NO_ANSWER))

    def test_a_server_error_is_verified_sooner(self) -> None:
        following = after("PUT", unknown(Reason.SERVER_ERROR, status=500))
        assert following == Postpone(Step.VERIFY, SHORT_QUIET, again(Reason.SERVER_ERROR))

    def test_the_far_end_may_ask_for_a_longer_wait(self) -> None:
        following = after("PUT", unknown(Reason.SERVER_ERROR, status=503, retry_after=90))
        assert isinstance(following, Postpone)
        assert following.wait == 90

    @pytest.mark.parametrize("method", ["PUT", "GET"])
    def test_what_gets_no_clear_answer_while_others_do_is_poison(self, method: str) -> None:
        outcome = unknown() if method == "PUT" else transient(Reason.NO_ANSWER)
        following = after(method, outcome, past=Past(unclear=POISON), step=Step.VERIFY)
        assert isinstance(following, Settle)
        assert following.status is Status.PARKED

    @pytest.mark.parametrize("reason", [Reason.NO_ANSWER, Reason.SERVER_ERROR, Reason.NOT_THE_API])
    def test_an_outage_uses_no_attempts_up(self, reason: Reason) -> None:
        following = after("PUT", unknown(reason), attempts=500)
        assert isinstance(following, Postpone)
        assert (following.step, following.wait) == (Step.VERIFY, LONGEST_WAIT)

    def test_a_stranger_answering_for_an_assumed_update_shows_that_there_is_none(self) -> None:
        visits = CATALOGUE["patient-visits"]
        delivery = a_delivery(call=a_visit(), lane="patients/P1")
        request = Request("PUT", "patient-visits", "V1", {"purposeOfVisit": "Fever"})
        ours = Ours({}, {}, True)
        strange = unknown(Reason.NOT_THE_API, status=405)

        def following(strangers: int) -> Next:
            past = Past(strangers=strangers)
            return after_zauto(
                delivery, request, strange, visits, ours=ours, quiet_seconds=QUIET, past=past
            )

        early, late = following(0), following(STRANGE_ANSWERS - 1)
        assert isinstance(early, Postpone)
        assert early.step is Step.VERIFY
        assert isinstance(late, Settle)
        assert late.cause == Cause(CauseKind.NOT_OFFERED, resource="patient visit", name="updated")

    def test_a_stranger_answering_for_a_documented_update_is_an_outage(self) -> None:
        strange = unknown(Reason.NOT_THE_API, status=404)
        assert isinstance(after("PUT", strange, past=Past(strangers=50)), Postpone)

    def test_what_had_no_effect_is_tried_again_as_it_was_and_counts_nothing(self) -> None:
        following = after("PUT", transient(), step=Step.PUT, attempts=3)
        assert following == Postpone(Step.PUT, 1, again(Reason.UNREACHABLE), counts=False)

    @pytest.mark.parametrize(("failures", "wait"), [(0, 1), (1, 2), (5, 32), (50, LONGEST_WAIT)])
    def test_it_waits_longer_with_each_failure(self, failures: int, wait: float) -> None:
        following = after("PUT", transient(), past=Past(failures=failures))
        assert isinstance(following, Postpone)
        assert following.wait == wait

    def test_an_id_that_is_taken_is_looked_at(self) -> None:
        following = after("POST", permanent(Reason.DUPLICATE))
        assert isinstance(following, Postpone)
        assert following.step is Step.IDENTIFY

    def test_a_record_that_need_only_exist_is_left_alone_when_it_does(self) -> None:
        create = replace(a_patient(), interaction=Interaction.CREATE)
        following = after("POST", permanent(Reason.DUPLICATE), call=create)
        assert isinstance(following, Settle)
        assert following.status is Status.SUPPRESSED

    def test_a_record_that_is_gone_is_made_again(self) -> None:
        following = after("PUT", permanent(Reason.NOT_FOUND))
        assert isinstance(following, Postpone)
        assert following.step is Step.POST

    def test_a_record_that_comes_and_goes_is_parked(self) -> None:
        following = after("PUT", permanent(Reason.NOT_FOUND), past=Past(flips=MOST_FLIPS))
        assert isinstance(following, Settle)
        assert following.status is Status.PARKED

    def test_an_answer_for_another_record_is_parked(self) -> None:
        following = after("PUT", permanent(Reason.WRONG_RECORD, detail="asked P1, answered P2"))
        assert following == parked(CauseKind.WRONG_RECORD)

    def test_refused_fields_are_named_as_the_catalogue_has_them(self) -> None:
        errors = (
            FieldError("uhid", "4711 is taken"),
            FieldError("Meera Nair 4711", "bad"),
            FieldError("email", "bad"),
        )
        refused = permanent(Reason.INVALID, field_errors=errors, verdict=Verdict.SENDER)
        assert after("POST", refused) == parked(
            CauseKind.REFUSED_FIELDS,
            fields=("uhid", OTHER_FIELD, "email"),
            said="uhid: 4711 is taken; Meera Nair 4711: bad; email: bad",
            by=Verdict.SENDER,
        )

    def test_a_refusal_without_fields_keeps_the_answer(self) -> None:
        following = after("POST", permanent(Reason.INVALID, detail="P1 is odd"))
        assert following == parked(CauseKind.REFUSED_FIELDS, said="P1 is odd")
        bare = after("POST", permanent(Reason.INVALID))
        assert bare == parked(CauseKind.REFUSED_FIELDS)

    def test_a_fault_of_ours_is_named(self) -> None:
        failed = permanent(Reason.UNEXPECTED, detail="KeyError", verdict=Verdict.BRIDGE)
        assert after("PUT", failed) == parked(CauseKind.BRIDGE_FAULT, name="KeyError")


class TestReads:
    def test_verified_as_it_should_be_is_delivered(self) -> None:
        assert after("GET", found(RECORD), step=Step.VERIFY) == DELIVERED

    @pytest.mark.parametrize("change", [{"fullName": "M. Nair"}, {"phoneNumber": None}])
    def test_verified_as_different_is_updated(self, change: dict[str, Any]) -> None:
        following = after("GET", found(RECORD | change), step=Step.VERIFY)
        assert isinstance(following, Postpone)
        assert following.step is Step.PUT

    def test_what_a_read_does_not_show_is_sent_again(self) -> None:
        shown = {name: value for name, value in RECORD.items() if name != "phoneNumber"}
        following = after("GET", found(shown), step=Step.VERIFY)
        assert isinstance(following, Postpone)
        assert following.step is Step.PUT

    @pytest.mark.parametrize("reason", [Reason.ABSENT, Reason.NOT_FOUND])
    def test_verified_as_absent_is_sent_again(self, reason: Reason) -> None:
        following = after("GET", permanent(reason), step=Step.VERIFY)
        assert isinstance(following, Postpone)
        assert following.step is Step.POST

    def test_the_same_person_is_updated(self) -> None:
        following = after("GET", found(RECORD), step=Step.IDENTIFY, accepted=False)
        assert isinstance(following, Postpone)
        assert following.step is Step.PUT

    @pytest.mark.parametrize("step", [Step.VERIFY, Step.IDENTIFY])
    @pytest.mark.parametrize("change", [{"uhid": 9}, {"uhid": None}])
    def test_another_person_is_parked(self, step: Step, change: dict[str, Any]) -> None:
        following = after("GET", found(RECORD | change), step=step, accepted=False)
        assert isinstance(following, Settle)
        assert following.status is Status.PARKED
        assert following.cause == another(CATALOGUE["patients"], ("uhid", "dateOfBirth"))

    def test_an_id_that_is_taken_and_cannot_be_read_is_parked(self) -> None:
        following = after("GET", permanent(Reason.ABSENT), step=Step.IDENTIFY)
        assert following == parked(CauseKind.ID_TAKEN)

    @pytest.mark.parametrize("step", [Step.VERIFY, Step.IDENTIFY])
    def test_an_unanswered_read_is_read_again(self, step: Step) -> None:
        following = after("GET", transient(Reason.NO_ANSWER), step=step)
        assert following == Postpone(step, 1, again(Reason.NO_ANSWER), counts=False)

    def test_what_need_only_exist_is_delivered_when_it_does(self) -> None:
        create = replace(a_patient(), interaction=Interaction.CREATE)
        following = after("GET", found({"uhid": 9}), step=Step.VERIFY, call=create)
        assert following == DELIVERED


class TestHospital:
    def test_an_acknowledged_order_is_delivered(self) -> None:
        accepted = Outcome(Kind.DELIVERED, Reason.ACCEPTED)
        assert after_hospital(a_delivery(), accepted) == DELIVERED

    def test_a_refused_order_is_parked_with_the_hospitals_words(self) -> None:
        refused = permanent(Reason.REFUSED, detail="AE; no patient 77", verdict=Verdict.HOSPITAL)
        assert after_hospital(a_delivery(), refused) == parked(
            CauseKind.REFUSED,
            name=Reason.REFUSED,
            said="AE; no patient 77",
            by=Verdict.HOSPITAL,
        )

    @pytest.mark.parametrize("outcome", [unknown(), transient(Reason.BUSY)])
    def test_all_else_is_sent_again_and_later_each_time(self, outcome: Outcome) -> None:
        first = after_hospital(a_delivery(), outcome)
        late = after_hospital(a_delivery(attempts=3), outcome, 10)
        assert isinstance(first, Postpone)
        assert isinstance(late, Postpone)
        assert (first.step, first.wait, late.wait) == (Step.APPLY, 1, LONGEST_WAIT_OF_ORDER)
        assert first.counts is (outcome.kind is Kind.UNKNOWN)


@given(st.integers(0, 10**6))
def test_backoff_never_shrinks_and_is_bounded(failures: int) -> None:
    assert 0 < backoff(failures) <= backoff(failures + 1) <= LONGEST_WAIT


@given(
    method=st.sampled_from(["POST", "PUT", "GET"]),
    kind=st.sampled_from([Kind.PERMANENT, Kind.TRANSIENT, Kind.UNKNOWN]),
    reason=st.sampled_from(Reason),
    step=st.sampled_from(Step),
    attempts=st.integers(0, 20),
    status=st.sampled_from([None, 200, 404, 500]),
)
def test_every_failure_leads_somewhere_and_only_success_is_delivered(
    method: str, kind: Kind, reason: Reason, step: Step, attempts: int, status: int | None
) -> None:
    following = after(method, Outcome(kind, reason, status), step=step, attempts=attempts)
    if isinstance(following, Postpone):
        assert following.wait >= 0
        assert following.counts or following.wait > 0
    elif following.status is Status.DELIVERED:
        assert reason is Reason.ACCEPTED
