"""What ZautoAI's document says of its API as a whole; each resource has its file in the catalogue.

Client, sandbox and OpenAPI document take it from here. Where the document is silent the guess is
made here once, and `ASSUMED` says so: one edit corrects it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bridge.zauto.catalogue import FieldType

#: of the document, "Last updated: September 2024"
API_VERSION = "1.4.7"
#: every resource's path begins so
BASE_PATH = "/zauto-api"

# Tokens ("Authentication Flow")
TOKEN_PATH = "/api/auth/oAuth/token"
#: `zauto_<name>_<hex8>` and `zauto_<hex64>`; what a name may hold is not said
CLIENT_ID_PATTERN = r"zauto_[A-Za-z0-9-]+_[0-9a-f]{8}"
CLIENT_SECRET_PATTERN = r"zauto_[0-9a-f]{64}"
#: `expires_in` of an access token
ACCESS_SECONDS = 3600
REFRESH_SECONDS = 30 * 24 * 3600

# Lists ("Standard Query Parameters")
DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 100
#: larger numbers do not fit 64-bit integers once multiplied
MAX_PAGE = 10**9

#: the document shows E.164 numbers and asks for none; separators are let through
PHONE_PATTERN = r"\+?[0-9][0-9 ().\-]{1,28}[0-9]"

# Limits ("Rate Limiting")
REQUESTS_AN_HOUR = 1000
REQUESTS_A_MINUTE = 100
LIMIT_HEADER = "X-RateLimit-Limit"
REMAINING_HEADER = "X-RateLimit-Remaining"
RESET_HEADER = "X-RateLimit-Reset"


class Grant(StrEnum):
    """`grant_type` of a token request."""

    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"


class TokenError(StrEnum):
    """`error` of a refused token request, RFC 6749 section 5.2."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"


class ErrorCode(StrEnum):
    """`errorCode` of an error ("Common Error Codes")."""

    INVALID_TOKEN = "INVALID_TOKEN"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    DUPLICATE_EXTERNAL_ID = "DUPLICATE_EXTERNAL_ID"
    REFERENCED_RESOURCE_NOT_FOUND = "REFERENCED_RESOURCE_NOT_FOUND"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"


#: each status with the document's words for it ("HTTP Status Codes")
STATUSES: Mapping[int, str] = {
    200: "Success",
    201: "Created",
    400: "Bad Request (validation errors)",
    401: "Unauthorized (invalid/expired token)",
    403: "Forbidden (insufficient permissions)",
    404: "Not Found",
    409: "Conflict (duplicate external ID)",
    429: "Too Many Requests (rate limit exceeded)",
    500: "Internal Server Error",
}

#: status beside each code; 403 and 500 have no code
STATUS_OF: Mapping[ErrorCode, int] = {
    ErrorCode.INVALID_TOKEN: 401,
    ErrorCode.VALIDATION_FAILED: 400,
    ErrorCode.RESOURCE_NOT_FOUND: 404,
    ErrorCode.DUPLICATE_EXTERNAL_ID: 409,
    ErrorCode.REFERENCED_RESOURCE_NOT_FOUND: 404,
    ErrorCode.RATE_LIMIT_EXCEEDED: 429,
}


@dataclass(frozen=True, slots=True)
class Order:
    """One kind of order that is pushed to the partner ("Push to Partner Endpoint")."""

    #: key of the payload that holds its lines, beside `externalVisitId`
    lines: str
    #: what a line holds
    fields: Mapping[str, FieldType]


#: kinds of orders, by the word of their heading
ORDERS: Mapping[str, Order] = {
    "prescriptions": Order(
        "Medications",
        {
            "externalMedicineId": FieldType.STRING,
            "name": FieldType.STRING,
            "dose": FieldType.STRING,
            "when": FieldType.STRING,
            "frequency": FieldType.STRING,
            "duration": FieldType.STRING,
            "notes": FieldType.STRING,
        },
    ),
    "services": Order(
        "Services",
        {
            "externalServiceId": FieldType.STRING,
            "name": FieldType.STRING,
            "price": FieldType.NUMBER,
            "status": FieldType.STRING,
        },
    ),
}

#: `sha256=<hex>`, the HMAC-SHA256 of the body, where the partner asked for one
SIGNATURE_HEADER = "X-Signature"

#: what the document leaves open, and what is taken for granted instead
ASSUMED: Mapping[str, str] = {
    "operations": "An operation that the document does not show for a resource (`shown` in its "
    "file) is as that of patients and specialities, for which it shows all five.",
    "answers": "Only the answer to creating a patient is shown. Others of a create hold the same "
    "ids and createdAt; a list's `data` is an array; read, update and delete answer 200 with the "
    "whole record, and createdAt and updatedAt with it.",
    "order": "Without a documented order a list is in the order of creation.",
    "no error code": "403 and 500 have no errorCode, as none of the six is theirs; nor has an "
    "unknown address, answered 404.",
    "referent": "The status beside REFERENCED_RESOURCE_NOT_FOUND is 404.",
    "query": "A page or limit that is no number, or out of range, is refused with 400; an empty "
    "search is no filter.",
    "update": "An update changes the fields it names; null clears one; the id cannot change.",
    "unknown field": "A field that the document does not name for a resource is refused with 400.",
    "token errors": "A refused token request is answered as RFC 6749 section 5.2 says, not with "
    "the envelope.",
    "refresh": "A refresh token works once, with the client's credentials, for 30 days.",
    "limits": "The windows are the clock's hours and minutes, as the document's example of a "
    "Reset is a full hour; headers tell the hour's window, those of a 429 the window that "
    "refused; token requests count, refused ones do not.",
    "push authentication": "A partner chooses among an API key in X-API-Key, a bearer token, basic "
    "authentication and an HMAC-SHA256 of the body in X-Signature.",
    "push retries": "A push that is not answered, or with 408, 425, 429 or 5xx, is made again for "
    "a day; any other answer but 2xx ends it.",
    "read-only": "The insufficient permissions of a 403 are those of a client that may only read.",
}
