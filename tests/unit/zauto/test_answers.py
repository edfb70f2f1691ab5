"""Every row of the state table that an answer of ZautoAI decides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery import FieldError, Kind, NetworkFault, Outcome, Reason, Request
from bridge.message import Verdict
from bridge.zauto.answers import Answer, Failure, judge, judge_page

NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"

GET = Request("GET", "patients", "P1", None)
POST = Request("POST", "patients", "P1", {"id": "P1"})
PUT = Request("PUT", "patients", "P1", {"fullName": "Asha Rao"})


def answer(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers or {}, raw, complete=True)


def success(external_id: object = "P1", **fields: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"id": "u-1", "externalId": external_id, **fields}}


def error(code: str | None, *errors: dict[str, str]) -> dict[str, Any]:
    body = {"status": "error", "message": "No", "errors": list(errors)}
    return body | ({"errorCode": code} if code else {})


def judged(request: Request, given: Answer | Failure) -> Outcome:
    return judge(request, given, now=NOW)


def row(request: Request, given: Answer | Failure) -> tuple[Kind, Reason]:
    outcome = judged(request, given)
    return outcome.kind, outcome.reason


@pytest.mark.parametrize(("request_", "status"), [(POST, 201), (POST, 200), (PUT, 200)])
def test_success_about_our_record_is_delivered(request_: Request, status: int) -> None:
    outcome = judged(request_, answer(status, success(fullName="Asha Rao")))
    assert (outcome.kind, outcome.reason) == (Kind.DELIVERED, Reason.ACCEPTED)
    assert outcome.status == status
    assert outcome.record == {"id": "u-1", "externalId": "P1", "fullName": "Asha Rao"}
    assert outcome.verdict is None


def test_a_record_that_was_read_is_found() -> None:
    outcome = judged(GET, answer(200, success(uhid=7)))
    assert (outcome.kind, outcome.reason) == (Kind.DELIVERED, Reason.FOUND)
    assert outcome.record is not None
    assert outcome.record["uhid"] == 7


def test_an_external_id_that_is_all_digits_may_come_as_a_number() -> None:
    request = Request("POST", "patients", "123", {})
    assert row(request, answer(201, success(123))) == (Kind.DELIVERED, Reason.ACCEPTED)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Welcome</body></html>",
        b'{"status": "success", "data": {"externalId": "P1"',
        b"[]",
        b"\xff\xfe",
        {"status": "error", "data": {"externalId": "P1"}},
        {"status": "success"},
        {"status": "success", "data": None},
        {"status": "success", "data": [{"externalId": "P1"}]},
        {"status": "success", "data": {"id": "P1"}},
        error("DUPLICATE_EXTERNAL_ID"),
    ],
)
def test_success_that_cannot_be_read_leaves_the_effect_unknown(body: Any) -> None:
    assert row(POST, answer(200, body)) == (Kind.UNKNOWN, Reason.UNREADABLE_ANSWER)


def test_success_with_a_body_that_was_cut_is_unknown_even_when_it_parses() -> None:
    cut = Answer(200, {}, json.dumps(success()).encode(), complete=False)
    assert row(POST, cut) == (Kind.UNKNOWN, Reason.UNREADABLE_ANSWER)


@pytest.mark.parametrize("request_", [GET, POST, PUT])
def test_success_about_another_record_is_the_wrong_record(request_: Request) -> None:
    outcome = judged(request_, answer(200, success("P2")))
    assert (outcome.kind, outcome.reason) == (Kind.PERMANENT, Reason.WRONG_RECORD)
    assert outcome.verdict is Verdict.ZAUTO


@pytest.mark.parametrize(
    ("failure", "kind", "reason", "fault"),
    [
        (Failure.REFUSED, Kind.TRANSIENT, Reason.UNREACHABLE, NetworkFault.REFUSED),
        (Failure.DNS, Kind.TRANSIENT, Reason.UNREACHABLE, NetworkFault.DNS),
        (Failure.TLS, Kind.TRANSIENT, Reason.UNREACHABLE, NetworkFault.TLS),
        (Failure.CONNECT_TIMEOUT, Kind.TRANSIENT, Reason.UNREACHABLE, NetworkFault.TIMEOUT),
        (Failure.UNREACHABLE, Kind.TRANSIENT, Reason.UNREACHABLE, NetworkFault.CLOSED),
        (Failure.CERTIFICATE, Kind.TRANSIENT, Reason.CERTIFICATE, NetworkFault.TLS),
        (Failure.NO_ANSWER, Kind.UNKNOWN, Reason.NO_ANSWER, NetworkFault.TIMEOUT),
        (Failure.CLOSED, Kind.UNKNOWN, Reason.NO_ANSWER, NetworkFault.CLOSED),
    ],
)
def test_no_response_says_whether_anything_was_sent_and_what_failed(
    failure: Failure, kind: Kind, reason: Reason, fault: NetworkFault
) -> None:
    outcome = judged(PUT, failure)
    assert (outcome.kind, outcome.reason, outcome.status) == (kind, reason, None)
    assert outcome.fault is fault
    assert outcome.verdict is Verdict.NETWORK


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (500, Reason.SERVER_ERROR),
        (503, Reason.SERVER_ERROR),
        (599, Reason.SERVER_ERROR),
        (502, Reason.NO_ANSWER),
        (504, Reason.NO_ANSWER),
        (301, Reason.REDIRECTED),
        (307, Reason.REDIRECTED),
    ],
)
def test_trouble_at_the_server_leaves_the_effect_unknown(status: int, reason: Reason) -> None:
    assert row(POST, answer(status, b"<html>")) == (Kind.UNKNOWN, reason)


@pytest.mark.parametrize(
    "given", [Failure.NO_ANSWER, answer(500), answer(502), answer(302), answer(200)]
)
def test_a_read_is_never_unknown(given: Answer | Failure) -> None:
    assert judged(GET, given).kind is Kind.TRANSIENT


def test_a_server_error_is_tried_again_when_it_says() -> None:
    assert judged(PUT, answer(503, b"", {"retry-after": "17"})).retry_after == 17
    at = {"retry-after": "Fri, 15 Jan 2027 08:02:00 GMT", "date": DATE}
    assert judged(PUT, answer(503, b"", at)).retry_after == 120
    epoch = {"retry-after": "1800000017", "date": DATE}
    assert judged(PUT, answer(503, b"", epoch)).retry_after == 17
    assert judged(PUT, answer(503)).retry_after is None


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
def test_a_missing_referent_is_known_by_its_code_whatever_the_status(status: int) -> None:
    body = error(
        "REFERENCED_RESOURCE_NOT_FOUND", {"field": "patientId", "message": "does not exist"}
    )
    outcome = judged(POST, answer(status, body))
    assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.REFERENT_MISSING)
    assert outcome.field_errors == (FieldError("patientId", "does not exist"),)


@pytest.mark.parametrize(
    ("request_", "status", "body", "kind", "reason"),
    [
        (POST, 409, error("DUPLICATE_EXTERNAL_ID"), Kind.PERMANENT, Reason.DUPLICATE),
        (POST, 400, error("DUPLICATE_EXTERNAL_ID"), Kind.PERMANENT, Reason.DUPLICATE),
        (POST, 409, b"", Kind.PERMANENT, Reason.DUPLICATE),
        (POST, 409, error("SOMETHING_ELSE"), Kind.PERMANENT, Reason.UNEXPECTED),
        (PUT, 409, error("DUPLICATE_EXTERNAL_ID"), Kind.PERMANENT, Reason.UNEXPECTED),
        (PUT, 404, error("RESOURCE_NOT_FOUND"), Kind.PERMANENT, Reason.NOT_FOUND),
        (GET, 404, error("RESOURCE_NOT_FOUND"), Kind.PERMANENT, Reason.ABSENT),
        (POST, 404, error("RESOURCE_NOT_FOUND"), Kind.PERMANENT, Reason.UNEXPECTED),
        (PUT, 404, b"<html>", Kind.UNKNOWN, Reason.NOT_THE_API),
        (GET, 404, error(None), Kind.TRANSIENT, Reason.NOT_THE_API),
        (GET, 405, b"", Kind.TRANSIENT, Reason.NOT_THE_API),
        (PUT, 400, error("VALIDATION_FAILED"), Kind.PERMANENT, Reason.INVALID),
        (PUT, 422, error("VALIDATION_FAILED"), Kind.PERMANENT, Reason.INVALID),
        (PUT, 400, b"bad", Kind.PERMANENT, Reason.INVALID),
        (PUT, 401, error("INVALID_TOKEN"), Kind.TRANSIENT, Reason.UNAUTHORIZED),
        (PUT, 403, error("INVALID_TOKEN"), Kind.TRANSIENT, Reason.UNAUTHORIZED),
        (PUT, 401, b"", Kind.TRANSIENT, Reason.UNAUTHORIZED),
        (PUT, 403, error(None), Kind.TRANSIENT, Reason.FORBIDDEN),
        (PUT, 429, b"", Kind.TRANSIENT, Reason.LIMITED),
        (PUT, 503, error("RATE_LIMIT_EXCEEDED"), Kind.TRANSIENT, Reason.LIMITED),
        (PUT, 418, b"", Kind.PERMANENT, Reason.UNEXPECTED),
        (POST, 413, b"", Kind.PERMANENT, Reason.UNEXPECTED),
    ],
)
def test_the_error_code_decides_and_the_status_second(
    request_: Request, status: int, body: Any, kind: Kind, reason: Reason
) -> None:
    outcome = judged(request_, answer(status, body))
    assert (outcome.kind, outcome.reason) == (kind, reason)
    assert outcome.status == status
    assert outcome.verdict is not None


def test_refused_fields_are_named() -> None:
    body = error("VALIDATION_FAILED", {"field": "phoneNumber", "message": "is required"})
    outcome = judged(POST, answer(400, body))
    assert outcome.field_errors == (FieldError("phoneNumber", "is required"),)
    assert outcome.detail == "VALIDATION_FAILED: No"


@pytest.mark.parametrize(
    "errors", [None, "phone", {"field": "x"}, [None, 3, "x"], [{"field": None}]]
)
def test_odd_field_errors_do_no_harm(errors: Any) -> None:
    body = error("VALIDATION_FAILED") | {"errors": errors}
    assert row(POST, answer(400, body)) == (Kind.PERMANENT, Reason.INVALID)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset": "1800000090", "date": DATE}, 90),
        # our clock is an hour off; the server's own Date decides
        ({"x-ratelimit-reset": "1800003690", "date": "Fri, 15 Jan 2027 09:00:00 GMT"}, 90),
        ({"x-ratelimit-reset": "1800000090"}, 90),
        ({"x-ratelimit-reset": "1800000090000", "date": DATE}, 90),
        ({"x-ratelimit-reset": "45", "date": DATE}, 45),
        ({"x-ratelimit-reset": "1799999000", "date": DATE}, 1),
        ({"x-ratelimit-reset": "1900000000", "date": DATE}, 3600),
        ({"x-ratelimit-reset": "1800000090", "date": "yesterday"}, 90),
        ({"x-ratelimit-reset": "soon", "date": DATE}, 60),
        ({"x-ratelimit-reset": "-5"}, 60),
        ({"x-ratelimit-reset": "nan"}, 60),
        ({"retry-after": "12"}, 12),
        # an epoch in its place, which RFC 9110 does not have
        ({"retry-after": "1800000003", "date": DATE}, 3),
        ({"retry-after": "1800003603", "date": "Fri, 15 Jan 2027 09:00:00 GMT"}, 3),
        ({"retry-after": "1800000003000", "date": DATE}, 3),
        ({"retry-after": "1800000003"}, 3),
        ({"retry-after": "1799999000", "date": DATE}, 1),
        ({"retry-after": "1900000000", "date": DATE}, 3600),
        ({"retry-after": "soon"}, 60),
        ({}, 60),
    ],
)
def test_the_limit_says_when_by_the_servers_own_clock(
    headers: dict[str, str], seconds: float
) -> None:
    outcome = judged(POST, answer(429, error("RATE_LIMIT_EXCEEDED"), headers))
    assert outcome.retry_after == seconds
    assert outcome.verdict is Verdict.LIMIT


@given(
    status=st.integers(100, 599),
    body=st.one_of(
        st.binary(max_size=50),
        st.recursive(
            st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["status", "data", "errorCode", "errors", "externalId"]), inner
                )
            ),
        ),
    ),
    headers=st.dictionaries(
        st.sampled_from(["date", "retry-after", "x-ratelimit-reset"]), st.text(max_size=30)
    ),
    request_=st.sampled_from([GET, POST, PUT]),
)
def test_any_answer_is_judged(
    status: int, body: Any, headers: dict[str, str], request_: Request
) -> None:
    outcome = judged(request_, answer(status, body, headers))
    assert (outcome.verdict is None) == (outcome.kind is Kind.DELIVERED)
    assert outcome.retry_after is None or 1 <= outcome.retry_after <= 3600
    assert len(outcome.detail) <= 500


class TestAPageOfAList:
    """Where a record cannot be read by its id it is looked for in the list."""

    def page(self, *ids: object, more: bool = False) -> dict[str, Any]:
        data = [{"id": f"u-{number}", "externalId": number} for number in ids]
        return {"status": "success", "data": data, "pagination": {"hasNext": more}}

    def judged(self, given: Answer | Failure) -> tuple[Kind, Reason] | None:
        outcome = judge_page(Request("GET", "patients", "7", None, True), given, now=NOW)
        return None if outcome is None else (outcome.kind, outcome.reason)

    @pytest.mark.parametrize("number", ["7", 7])
    def test_that_has_it_is_found(self, number: object) -> None:
        found = self.judged(answer(200, self.page("77", number, "17", more=True)))
        assert found == (Kind.DELIVERED, Reason.FOUND)

    def test_without_it_is_followed_by_the_next(self) -> None:
        assert self.judged(answer(200, self.page("77", more=True))) is None

    def test_without_it_and_without_a_next_shows_it_absent(self) -> None:
        assert self.judged(answer(200, self.page("77"))) == (Kind.PERMANENT, Reason.ABSENT)

    @pytest.mark.parametrize(
        "given",
        [
            answer(200, b"<html>"),
            answer(200, {"status": "success", "data": {"items": []}}),
            answer(200, {"status": "error", "data": []}),
            Answer(200, {}, b'{"status": "success", "data": []}', complete=False),
            answer(404, b"<html>"),
            answer(500),
            Failure.NO_ANSWER,
        ],
    )
    def test_that_cannot_be_read_never_shows_it_absent(self, given: Answer | Failure) -> None:
        judged = self.judged(given)
        assert judged is not None
        assert judged[0] is Kind.TRANSIENT
