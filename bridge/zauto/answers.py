"""What an answer of ZautoAI means: the state table of one request, without I/O.

The errorCode decides, the status second. A request that only reads is never UNKNOWN: it had no
effect whatever became of it, so it is TRANSIENT and asked again as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import orjson

from bridge.delivery import FieldError, Kind, NetworkFault, Outcome, Reason, Request
from bridge.message import Verdict
from bridge.zauto import headers as header

#: seconds to wait after a 429 that does not say until when
LIMITED_SECONDS = 60.0
_DETAIL_LENGTH = 500
_MOST_FIELD_ERRORS = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response as far as it was read."""

    status: int
    #: names in lower case
    headers: Mapping[str, str]
    body: bytes
    #: the body ended as HTTP says it must, within the size cap and the deadline
    complete: bool


class Failure(StrEnum):
    """Why there is no response."""

    # no byte of the request left
    REFUSED = "refused"
    DNS = "host name not found"
    TLS = "TLS"
    CONNECT_TIMEOUT = "no connection in time"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    # the request may have arrived
    NO_ANSWER = "no answer in time"
    CLOSED = "connection closed"


#: what failed on the way
FAULTS: Mapping[Failure, NetworkFault] = {
    Failure.REFUSED: NetworkFault.REFUSED,
    Failure.DNS: NetworkFault.DNS,
    Failure.TLS: NetworkFault.TLS,
    Failure.CONNECT_TIMEOUT: NetworkFault.TIMEOUT,
    Failure.UNREACHABLE: NetworkFault.CLOSED,
    Failure.CERTIFICATE: NetworkFault.TLS,
    Failure.NO_ANSWER: NetworkFault.TIMEOUT,
    Failure.CLOSED: NetworkFault.CLOSED,
}
_NOTHING_SENT = Outcome(
    Kind.TRANSIENT, Reason.UNREACHABLE, detail="no connection", verdict=Verdict.NETWORK
)
_NO_RESPONSE = Outcome(
    Kind.UNKNOWN, Reason.NO_ANSWER, detail="no answer in time", verdict=Verdict.NETWORK
)
_BY_FAILURE: Mapping[Failure, Outcome] = {
    Failure.CERTIFICATE: replace(
        _NOTHING_SENT,
        reason=Reason.CERTIFICATE,
        detail="the server's certificate is not trusted",
    ),
    Failure.NO_ANSWER: _NO_RESPONSE,
    Failure.CLOSED: replace(_NO_RESPONSE, detail="the connection closed before an answer"),
}


def failed(failure: Failure) -> Outcome:
    """What it means for a request that there is no response."""
    return replace(_BY_FAILURE.get(failure, _NOTHING_SENT), fault=FAULTS[failure])


_Row = tuple[Kind, Reason, Verdict]

_INVALID: _Row = (Kind.PERMANENT, Reason.INVALID, Verdict.SENDER)
_UNAUTHORIZED: _Row = (Kind.TRANSIENT, Reason.UNAUTHORIZED, Verdict.ZAUTO)
_LIMITED: _Row = (Kind.TRANSIENT, Reason.LIMITED, Verdict.LIMIT)
_DUPLICATE: _Row = (Kind.PERMANENT, Reason.DUPLICATE, Verdict.SENDER)
_REFUSED: _Row = (Kind.PERMANENT, Reason.UNEXPECTED, Verdict.ZAUTO)
_NOT_THE_API: _Row = (Kind.UNKNOWN, Reason.NOT_THE_API, Verdict.ZAUTO)
_NO_ANSWER: _Row = (Kind.UNKNOWN, Reason.NO_ANSWER, Verdict.ZAUTO)
_SERVER_ERROR: _Row = (Kind.UNKNOWN, Reason.SERVER_ERROR, Verdict.ZAUTO)
_REDIRECTED: _Row = (Kind.UNKNOWN, Reason.REDIRECTED, Verdict.ZAUTO)

#: by errorCode, whatever the status beside it
_BY_CODE: Mapping[str, _Row] = {
    "INVALID_TOKEN": _UNAUTHORIZED,
    "VALIDATION_FAILED": _INVALID,
    "RATE_LIMIT_EXCEEDED": _LIMITED,
    "REFERENCED_RESOURCE_NOT_FOUND": (Kind.TRANSIENT, Reason.REFERENT_MISSING, Verdict.SENDER),
}
#: by method and errorCode; the same code on another method is unexpected
_BY_METHOD: Mapping[tuple[str, str], _Row] = {
    ("POST", "DUPLICATE_EXTERNAL_ID"): _DUPLICATE,
    ("PUT", "RESOURCE_NOT_FOUND"): (Kind.PERMANENT, Reason.NOT_FOUND, Verdict.ZAUTO),
    ("DELETE", "RESOURCE_NOT_FOUND"): (Kind.PERMANENT, Reason.NOT_FOUND, Verdict.ZAUTO),
    ("GET", "RESOURCE_NOT_FOUND"): (Kind.PERMANENT, Reason.ABSENT, Verdict.ZAUTO),
}
#: by status, where no errorCode is known
_BY_STATUS: Mapping[int, _Row] = {
    400: _INVALID,
    401: _UNAUTHORIZED,
    403: (Kind.TRANSIENT, Reason.FORBIDDEN, Verdict.ZAUTO),
    429: _LIMITED,
    502: _NO_ANSWER,
    504: _NO_ANSWER,
}


