"""What the API answers: the envelope, its errors, and the token endpoint's own error body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bridge.sandbox.journal import Effect
from bridge.zauto.contract import STATUS_OF, ErrorCode, TokenError


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One entry of `errors[]`."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """One answer before it is written to the wire."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    #: external id of the record it is about, where the path does not name it
    external_id: str = ""
    #: what it changed
    effect: Effect = Effect.NONE


class ApiError(Exception):
    """The request is answered with an error of the envelope.

    `status` is only given where the document has no code for the case (an unknown route).
    """

    def __init__(
        self,
        code: ErrorCode | None,
        message: str,
        *,
        errors: Sequence[ErrorEntry] = (),
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        external_id: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS_OF[code] if code is not None else status or 500
        self.message = message
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.external_id = external_id

    def answer(self, now: float) -> ApiResponse:
        """The document's "Error Response Format"; `errorCode` is left out where there is none."""
        body: dict[str, Any] = {
            "status": "error",
            "message": self.message,
            "errors": [{"field": e.field, "message": e.message} for e in self.errors],
        }
        if self.code is not None:
            body["errorCode"] = self.code.value
        body["timestamp"] = timestamp(now)
        return ApiResponse(self.status, body, self.headers, self.external_id)


class TokenRefusal(Exception):
    """The token endpoint refuses."""

    def __init__(self, error: TokenError, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def answer(self) -> ApiResponse:
        """RFC 6749 section 5.2: not the envelope."""
        body = {"error": self.error.value, "error_description": self.description}
        return ApiResponse(self.status, body, {"Cache-Control": "no-store"})


def success(
    message: str,
    data: Any,
    *,
    status: int = 200,
    external_id: str = "",
    effect: Effect = Effect.NONE,
) -> ApiResponse:
    """The document's "Response Format"."""
    body = {"status": "success", "message": message, "data": data}
    return ApiResponse(status, body, external_id=external_id, effect=effect)


def page(message: str, data: Sequence[Any], *, number: int, size: int, total: int) -> ApiResponse:
    """A list with its pagination block; page `number` counts from 1."""
    pages = -(-total // size)
    pagination = {
        "currentPage": number,
        "totalPages": pages,
        "totalCount": total,
        "hasNext": number < pages,
        "hasPrev": number > 1,
    }
    body = {"status": "success", "message": message, "data": data, "pagination": pagination}
    return ApiResponse(200, body)


def timestamp(at: float) -> str:
    """`2024-01-15T10:30:00Z`, as the document writes moments."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")
