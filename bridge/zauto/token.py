"""The access token: what to ask for, how long it is good, and what a refusal means.

Answers are read as RFC 6749 has them (5.1 and 5.2); the vendor's document shows the first and is
silent on the second. Times are of a monotonic clock: a wall clock that is set does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.delivery import Kind, NetworkFault, Outcome, Reason
from bridge.message import Verdict
from bridge.zauto.answers import FAULTS, Answer, Failure, json_object, refused

#: seconds before its end in which a token is renewed
MARGIN = 60.0
#: assumed where `expires_in` is missing or odd; the documented value
LIFETIME = 3600.0
_LONGEST = 30 * 86_400.0
#: seconds between tries to renew a token that is still good
_AGAIN = 15.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token in memory; it is never written down."""

    access: str = field(repr=False)
    #: None once it was used, or when none was given
    refresh: str | None = field(repr=False)
    #: monotonic seconds
    renew_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class Credentials:
    """What ZautoAI gave this hospital."""

    client_id: str
    client_secret: str = field(repr=False)


#: the token endpoint did not answer: the request that wanted a token was not sent
NO_TOKEN = Outcome(
    Kind.TRANSIENT,
    Reason.UNREACHABLE,
    detail="no answer to the token request",
    verdict=Verdict.NETWORK,
    fault=NetworkFault.TIMEOUT,
)


def grants(token: Token | None, credentials: Credentials) -> Sequence[Mapping[str, str]]:
    """Bodies to post until one is granted: the refresh token, then the credentials."""
    client = {
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }
    anew = {"grant_type": "client_credentials", **client}
    if token is None or token.refresh is None:
        return [anew]
    # No refresh endpoint is documented although a refresh token is given: try, do not rely on it.
    return [{"grant_type": "refresh_token", "refresh_token": token.refresh, **client}, anew]


def postponed(token: Token, now: float) -> Token:
    """A token that could not be renewed, to be used until it ends while renewal is tried again."""
    return replace(token, refresh=None, renew_at=now + _AGAIN)


def judge_token(answer: Answer | Failure, *, asked_at: float, now: float) -> Token | Outcome:
    """The token granted, or why a request cannot be made.

    `asked_at` is monotonic, `now` in epoch seconds. The outcome is TRANSIENT whatever went wrong
    here: the request that wanted the token was not sent.
    """
    if isinstance(answer, Failure):
        return _not_asked(answer)
    if 200 <= answer.status < 300:
        return _granted(json_object(answer), asked_at) or _unreadable(answer)
    if answer.status in (400, 401, 403):
        return _bad_credentials(answer)
    return replace(refused("POST", answer, now), kind=Kind.TRANSIENT)


def _not_asked(failure: Failure) -> Outcome:
    reason = Reason.CERTIFICATE if failure is Failure.CERTIFICATE else NO_TOKEN.reason
    return replace(NO_TOKEN, reason=reason, fault=FAULTS[failure])


def _granted(body: Mapping[str, Any], asked_at: float) -> Token | None:
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not isinstance(access, str) or not _fits_a_header(access):
        return None
    lifetime = _lifetime(body.get("expires_in"))
    return Token(
        access=access,
        refresh=refresh if isinstance(refresh, str) else None,
        renew_at=asked_at + max(lifetime - MARGIN, lifetime / 2),
        ends_at=asked_at + lifetime,
    )


def _fits_a_header(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _lifetime(seconds: object) -> float:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds <= 0:
        return LIFETIME
    return min(float(seconds), _LONGEST)


def _bad_credentials(answer: Answer) -> Outcome:
    body = json_object(answer)
    said = [str(body[key]) for key in ("error", "error_description", "message") if body.get(key)]
    return Outcome(
        Kind.TRANSIENT,
        Reason.BAD_CREDENTIALS,
        answer.status,
        ": ".join(said)[:500],
        verdict=Verdict.BRIDGE,
    )


def _unreadable(answer: Answer) -> Outcome:
    return Outcome(
        Kind.TRANSIENT,
        Reason.UNEXPECTED,
        answer.status,
        "the token endpoint answered without an access_token",
        verdict=Verdict.ZAUTO,
    )
