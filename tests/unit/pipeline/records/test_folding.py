from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.causes import Cause, CauseKind
from bridge.delivery import (
    Call,
    Delivery,
    Entity,
    Interaction,
    Kind,
    Outcome,
    Payload,
    Reason,
    Request,
    Step,
    Target,
)
from bridge.message import Status
from bridge.pipeline.records.folding import Settled, after, decide, fold, learn
from bridge.zauto.catalogue import load

PATIENTS = load(Path(__file__).parents[4] / "mappings" / "zauto")["patients"]
FULL: Payload = {"id": "P1", "uhid": 7, "fullName": "Asha Rao", "phoneNumber": "+919812345678"}
SENT = Entity("patients", "P1", desired=FULL, sent=FULL)


def call(
    payload: Payload,
    *create_only: str,
    interaction: Interaction = Interaction.UPSERT,
    authority: str = "",
) -> Call:
    return Call(
        Target.ZAUTO,
        interaction,
        "patients",
        "P1",
        payload,
        create_only=frozenset(create_only),
        authority=authority,
    )


def delivery(of: Call, step: Step = Step.APPLY) -> Delivery:
    return Delivery(1, 1, 0, "patients/P1", of, Status.WAITING, step, attempts=0, due_at=0.0)


def decided(
    of: Call,
    entity: Entity | None,
    step: Step = Step.APPLY,
    same: Sequence[Sequence[str]] = (),
) -> Request | Settled:
    return decide(delivery(of, step), entity, PATIENTS, same)


def requested(of: Call, entity: Entity | None, step: Step = Step.APPLY) -> Request:
    request = decided(of, entity, step)
    assert isinstance(request, Request)
    return request


def settled(of: Call, entity: Entity | None, step: Step = Step.APPLY) -> Settled:
    end = decided(of, entity, step)
    assert isinstance(end, Settled)
    return end


def kept(
    of: Call, entity: Entity | None, request: Request, reason: Reason, record: Any = None
) -> Entity | None:
    outcome = Outcome(Kind.DELIVERED, reason, record=record)
    return after(entity, delivery(of), request, outcome, PATIENTS)


def accepted(of: Call, entity: Entity | None) -> Entity | None:
    """Apply a call and let ZautoAI take whatever it is sent."""
    request = decided(of, entity)
    if isinstance(request, Settled):
        return request.entity or entity
    return kept(of, entity, request, Reason.ACCEPTED)


class TestAnUnknownRecord:
    def test_is_created_with_its_id(self) -> None:
        request = requested(call({k: v for k, v in FULL.items() if k != "id"}), None)
        assert request == Request("POST", "patients", "P1", FULL)

    def test_is_created_with_what_only_creation_sends_and_without_nulls(self) -> None:
        request = requested(call(FULL | {"remarks": "new", "title": None}, "remarks"), None)
        assert request.body == FULL | {"remarks": "new"}

    def test_is_parked_while_required_fields_are_missing_and_names_only_them(self) -> None:
        end = settled(call({"id": "P1", "fullName": "Asha Rao", "phoneNumber": None}), None)
        assert end.cause == Cause(CauseKind.INCOMPLETE, fields=("uhid", "phoneNumber"))
        assert end.status is Status.PARKED

    def test_is_created_once_a_later_message_brings_what_was_missing(self) -> None:
        first = settled(call({"uhid": 7, "fullName": "Asha Rao", "title": "Ms."}), None)
        request = requested(call({"phoneNumber": "+919812345678"}), first.entity)
        assert (request.method, request.body) == ("POST", FULL | {"title": "Ms."})

    def test_is_created_by_create_as_by_upsert(self) -> None:
        request = requested(call(FULL, interaction=Interaction.CREATE), None)
        assert (request.method, request.body) == ("POST", FULL)


