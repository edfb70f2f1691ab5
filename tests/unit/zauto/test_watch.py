"""What does not fit ZautoAI's document is counted, told without values, and breaks nothing."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.shipped import mappings_folder
from bridge.zauto.answers import Answer
from bridge.zauto.catalogue import load
from bridge.zauto.watch import MOST, NOTE_EVERY, ContractWatch, Oddity, read

CATALOGUE = load(mappings_folder() / "zauto")
PATIENT = {
    "id": "uuid",
    "externalId": "P1",
    "uhid": 4711,
    "fullName": "Meera Nair",
    "phoneNumber": "+919845000001",
    "dateOfBirth": "1984-07-12",
    "visited": False,
    "address": None,
    "createdAt": "2024-01-15T10:30:00Z",
}
VISIT = {
    "id": "uuid",
    "externalId": "V1",
    "patientId": "P1",
    "visitDateTime": "2026-03-01T04:30:00.000Z",
    "status": "IN_QUEUE",
}


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, raw, complete=True)


def success(data: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "message": "OK", "data": data, **more}


def error(code: Any) -> dict[str, Any]:
    return {"status": "error", "message": "No", "errorCode": code, "timestamp": "2024"}


def seen(given: Answer, resource: str = "patients") -> list[tuple[str, str]]:
    watch = ContractWatch(CATALOGUE, (1000, 100))
    watch.show(resource, given, 1.0)
    return [(each.what, each.where) for each in watch.seen()]


@pytest.mark.parametrize(
    ("given", "resource"),
    [
        (answer(success(PATIENT), 201, x_ratelimit_limit="1000"), "patients"),
        (answer(success([PATIENT], pagination={"totalCount": 1})), "patients"),
        (answer(success(VISIT)), "patient-visits"),
        (answer(success(None)), "patients"),
        (answer(error("VALIDATION_FAILED"), 400, x_ratelimit_limit="100"), "patients"),
        (answer({"status": "error", "message": "No"}, 403), "patients"),
        (answer({"access_token": "t"}, x_ratelimit_limit="1000"), ""),
    ],
)
def test_what_the_document_says_is_not_odd(given: Answer, resource: str) -> None:
    assert seen(given, resource) == []


@pytest.mark.parametrize(
    ("given", "what", "where"),
    [
        (answer(error(None), 418), Oddity.STATUS, "418"),
        (answer(error("PATIENT_LOCKED"), 409), Oddity.CODE, "PATIENT_LOCKED"),
        (answer(success(PATIENT, requestId="x")), Oddity.FIELD, "envelope.requestId"),
        (answer(success({**PATIENT, "nickName": "M"})), Oddity.FIELD, "patients.nickName"),
        (answer(success([{"nickName": "M"}])), Oddity.FIELD, "patients.nickName"),
        (answer(success({**PATIENT, "uhid": "4711"})), Oddity.TYPE, "patients.uhid is string"),
        (answer(success({**PATIENT, "uhid": True})), Oddity.TYPE, "patients.uhid is boolean"),
        (answer(success({**PATIENT, "email": {}})), Oddity.TYPE, "patients.email is object"),
        (answer(success({"dateOfBirth": "12/07/1984"})), Oddity.FORM, "patients.dateOfBirth"),
        (answer(success(PATIENT), x_ratelimit_limit="500"), Oddity.LIMIT, "X-RateLimit-Limit 500"),
        (answer(b"<html>", 200), Oddity.BODY, "200"),
        (answer({"ok": True}), Oddity.BODY, "200"),
    ],
)
def test_what_it_does_not_say_is(given: Answer, what: Oddity, where: str) -> None:
    assert seen(given) == [(what, where)]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"status": "ARRIVED"}, (Oddity.VALUE, "patient-visits.status")),
        ({"visitDateTime": "2026-03-01 04:30"}, (Oddity.FORM, "patient-visits.visitDateTime")),
        ({"patient": {"fullName": "Meera"}}, (Oddity.FIELD, "patient-visits.patient")),
    ],
)
def test_a_visit_too(change: dict[str, Any], found: tuple[str, str]) -> None:
    assert seen(answer(success({**VISIT, **change})), "patient-visits") == [found]


@pytest.mark.parametrize("name", ["9845000001", "Meera Nair", "patient4711", "", "a" * 60])
def test_a_name_that_could_be_a_value_is_not_told(name: str) -> None:
    assert seen(answer(success({name: 1}))) == [(Oddity.FIELD, "patients.(no name)")]
    assert seen(answer(error(name), 400)) == [(Oddity.CODE, "(no name)")]


def test_it_is_counted_with_first_and_last_time() -> None:
    watch = ContractWatch(CATALOGUE)
    for now in (10.0, 20.0, 30.0):
        watch.show("patients", answer(error("PATIENT_LOCKED"), 409), now)
    (found,) = watch.seen()
    assert (found.count, found.first_at, found.last_at) == (3, 10.0, 30.0)


def test_however_many_there_are_few_are_told_apart() -> None:
    watch = ContractWatch(CATALOGUE)
    names = [f"a{'bcdefghij'[n // 10 % 9]}{'klmnopqrst'[n % 10]}{n // 90}" for n in range(3 * MOST)]
    for name in names:
        watch.show("patients", answer(success({name: 1})), 1.0)
    assert len(watch.seen()) == MOST + 1
    assert sum(each.count for each in watch.seen()) == 3 * MOST


def test_it_is_noted_when_new_and_then_from_time_to_time_and_read_again() -> None:
    watch, odd = ContractWatch(CATALOGUE), answer(error("PATIENT_LOCKED"), 409)
    assert watch.dump(1_000.0) is None
    watch.show("patients", odd, 1_000.0)
    assert watch.dump(1_000.0) is not None
    watch.show("patients", odd, 1_001.0)
    assert watch.dump(1_002.0) is None
    noted = watch.dump(1_000.0 + NOTE_EVERY)
    assert noted is not None
    assert watch.dump(1_000.0 + 2 * NOTE_EVERY) is None
    again = ContractWatch(CATALOGUE)
    again.restore(noted)
    again.show("patients", odd, 2_000.0)
    assert [(each.count, each.first_at) for each in again.seen()] == [(3, 1_000.0)]
    assert read(noted)[0].where == "PATIENT_LOCKED"


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False)
    | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "data", "errorCode", "uhid", "fullName", "visitDateTime"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(
    body=_json.map(orjson.dumps) | st.binary(max_size=20),
    data=_json,
    status=st.integers(100, 599),
    resource=st.sampled_from(["", *CATALOGUE.resources]),
    limit=st.text(max_size=5),
)
def test_no_answer_breaks_it(
    body: bytes, data: Any, status: int, resource: str, limit: str
) -> None:
    watch = ContractWatch(CATALOGUE, (1000,))
    watch.show(resource, answer(body, status, x_ratelimit_limit=limit), 1.0)
    watch.show(resource, answer(success(data), status), 1.0)
    watch.dump(100.0)
