"""The law of delivery: whatever fails on the way, all ends, and ends as the messages said."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.delivery import Call, Delivery, Interaction, Payload
from bridge.message import Status
from tests.unit.pipeline.bench import CATALOGUE, Bench, a_call, a_patient, a_provider, a_visit
from tests.unit.pipeline.remote import QUIET, Fault

#: requests in a row of one record that may fail: fewer than make it poison
MOST_FAULTS = 6
#: nothing here is about the disk, and hundreds of stores on one would take minutes
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
#: virtual seconds within which everything must have ended
A_DAY = 86_400.0

_PATIENTS = ("P1", "P2")
#: whose each visit is; most stories are about one
_VISITS = {"V1": "P1", "V2": "P1", "V3": "P2"}
_OFTEN = ("V1", "V1", "V1", "V1", "V2", "V3")
_PROVIDERS = ("D1", "D2")
#: what goes wrong more often than once in fourteen times
_FAULTS = (*Fault, *[Fault.NONE] * 6, *[Fault.LATE] * 6, *[Fault.INVALID] * 4, Fault.LOST)

_ABSENT: st.SearchStrategy[Payload] = st.just({})


def _maybe(name: str, *values: Any) -> st.SearchStrategy[Payload]:
    return st.one_of(_ABSENT, *(st.just({name: value}) for value in values))


def _all(*parts: st.SearchStrategy[Payload]) -> st.SearchStrategy[Payload]:
    return st.tuples(*parts).map(lambda found: {k: v for part in found for k, v in part.items()})


@st.composite
def _patient(draw: st.DrawFn, number: str) -> Call:
    payload = draw(
        _all(
            st.just({"id": number, "uhid": 100 + _PATIENTS.index(number)}),
            st.sampled_from(["Meera Nair", "Meera Nair Menon"]).map(lambda n: {"fullName": n}),
            _maybe("phoneNumber", "+919845000001", "+919845000002"),
            _maybe("address", "12 Lake Road", "7 Hill View", None),
            _maybe("remarks", "first", "second"),
        )
    )
    return a_call("patients", number, payload, create_only=frozenset({"remarks"}))


@st.composite
def _message(draw: st.DrawFn) -> tuple[Call, ...]:
    """The calls of a message: a patient alone, with a visit, or a visit alone."""
    visit_id = draw(st.sampled_from(_OFTEN))
    patient_id = _VISITS[visit_id]
    calls: list[Call] = []
    if draw(st.integers(0, 4)):
        calls.append(draw(_patient(patient_id)))
    alone = draw(st.booleans())
    if calls and alone:
        return tuple(calls)
    doctor = draw(st.sampled_from(["", *_PROVIDERS]))
    payload = draw(
        _all(
            _maybe("providerId", doctor) if doctor else _maybe("providerId", None),
            _maybe("purposeOfVisit", "Fever", "Follow-up", None),
        )
    )
    if payload.get("providerId") and draw(st.integers(0, 4)):
        calls.append(a_provider(doctor))
    return (*calls, a_visit(visit_id, patient_id, **payload))


@dataclass(frozen=True)
class Story:
    """What comes in, and what goes wrong."""

    messages: list[tuple[Call, ...]]
    #: looks for work, each with the seconds after it, between one message and the next
    looks: list[list[float]]
    faults: list[Fault]
    #: records ZautoAI has before
    there: list[Call] = field(default_factory=list)
    #: after which message ZautoAI forgets everything
    wiped_after: int | None = None


_STORIES = st.builds(
    Story,
    messages=st.lists(_message(), min_size=2, max_size=8),
    looks=st.lists(st.lists(st.sampled_from([0.0, 1.0, 61.0]), max_size=3), min_size=8, max_size=8),
    faults=st.lists(st.sampled_from(_FAULTS), max_size=MOST_FAULTS * 3),
    there=st.lists(
        st.sampled_from([a_patient("P1", uhid=100), a_provider("D1", fullName="Dr. Other Name")]),
        max_size=2,
        unique_by=lambda call: call.external_id,
    ),
)
_WIPED = st.builds(
    lambda story, after: Story(story.messages, story.looks, story.faults, [], after),
    _STORIES,
    st.integers(0, 7),
)


class Told:
    """A story as it was told, with everything that is left of it."""

    def __init__(self, bench: Bench, ids: list[int]) -> None:
        self.bench = bench
        self.ids = ids
        self.deliveries = bench.deliveries(ids)

    def of(self, key: tuple[str, str]) -> list[Delivery]:
        return [d for d in self.deliveries if (d.call.resource, d.call.external_id) == key]


def _tell(story: Story) -> Told:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        return asyncio.run(_told(story, Path(folder)))


async def _told(story: Story, folder: Path) -> Told:
    bench = Bench(folder, concurrency=3)
    bench.remote.records = {(c.resource, c.external_id): dict(c.payload) for c in story.there}
    bench.remote.faults = iter(story.faults)
    started, ids = bench.clock(), []
    try:
        for number, (calls, looks) in enumerate(zip(story.messages, story.looks, strict=False)):
            ids.append(await bench.plan(*calls))
            for seconds in looks:
                await bench.look()
                bench.clock.now += seconds
            if story.wiped_after == number:
                bench.remote.wipe()
        # in the end every patient is registered wholly, so nothing has a reason to be held
        ids += [await bench.plan(p) for p in _whole_patients()]
        ids += [await bench.plan(a_provider(number)) for number in _PROVIDERS]
        await bench.finish()
        assert bench.clock() - started < A_DAY
        bench.clock.now += QUIET
        bench.remote.catch_up()
        return Told(bench, ids)
    finally:
        await bench.store.close()


def _whole_patients() -> list[Call]:
    return [a_patient(number, uhid=100 + _PATIENTS.index(number)) for number in _PATIENTS]


def _taken(delivery: Delivery) -> bool:
    """Whether it holds in the end; what was incomplete is carried by a later one."""
    return delivery.status is not Status.PARKED or delivery.reason.startswith("incomplete")


def _fold(deliveries: list[Delivery]) -> Payload:
    """An independent fold: what all that was taken says together."""
    held: Payload = {}
    for delivery in filter(_taken, deliveries):
        call = delivery.call
        stated = {n: v for n, v in call.payload.items() if n not in call.create_only}
        held = {**stated, **held} if call.interaction is Interaction.CREATE else {**held, **stated}
    return {name: value for name, value in held.items() if value is not None}


def _without(record: Payload, *names: str) -> Payload:
    return {name: value for name, value in record.items() if name not in names}


_slow = settings(
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@_slow
@given(_STORIES)
def test_all_ends_as_the_messages_said(story: Story) -> None:
    told = _tell(story)
    _check_records(told)
    _check_order(told)
    _check_delivered(told)
    _check_held(told)
    assert told.bench.budget.state(told.bench.clock()).used == 0


def _check_records(told: Told) -> None:
    """What ZautoAI holds is the fold of what was taken, and was created once."""
    for key, record in told.bench.remote.records.items():
        deliveries = told.of(key)
        if key[0] == "providers":
            assert record["fullName"] in {"Dr. Anand Rao", "Dr. Other Name"}
        elif any(d.status is Status.DELIVERED for d in deliveries):
            assert _without(record, "remarks", "status") == _fold(deliveries)
    assert max(told.bench.remote.creations.values(), default=0) <= 1


def _check_order(told: Told) -> None:
    """A lane has one request under way, and a record never goes back to an earlier message."""
    assert told.bench.end.most_in_a_lane <= 1
    for written in told.bench.end.writers.values():
        assert written == sorted(written)


def _check_delivered(told: Told) -> None:
    for delivery in told.deliveries:
        assert delivery.status is not Status.WAITING
        if delivery.status in (Status.DELIVERED, Status.SUPPRESSED, Status.SUPERSEDED):
            assert (delivery.call.resource, delivery.call.external_id) in told.bench.remote.records


def _check_held(told: Told) -> None:
    """Held is left only what waits for a record that itself was parked."""
    parked = {
        f"{d.call.resource}/{d.call.external_id}"
        for d in told.deliveries
        if d.status is Status.PARKED
    }
    for delivery in told.deliveries:
        if delivery.status is Status.HELD:
            assert delivery.waits_for in parked


@_slow
@given(_WIPED)
def test_a_wiped_far_end_heals(story: Story) -> None:
    told = _tell(story)
    remote = told.bench.remote
    for key, record in remote.records.items():
        if key[0] == "patients":
            assert _without(record, "remarks") == _fold(told.of(key))
        for name, referent in CATALOGUE[key[0]].referents().items():
            assert name not in record or (referent, str(record[name])) in remote.records
    assert max(remote.creations.values(), default=0) <= 1
