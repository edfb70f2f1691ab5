"""ZautoAI's "Push to Partner Endpoint": orders go to the partner's URL with its API key."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.errors import DoorError

#: seconds the partner has to answer
PARTNER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Said:
    """What the partner answered."""

    status: int
    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Partner:
    """Where orders are pushed to."""

    #: `http://127.0.0.1:8080`; `/orders/prescriptions` and `/orders/services` hang under it
    url: str
    api_key: str | None = field(default=None, repr=False)

    async def push(self, kind: str, body: bytes, *, idempotency_key: str = "") -> Said:
        """Post an order of kind `prescriptions` or `services`; raises DoorError."""
        import httpx  # a quarter of a second, which only a push has to wait for

        headers = {"Content-Type": "application/json"}
        if self.api_key:
            headers["X-API-Key"] = self.api_key
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
        return Said(answer.status_code, answer.content, media_type)