class TestAKnownRecord:
    def test_is_updated_with_the_full_fold_but_not_its_id(self) -> None:
        request = requested(call({"title": "Ms."}), SENT)
        assert request.method == "PUT"
        assert request.body == {k: v for k, v in FULL.items() if k != "id"} | {"title": "Ms."}

    def test_is_left_alone_when_nothing_changed(self) -> None:
        assert settled(call(FULL), SENT).status is Status.SUPPRESSED
        assert settled(call({"fullName": "Asha Rao"}), SENT).status is Status.SUPPRESSED
        # what is not there need not be cleared
        assert settled(call({"title": None}), SENT).status is Status.SUPPRESSED

    def test_is_left_alone_by_create(self) -> None:
        end = settled(call({"fullName": "A. Rao"}, interaction=Interaction.CREATE), SENT)
        assert (end.status, end.entity) == (Status.SUPPRESSED, None)

    def test_loses_a_field_by_an_explicit_null(self) -> None:
        known = replace(SENT, desired=FULL | {"title": "Ms."}, sent=FULL | {"title": "Ms."})
        request = requested(call({"title": None}), known)
        assert request.body is not None
        assert request.body["title"] is None

    def test_cannot_lose_a_required_field(self) -> None:
        assert settled(call({"phoneNumber": None}), SENT).cause == Cause(
            CauseKind.INCOMPLETE, fields=("phoneNumber",)
        )

    def test_keeps_what_its_staff_own(self) -> None:
        known = replace(SENT, initial={"remarks": "new"}, sent=FULL | {"remarks": "new"})
        request = requested(call({"title": "Ms.", "remarks": "newer"}, "remarks"), known)
        assert request.body is not None
        assert "remarks" not in request.body

    def test_gets_what_its_staff_own_when_the_event_states_it(self) -> None:
        known = replace(SENT, initial={"remarks": "new"}, sent=FULL | {"remarks": "new"})
        stated = call({"remarks": "gone home"})
        request = requested(stated, known)
        assert request.body is not None
        assert request.body["remarks"] == "gone home"
        later = kept(stated, known, request, Reason.ACCEPTED)
        request = requested(call({"title": "Ms.", "remarks": "new"}, "remarks"), later)
        assert request.body is not None
        assert "remarks" not in request.body

    def test_gets_a_stated_field_later_when_it_could_not_be_sent_before(self) -> None:
        stated = settled(call({"remarks": "gone home", "phoneNumber": None}), SENT)
        request = requested(
            call({"phoneNumber": "+919800000000", "remarks": "new"}, "remarks"), stated.entity
        )
        assert request.body is not None
        assert request.body["remarks"] == "gone home"


class TestTheStep:
    @pytest.mark.parametrize("step", [Step.VERIFY, Step.IDENTIFY])
    def test_that_finds_out_reads(self, step: Step) -> None:
        assert requested(call(FULL), None, step) == Request("GET", "patients", "P1", None)

    def test_post_makes_the_record_whatever_the_shadow_says(self) -> None:
        request = requested(call({"title": "Ms."}), SENT, Step.POST)
        assert (request.method, request.body) == ("POST", FULL | {"title": "Ms."})

    def test_put_updates_even_what_the_shadow_does_not_know_or_calls_equal(self) -> None:
        body = {k: v for k, v in FULL.items() if k != "id"}
        assert requested(call(FULL), None, Step.PUT).body == body
        assert requested(call(FULL), SENT, Step.PUT).body == body

    def test_put_leaves_a_record_alone_that_need_only_exist(self) -> None:
        end = settled(call(FULL, interaction=Interaction.CREATE), None, Step.PUT)
        assert end.status is Status.SUPPRESSED


