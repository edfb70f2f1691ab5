"""ZautoAI's "Push to Partner Endpoint": an order goes to the partner's URL, signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.errors import DoorError
from bridge.zauto.contract import SIGNATURE_HEADER

#: seconds the partner has to answer
PARTNER_SECONDS = 10.0


class Scheme(StrEnum):
    """How the partner knows who pushes."""

    API_KEY = "key"
    BEARER = "bearer"
    #: the secret is USER:PASSWORD
    BASIC = "basic"
    HMAC = "hmac"


@dataclass(frozen=True, slots=True)
class Signature:
    """A scheme and its secret."""

    secret: str = field(repr=False)
    scheme: Scheme = Scheme.API_KEY

    def headers(self, body: bytes) -> Mapping[str, str]:
        """The headers that prove a body to come from us."""
        secret = self.secret.encode()
        match self.scheme:
            case Scheme.API_KEY:
                return {"X-API-Key": self.secret}
            case Scheme.BEARER:
                return {"Authorization": f"Bearer {self.secret}"}
            case Scheme.BASIC:
                return {"Authorization": f"Basic {base64.b64encode(secret).decode()}"}
        digest = hmac.new(secret, body, hashlib.sha256).hexdigest()
        return {SIGNATURE_HEADER: f"sha256={digest}"}


@dataclass(frozen=True, slots=True)
class PartnerAnswer:
    """What the partner answered."""

    status: int
    body: bytes
    media_type: str
    #: seconds of his Retry-After; 0 where he names none
    retry_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Partner:
    """Where orders are pushed to."""

    #: `http://127.0.0.1:8080`; `/orders/prescriptions` and `/orders/services` hang under it
    url: str
    signature: Signature | None = None

    async def push(self, kind: str, body: bytes, *, idempotency_key: str = "") -> PartnerAnswer:
        """Post an order of kind `prescriptions` or `services`; raises DoorError."""
        import httpx  # a quarter of a second, which only a push has to wait for

        headers = {"Content-Type": "application/json"}
        if self.signature is not None:
            headers |= self.signature.headers(body)
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        try:
            async with httpx.AsyncClient(timeout=PARTNER_SECONDS, trust_env=False) as client:
                answer = await client.post(
                    f"{self.url.rstrip('/')}/orders/{kind}", content=body, headers=headers
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DoorError(f"the partner did not answer: {type(error).__name__}") from error
        media_type = answer.headers.get("content-type", "application/octet-stream")
        wait = answer.headers.get("retry-after", "")
        seconds = float(wait) if wait.isascii() and wait.isdigit() else 0.0
        return PartnerAnswer(answer.status_code, answer.content, media_type, seconds)