def judge(request: Request, answer: Answer | Failure, *, now: float) -> Outcome:
    """What became of a request; `now` in epoch seconds stands in for a missing Date."""
    outcome = failed(answer) if isinstance(answer, Failure) else _judged(request, answer, now)
    if request.method == "GET" and outcome.kind is Kind.UNKNOWN:
        return replace(outcome, kind=Kind.TRANSIENT)
    return outcome


def judge_page(request: Request, answer: Answer | Failure, *, now: float) -> Outcome | None:
    """What a page of a list says of the record that is looked up in it; None: see the next page."""
    if isinstance(answer, Failure) or not 200 <= answer.status < 300:
        return judge(request, answer, now=now)
    envelope = json_object(answer)
    records = envelope.get("data")
    if envelope.get("status") != "success" or not isinstance(records, list):
        return replace(_unreadable(answer, "the answer is no list"), kind=Kind.TRANSIENT)
    for record in records:
        if isinstance(record, dict) and str(record.get("externalId")) == request.external_id:
            return Outcome(Kind.DELIVERED, Reason.FOUND, answer.status, record=record)
    return None if _has_next(envelope) else _NOT_LISTED


_NOT_LISTED = Outcome(
    Kind.PERMANENT, Reason.ABSENT, 200, "no page of the list has it", verdict=Verdict.ZAUTO
)
#: more records match the search than are looked at
TOO_MANY = Outcome(
    Kind.TRANSIENT,
    Reason.UNREADABLE_ANSWER,
    200,
    "it is not on the first pages of the list",
    verdict=Verdict.ZAUTO,
)


def _has_next(envelope: Mapping[str, Any]) -> bool:
    pagination = envelope.get("pagination")
    return isinstance(pagination, dict) and pagination.get("hasNext") is True


def json_object(answer: Answer) -> dict[str, Any]:
    """The body as a JSON object; empty where it is cut, or is anything else."""
    if not answer.complete:
        return {}
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _judged(request: Request, answer: Answer, now: float) -> Outcome:
    if 200 <= answer.status < 300:
        return _accepted(request, answer)
    return refused(request.method, answer, now)


def _accepted(request: Request, answer: Answer) -> Outcome:
    envelope = json_object(answer)
    record = envelope.get("data")
    if request.method == "DELETE" and envelope.get("status") == "success" and not record:
        # the document shows no answer to a deletion; its record need not be in it
        return Outcome(Kind.DELIVERED, Reason.ACCEPTED, answer.status)
    if envelope.get("status") != "success" or not isinstance(record, dict):
        return _unreadable(answer, "the answer is cut, too large or not the API's envelope")
    if "externalId" not in record:
        return _unreadable(answer, "the answer names no externalId")
    if str(record["externalId"]) != request.external_id:
        return Outcome(
            Kind.PERMANENT,
            Reason.WRONG_RECORD,
            answer.status,
            f"asked for {request.external_id}, answered for {record['externalId']}",
            verdict=Verdict.ZAUTO,
        )
    reason = Reason.FOUND if request.method == "GET" else Reason.ACCEPTED
    return Outcome(Kind.DELIVERED, reason, answer.status, record=record)


def _unreadable(answer: Answer, detail: str) -> Outcome:
    return Outcome(
        Kind.UNKNOWN, Reason.UNREADABLE_ANSWER, answer.status, detail, verdict=Verdict.ZAUTO
    )


def refused(method: str, answer: Answer, now: float) -> Outcome:
    """What an answer other than 2xx means for a request of this method."""
    envelope = json_object(answer)
    code = envelope.get("errorCode")
    kind, reason, verdict = _row(method, answer.status, code if isinstance(code, str) else "")
    return Outcome(
        kind,
        reason,
        answer.status,
        _detail(answer, envelope),
        field_errors=_field_errors(envelope.get("errors")),
        retry_after=_wait(reason, answer.headers, now),
        verdict=verdict,
    )


def _row(method: str, status: int, code: str) -> _Row:
    row = _BY_CODE.get(code) or _BY_METHOD.get((method, code)) or _BY_STATUS.get(status)
    if row is not None:
        return row
    if status >= 500:
        return _SERVER_ERROR
    if status == 409 and method == "POST" and not code:
        return _DUPLICATE
    if status in (404, 405) and not code:
        return _NOT_THE_API
    return _REDIRECTED if status < 400 else _REFUSED


def _wait(reason: Reason, headers: Mapping[str, str], now: float) -> float | None:
    after = header.retry_after(headers, now)
    if reason is not Reason.LIMITED:
        return after
    reset = header.seconds_to_reset(headers, now)
    return max(reset, 1.0) if reset is not None else after or LIMITED_SECONDS


def _detail(answer: Answer, envelope: Mapping[str, Any]) -> str:
    if not envelope:
        return answer.body[:_DETAIL_LENGTH].decode("utf-8", "replace")
    said = [str(envelope[key]) for key in ("errorCode", "message") if envelope.get(key)]
    return ": ".join(said)[:_DETAIL_LENGTH]


def _field_errors(errors: object) -> tuple[FieldError, ...]:
    if not isinstance(errors, list):
        return ()
    return tuple(
        FieldError(str(error.get("field", "")), str(error.get("message", ""))[:_DETAIL_LENGTH])
        for error in errors[:_MOST_FIELD_ERRORS]
        if isinstance(error, dict)
    )