class TestTheAuthority:
    KNOWN = replace(SENT, authority="CITY")

    def test_of_another_issuer_is_a_conflict(self) -> None:
        end = settled(call({"title": "Ms."}, authority="LAKE"), self.KNOWN)
        assert end.status is Status.PARKED
        assert end.cause == Cause(
            CauseKind.CONFLICT_ISSUER, resource="patients", issuer="CITY", other_issuer="LAKE"
        )
        assert end.entity is None

    def test_may_be_named_in_two_ways(self) -> None:
        one = call({"title": "Ms."}, authority="LAKE")
        assert isinstance(decided(one, self.KNOWN, same=[("CITY", "LAKE")]), Request)

    @pytest.mark.parametrize(("known", "named"), [("", "LAKE"), ("CITY", ""), ("CITY", "CITY")])
    def test_is_no_conflict_when_equal_or_unnamed(self, known: str, named: str) -> None:
        entity = replace(SENT, authority=known)
        assert isinstance(decided(call({"title": "Ms."}, authority=named), entity), Request)
        assert learn(entity, call({}, authority=named)).authority == (known or named)

    @pytest.mark.parametrize(
        ("known", "named"),
        [("", "FHIR Patient.id"), ("FHIR Patient.id", ""), ("CITY", "FHIR Patient.id")],
    )
    def test_a_number_made_up_by_a_fhir_server_is_nobodys_hospital_number(
        self, known: str, named: str
    ) -> None:
        entity = replace(SENT, authority=known)
        end = settled(call({"title": "Ms."}, authority=named), entity)
        assert end.status is Status.PARKED
        assert end.cause is not None
        assert end.cause.kind is CauseKind.CONFLICT_ISSUER

    def test_a_resource_known_by_its_reference_is_no_question(self) -> None:
        entity = replace(SENT, authority="FHIR Patient.id")
        linked = replace(call({"title": "Ms."}), references=("Patient/P1",))
        assert isinstance(decided(linked, entity), Request)


class TestAfterARequest:
    def test_what_was_accepted_is_known(self) -> None:
        one = call(FULL | {"remarks": "new"}, "remarks")
        entity = kept(one, None, requested(one, None), Reason.ACCEPTED)
        assert entity is not None
        assert entity.desired == FULL
        assert entity.initial == {"remarks": "new"}
        assert entity.sent == FULL | {"remarks": "new"}

    def test_an_update_is_laid_over_what_was_sent(self) -> None:
        one = call({"title": "Ms."})
        known = replace(SENT, sent=FULL | {"remarks": "new"})
        entity = kept(one, known, requested(one, known), Reason.ACCEPTED)
        assert entity is not None
        assert entity.sent == FULL | {"remarks": "new", "title": "Ms."}

    @pytest.mark.parametrize("reason", [Reason.INVALID, Reason.DUPLICATE, Reason.NO_ANSWER])
    def test_what_was_not_taken_changes_nothing(self, reason: Reason) -> None:
        one = call({"email": "nonsense"})
        assert kept(one, SENT, requested(one, SENT), reason) == SENT
        assert kept(call(FULL), None, requested(call(FULL), None), reason) is None

    @pytest.mark.parametrize("reason", [Reason.NOT_FOUND, Reason.ABSENT])
    def test_a_record_that_is_gone_is_made_again_from_the_fold(self, reason: Reason) -> None:
        one = call({"title": "Ms.", "remarks": "new"}, "remarks")
        known = replace(SENT, initial={"remarks": "first"})
        gone = kept(one, known, requested(one, known), reason)
        assert gone is not None
        assert (gone.sent, gone.desired) == (None, FULL)
        request = requested(one, gone)
        assert request.method == "POST"
        assert request.body == FULL | {"title": "Ms.", "remarks": "new"}

    def test_a_verified_record_holds_what_the_answer_shows(self) -> None:
        one = call(FULL | {"remarks": "new"}, "remarks")
        read = Request("GET", "patients", "P1", None)
        record = {"id": "u-1", **FULL, "remarks": "seen"}
        entity = kept(one, None, read, Reason.FOUND, record)
        assert entity is not None
        assert entity.sent == {name: value for name, value in FULL.items() if name != "id"}

    def test_a_record_that_reads_differently_teaches_nothing_yet(self) -> None:
        one = call({"email": "nonsense"})
        read = Request("GET", "patients", "P1", None)
        assert kept(one, SENT, read, Reason.FOUND, {"email": "asha@example.com"}) == SENT
        assert kept(one, SENT, read, Reason.FOUND, FULL) == SENT
        cleared = call({"title": None})
        known = replace(SENT, desired=FULL | {"title": "Ms."}, sent=FULL | {"title": "Ms."})
        assert kept(cleared, known, read, Reason.FOUND, {"title": "Ms."}) == known

    def test_a_record_that_need_only_exist_is_known_however_it_reads(self) -> None:
        one = call(FULL, interaction=Interaction.CREATE)
        read = Request("GET", "patients", "P1", None)
        entity = kept(one, None, read, Reason.FOUND, {"uhid": 7, "fullName": "A. Rao"})
        assert entity is not None
        assert entity.sent == {"uhid": 7}

    def test_a_create_fills_only_what_nothing_was_said_of(self) -> None:
        waiting = Entity("patients", "P1", desired={"fullName": "Asha Rao"})
        one = call({"fullName": "A. Rao", "uhid": 7}, interaction=Interaction.CREATE)
        assert learn(waiting, one).desired == {"fullName": "Asha Rao", "uhid": 7}

    def test_a_create_leaves_the_facts_that_are_known(self) -> None:
        known = learn(None, replace(call({}), facts={"family": "Nair"}))
        said = replace(
            call({}), interaction=Interaction.CREATE, facts={"family": "Typo", "given": "Uma"}
        )
        assert learn(known, said).facts == {"family": "Nair", "given": "Uma"}

    def test_facts_gather(self) -> None:
        first = learn(None, replace(call({}), facts={"ward": "3", "bed": "1"}))
        assert learn(first, replace(call({}), facts={"bed": "2"})).facts == {
            "ward": "3",
            "bed": "2",
        }


values = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.text(max_size=2), max_size=2)
names = st.sampled_from(["fullName", "title", "email", "remarks", "visited", "tags"])
payloads = st.dictionaries(names, values)


@given(payloads, payloads, payloads)
def test_folding_is_associative(a: Payload, b: Payload, c: Payload) -> None:
    assert fold(fold(a, b), c) == fold(a, fold(b, c))


@given(payloads, payloads)
def test_folding_a_change_twice_is_folding_it_once(a: Payload, b: Payload) -> None:
    assert fold(fold(a, b), b) == fold(a, b)


@given(payloads, payloads)
def test_folding_leaves_its_arguments_alone(a: Payload, b: Payload) -> None:
    before = (dict(a), dict(b))
    fold(a, b)
    assert (a, b) == before


@given(st.lists(payloads, max_size=6))
def test_no_sparser_message_loses_a_field(messages: list[Payload]) -> None:
    """What ZautoAI holds after partial updates is the fold of all messages."""
    entity: Entity | None = None
    remote: Payload | None = None
    stated: Payload = {}
    for message in [FULL, *(m for m in messages if m.get("fullName", "x") is not None)]:
        stated = fold(stated, message)
        request = decided(call(message), entity)
        if isinstance(request, Request):
            assert request.body is not None
            assert request.method == ("POST" if remote is None else "PUT")
            remote = fold(remote or {}, request.body)
        entity = accepted(call(message), entity)
    assert _without_nulls(remote or {}) == _without_nulls(stated)
    assert entity is not None
    assert _without_nulls(entity.sent or {}) == _without_nulls(stated)


@given(st.lists(st.tuples(payloads, st.booleans()), max_size=6))
def test_what_is_only_for_creation_is_never_in_a_put(messages: list[tuple[Payload, bool]]) -> None:
    owned = ("remarks", "visited")
    entity: Entity | None = None
    for message, forced in [(FULL, False), *messages]:
        of = call(message, *owned)
        request = decided(of, entity, Step.PUT if forced else Step.APPLY)
        if isinstance(request, Request) and request.method == "PUT":
            assert request.body is not None
            assert not request.body.keys() & {"id", *owned}
        entity = accepted(of, entity)


@given(payloads)
def test_the_same_message_again_needs_no_call(message: Payload) -> None:
    of = call(FULL | message, "remarks")
    entity = accepted(of, accepted(of, None))
    again = decided(of, entity)
    assert isinstance(again, Settled)


def _without_nulls(payload: Payload) -> Payload:
    return {name: value for name, value in payload.items() if value is not None}
