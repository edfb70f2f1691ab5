"""The contract's `View` and `Transaction`, put together from their parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from bridge.causes import Cause
from bridge.errors import StoreBusy
from bridge.message import Message, Status
from bridge.store.acknowledgments import Owing
from bridge.store.records import Keeping, Kept
from bridge.store.rules import keep
from bridge.store.rules.acknowledgments import AcknowledgmentChanges, AcknowledgmentReads
from bridge.store.rules.asking import must_insert
from bridge.store.rules.counts import CountChanges, CountReads
from bridge.store.rules.deliveries import DeliveryChanges, DeliveryReads
from bridge.store.rules.entities import EntityChanges, EntityReads
from bridge.store.rules.far_end import FarEndChanges, FarEndReads
from bridge.store.rules.messages import MessageChanges, MessageReads
from bridge.store.statements import Statements

T = TypeVar("T")


class RuledView(
    MessageReads, DeliveryReads, EntityReads, CountReads, AcknowledgmentReads, FarEndReads
):
    """What can be read."""


class RuledTransaction(
    MessageChanges,
    DeliveryChanges,
    EntityChanges,
    CountChanges,
    AcknowledgmentChanges,
    FarEndChanges,
):
    """What can be changed, inside a job of the writer."""

    def __init__(self, statements: Statements) -> None:
        super().__init__(statements)
        #: set by the writer before each group: whether new messages may be kept
        self.has_room = True

    def attempt(self, job: Callable[[], T]) -> T:
        with self._statements.undoing():
            return job()

    def keep(
        self,
        message: Message,
        *,
        status: Status,
        answer_code: str,
        acknowledgment: bytes,
        identity: bytes | None,
        identity_since: float | None = None,
        cause: Cause | None = None,
        owing: Owing | None = None,
    ) -> Kept:
        keeping = Keeping(message, status, answer_code, acknowledgment, identity, cause, owing)
        return self.keep_one(keeping, identity_since=identity_since)

    def keep_one(self, keeping: Keeping, *, identity_since: float | None = None) -> Kept:
        """Keep a message alone."""
        self._need_room()
        return keep.keep(self._statements, keeping, identity_since=identity_since)

    def keep_all(self, keepings: Sequence[Keeping]) -> list[Kept]:
        """Keep messages with one statement for all their rows and one for all their bodies.

        Raises StoreError where one of them is a duplicate: then undo it, and keep them singly.
        """
        self._need_room()
        return keep.keep_all(self._statements, keepings)

    def quarantine(self, channel: str, peer: str, reason: str, head: bytes, at: float) -> None:
        self._need_room()
        kept = self._statements.insert(
            "insert_quarantined", channel=channel, peer=peer, reason=reason, head=head, at=at
        )
        must_insert(kept, "what is quarantined")

    def _need_room(self) -> None:
        if not self.has_room:
            raise StoreBusy(
                "The disk of the store has less free space than `store.free_bytes`: "
                "nothing more is kept until there is room."
            )
