"""Orders on their way to the partner: kept, and tried again while he is down."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bridge.errors import DoorError
from bridge.sandbox.push import PARTNER_SECONDS, Partner, PartnerAnswer
from bridge.sandbox.resets import Clock

#: seconds to wait after each attempt; the last again and again
BACKOFF = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0)
#: seconds after which an order is given up
GIVEN_UP_AFTER = 24 * 3600.0
#: statuses besides 5xx that say "later": timeout, too early, too many
_LATER = frozenset({408, 425, 429})
_NO_PARTNER = "no partner is known; start the sandbox with --push-to URL"


class Progress(StrEnum):
    """What became of an order."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    #: the partner will not take it
    REFUSED = "refused"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Push:
    """One order and how far it got."""

    id: int
    #: `prescriptions` or `services`
    kind: str
    body: bytes
    idempotency_key: str
    #: seconds since the epoch
    made_at: float
    progress: Progress
    attempts: int
    #: when it is tried again, while it waits
    due_at: float
    #: the partner's last answer; 0 while there is none
    status: int
    #: why there is none
    detail: str

    def shown(self) -> Mapping[str, Any]:
        """The push as JSON shows it."""
        return {**asdict(self), "body": self.body.decode("utf-8", "replace")}


class Outbox:
    """Pushes orders, and those again that did not arrive."""

    def __init__(self, db: sqlite3.Connection, partner: Partner | None, clock: Clock) -> None:
        self._db = db
        self._partner = partner
        self._clock = clock
        self._changed = asyncio.Event()

    async def push(self, kind: str, body: bytes, idempotency_key: str = "") -> PartnerAnswer:
        """Push an order, kept until it arrives or is refused; what the partner said.

        Raises DoorError where there is no partner, or he did not answer.
        """
        if self._partner is None:
            raise DoorError(_NO_PARTNER)
        now = self._clock()
        # not due while the first attempt is under way, but after a crash in it
        due_at = now + PARTNER_SECONDS + BACKOFF[0]
        made = self._db.execute(
            "INSERT INTO pushes (kind, body, idempotency_key, made_at, progress, attempts, due_at,"
            " status, detail) VALUES (?, ?, ?, ?, ?, 0, ?, 0, '')",
            (kind, body, idempotency_key, now, Progress.WAITING, due_at),
        )
        push = self._get(made.lastrowid or 0)
        said = await self._attempt(self._partner, push)
        if said is None:
            raise DoorError(f"{self._get(push.id).detail}; push {push.id} is tried again")
        return said

    async def retry_due(self) -> None:
        """Try again what is due."""
        if self._partner is None:
            return
        for push in self._select("progress = ? AND due_at <= ?", Progress.WAITING, self._clock()):
            await self._attempt(self._partner, push)

    async def run(self) -> None:
        """Try again for ever; ends by cancellation."""
        while True:
            await self.retry_due()
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._changed.wait()

    def newest(self, limit: int) -> list[Push]:
        """The last pushes, newest first."""
        return self._select("TRUE ORDER BY id DESC LIMIT ?", limit)

    async def _attempt(self, partner: Partner, push: Push) -> PartnerAnswer | None:
        said, detail = None, ""
        try:
            said = await partner.push(push.kind, push.body, idempotency_key=push.idempotency_key)
        except DoorError as error:
            detail = str(error)
        self._note(push, said, detail)
        return said

    def _note(self, push: Push, said: PartnerAnswer | None, detail: str) -> None:
        now, attempts = self._clock(), push.attempts + 1
        progress = _progress(said)
        wait = max(BACKOFF[min(attempts, len(BACKOFF)) - 1], said.retry_after if said else 0.0)
        if progress is Progress.WAITING and now + wait > push.made_at + GIVEN_UP_AFTER:
            progress = Progress.GIVEN_UP
        self._db.execute(
            "UPDATE pushes SET progress = ?, attempts = ?, due_at = ?, status = ?, detail = ?"
            " WHERE id = ?",
            (progress, attempts, now + wait, said.status if said else 0, detail, push.id),
        )
        self._changed.set()

    def _pause(self) -> float | None:
        """Seconds until the next is due; None while nothing waits."""
        row = self._db.execute(
            "SELECT min(due_at) FROM pushes WHERE progress = ?", (Progress.WAITING,)
        ).fetchone()
        return None if row[0] is None else max(row[0] - self._clock(), 0.0)

    def _get(self, push_id: int) -> Push:
        return self._select("id = ?", push_id)[0]

    def _select(self, where: str, *values: Any) -> list[Push]:
        rows = self._db.execute(
            "SELECT id, kind, body, idempotency_key, made_at, progress, attempts, due_at, status,"
            f" detail FROM pushes WHERE {where}",
            values,
        )
        return [_push(*row) for row in rows]


def _progress(said: PartnerAnswer | None) -> Progress:
    if said is None or said.status >= 500 or said.status in _LATER:
        return Progress.WAITING
    return Progress.DELIVERED if 200 <= said.status < 300 else Progress.REFUSED


def _push(*row: Any) -> Push:
    push_id, kind, body, key, made_at, progress, *rest = row
    return Push(push_id, kind, body, key, made_at, Progress(progress), *rest)
