"""Clients and their tokens: OAuth 2.0 client credentials with refresh (RFC 6749).

Tokens are opaque random strings: a client may not look into them anyway (section 1.4), and a
token that is looked up can be revoked. Only SHA-256 hashes of tokens and secrets are kept;
both hold 256 random bits, so a slow hash would add nothing.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import DoorError
from bridge.sandbox.answers import ApiError, ApiResponse, TokenRefusal
from bridge.sandbox.database import Database
from bridge.sandbox.validation import read_object
from bridge.zauto.contract import (
    ACCESS_SECONDS,
    CLIENT_ID_PATTERN,
    REFRESH_SECONDS,
    Grant,
    TokenError,
)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a client identifies itself with."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiClient:
    """The client behind a token."""

    client_id: str
    #: it may not create, update or delete
    read_only: bool


class Accounts:
    """Who may call, and with which token."""

    def __init__(self, state: Database) -> None:
        self._state = state
        self._db = state.db

    def add(self, credentials: ClientCredentials, *, read_only: bool = False) -> None:
        """Let a client in; one of the same id gets the new secret."""
        with self._state.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO clients (id, secret_hash, read_only) VALUES (?, ?, ?)",
                (credentials.client_id, _hash(credentials.client_secret), read_only),
            )

    def make(self, name: str, *, read_only: bool = False) -> ClientCredentials:
        """A new client in the document's formats; its secret can never be shown again.

        Raises DoorError for a name that does not fit into a client id.
        """
        client_id = f"zauto_{name}_{secrets.token_hex(4)}"
        made = ClientCredentials(client_id, f"zauto_{secrets.token_hex(32)}")
        if not re.fullmatch(CLIENT_ID_PATTERN, made.client_id):
            raise DoorError(f"'{name}' cannot name a client: use letters, digits and hyphens")
        self.add(made, read_only=read_only)
        return made

    def revoke(self, client_id: str | None = None) -> int:
        """Make the tokens of the client, or of all, invalid; how many there were."""
        which, values = ("client = ?", (client_id,)) if client_id else ("TRUE", ())
        with self._state.transaction():
            return self._db.execute(f"DELETE FROM tokens WHERE {which}", values).rowcount

    def any(self) -> bool:
        """Whether there is a client at all."""
        return self._db.execute("SELECT 1 FROM clients").fetchone() is not None

    def knows(self, credentials: ClientCredentials) -> bool:
        """Whether the secret is the client's."""
        row = self._db.execute(
            "SELECT secret_hash FROM clients WHERE id = ?", (credentials.client_id,)
        ).fetchone()
        return row is not None and secrets.compare_digest(row[0], _hash(credentials.client_secret))

    def bearer(self, authorization: str, now: float) -> ApiClient | None:
        """The client behind `Authorization: Bearer <token>`; None when it is not valid."""
        scheme, _, token = authorization.partition(" ")
        return self._holder(token.strip(), "access", now) if scheme.lower() == "bearer" else None

    def asking(self, body: bytes) -> ApiClient | None:
        """The client that asks for a token, when its credentials are right."""
        try:
            credentials = _credentials(read_object(body))
        except (ApiError, TokenRefusal):
            return None
        return ApiClient(credentials.client_id, False) if self.knows(credentials) else None

    def grant(self, body: bytes, now: float) -> ApiResponse:
        """Answer a token request; raises TokenRefusal."""
        asked = _read(body)
        grant_type = _word(asked, "grant_type")
        if grant_type not in tuple(Grant):
            wanted = " or ".join(Grant)
            raise TokenRefusal(TokenError.UNSUPPORTED_GRANT_TYPE, f"grant_type must be {wanted}")
        credentials = _credentials(asked)
        if not self.knows(credentials):
            raise TokenRefusal(
                TokenError.INVALID_CLIENT, "Client authentication failed", status=401
            )
        if grant_type == Grant.REFRESH_TOKEN:
            self._use(_word(asked, "refresh_token"), credentials.client_id, now)
        return self._issue(credentials.client_id, now)

    def forget_expired(self, now: float) -> None:
        """Drop tokens that are of no more use."""
        with self._state.transaction():
            self._db.execute("DELETE FROM tokens WHERE expires_at <= ?", (now,))

    def _use(self, token: str, client: str, now: float) -> None:
        """A refresh token works once, for the client it was given to (RFC 6749 section 6)."""
        holder = self._holder(token, "refresh", now)
        if holder is None or holder.client_id != client:
            raise TokenRefusal(TokenError.INVALID_GRANT, "The refresh token is invalid or expired")
        self._db.execute("DELETE FROM tokens WHERE hash = ?", (_hash(token),))

    def _issue(self, client: str, now: float) -> ApiResponse:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._db.executemany(
            "INSERT INTO tokens (hash, client, kind, expires_at) VALUES (?, ?, ?, ?)",
            [
                (_hash(access), client, "access", now + ACCESS_SECONDS),
                (_hash(refresh), client, "refresh", now + REFRESH_SECONDS),
            ],
        )
        body = {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": ACCESS_SECONDS,
            "refresh_token": refresh,
        }
        # RFC 6749 section 5.1
        return ApiResponse(200, body, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def _holder(self, token: str, kind: str, now: float) -> ApiClient | None:
        row = self._db.execute(
            "SELECT client, read_only FROM tokens JOIN clients ON clients.id = tokens.client"
            " WHERE hash = ? AND kind = ? AND expires_at > ?",
            (_hash(token), kind, now),
        ).fetchone()
        return ApiClient(str(row[0]), bool(row[1])) if row else None


def _read(body: bytes) -> dict[str, Any]:
    try:
        return read_object(body)
    except ApiError as refusal:
        fault = refusal.errors[0]
        raise TokenRefusal(
            TokenError.INVALID_REQUEST, f"{fault.field} {fault.message}"
        ) from refusal


def _credentials(asked: Mapping[str, Any]) -> ClientCredentials:
    return ClientCredentials(_word(asked, "client_id"), _word(asked, "client_secret"))


def _word(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise TokenRefusal(TokenError.INVALID_REQUEST, f"{name} is required and must be a string")
    return value


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
