from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.delivery import Kind, Outcome, Reason
from bridge.message import Verdict
from bridge.zauto.answers import Answer, Failure
from bridge.zauto.token import Credentials, Token, grants, judge_token, postponed

CREDENTIALS = Credentials("zauto_city_00000000", "zauto_secret")
GRANTED = {"access_token": "a", "token_type": "bearer", "expires_in": 3600, "refresh_token": "r"}


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers or {}, raw, complete=True)


def judged(given: Answer | Failure) -> Token | Outcome:
    return judge_token(given, asked_at=100.0, now=1_800_000_000.0)


def token(given: Answer) -> Token:
    granted = judged(given)
    assert isinstance(granted, Token)
    return granted


def refusal(given: Answer | Failure) -> Outcome:
    outcome = judged(given)
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_token_is_renewed_a_minute_before_it_ends() -> None:
    granted = token(answer(200, GRANTED))
    assert granted == Token("a", "r", renew_at=100 + 3540, ends_at=100 + 3600)


@pytest.mark.parametrize(
    ("expires_in", "renew_at"),
    [(90, 145), (None, 3640), ("soon", 3640), (-1, 3640), (True, 3640), (1800.0, 1840)],
)
def test_odd_lifetimes_are_read_sanely(expires_in: Any, renew_at: float) -> None:
    assert token(answer(200, GRANTED | {"expires_in": expires_in})).renew_at == renew_at


def test_the_first_token_is_asked_for_with_the_credentials() -> None:
    assert grants(None, CREDENTIALS) == [
        {
            "grant_type": "client_credentials",
            "client_id": "zauto_city_00000000",
            "client_secret": "zauto_secret",
        }
    ]


def test_a_refresh_token_is_tried_before_the_credentials() -> None:
    tries = grants(token(answer(200, GRANTED)), CREDENTIALS)
    assert [body["grant_type"] for body in tries] == ["refresh_token", "client_credentials"]
    assert tries[0]["refresh_token"] == "r"


def test_without_a_refresh_token_the_credentials_are_asked_with() -> None:
    tries = grants(token(answer(200, {"access_token": "a"})), CREDENTIALS)
    assert [body["grant_type"] for body in tries] == ["client_credentials"]


def test_a_token_that_could_not_be_renewed_is_used_on_and_tried_again_without_refresh() -> None:
    kept = postponed(token(answer(200, GRANTED)), 3650.0)
    assert (kept.access, kept.refresh, kept.ends_at) == ("a", None, 3700.0)
    assert 3650.0 < kept.renew_at < kept.ends_at


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("body", [{"error": "invalid_client"}, b"", {"status": "error"}])
def test_refused_credentials_are_named_as_such(status: int, body: Any) -> None:
    outcome = refusal(answer(status, body))
    assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.BAD_CREDENTIALS)
    assert outcome.verdict is Verdict.BRIDGE


def test_what_the_server_says_of_refused_credentials_is_kept() -> None:
    body = {"error": "invalid_client", "error_description": "unknown client"}
    assert refusal(answer(401, body)).detail == "invalid_client: unknown client"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", [], {}, {"access_token": ""}, {"access_token": 7}, {"access_token": "a\nb"}],
)
def test_a_success_without_a_usable_token_is_unexpected(body: Any) -> None:
    outcome = refusal(answer(200, body))
    assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, Reason.UNEXPECTED)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Failure.UNREACHABLE, Reason.UNREACHABLE),
        (Failure.NO_ANSWER, Reason.UNREACHABLE),
        (Failure.CLOSED, Reason.UNREACHABLE),
        (Failure.REFUSED, Reason.UNREACHABLE),
        (Failure.DNS, Reason.UNREACHABLE),
        (Failure.CERTIFICATE, Reason.CERTIFICATE),
        (answer(500, b""), Reason.SERVER_ERROR),
        (answer(504, b""), Reason.NO_ANSWER),
        (answer(404, b""), Reason.NOT_THE_API),
        (answer(302, b""), Reason.REDIRECTED),
        (answer(429, b"", {"x-ratelimit-reset": "30"}), Reason.LIMITED),
    ],
)
def test_without_a_token_the_request_had_no_effect(given: Answer | Failure, reason: Reason) -> None:
    outcome = refusal(given)
    assert (outcome.kind, outcome.reason) == (Kind.TRANSIENT, reason)
    assert reason is not Reason.LIMITED or outcome.retry_after == 30


def test_secrets_are_not_shown() -> None:
    shown = repr(token(answer(200, GRANTED | {"access_token": "hush", "refresh_token": "psst"})))
    assert "hush" not in shown
    assert "psst" not in shown
    assert "zauto_secret" not in repr(CREDENTIALS)
