"""Messages: how they are found, marked, held and released."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager

from bridge.causes import Cause, CauseKind
from bridge.errors import Damaged, DamagedMessage
from bridge.message import Message, Status
from bridge.remarks import Remark
from bridge.store import rows
from bridge.store.records import KeptMessage
from bridge.store.rules import lanes
from bridge.store.rules.asking import AFTER_ALL, Asking, must_change
from bridge.store.rules.follow import follow, settle

#: bytes of bodies that are read at once
_BODIES_AT_ONCE = 64 * 1024 * 1024


class MessageReads(Asking):
    """What can be read of messages."""

    def message(self, message_id: int) -> KeptMessage | None:
        with _damage_of(message_id):
            row = self._statements.one("message", id=message_id)
            return None if row is None else rows.whole_message(row)

    def channel_of(self, message_id: int) -> str:
        row = self._statements.one("channel_of", id=message_id)
        return "" if row is None else str(row["channel"])

    def messages(
        self,
        *,
        status: Status | None = None,
        cause: CauseKind | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[KeptMessage]:
        where = {"before": AFTER_ALL if before is None else before, "limit": limit}
        if cause is not None:
            found = self._statements.all("messages_of_cause", **where, cause=cause, status=status)
        elif status is not None:
            found = self._statements.all("messages_of_status", **where, status=status)
        else:
            found = self._statements.all("messages", **where)
        return [each for row in found for each in self._listed_message(row["id"])]

    def _listed_message(self, message_id: int) -> list[KeptMessage]:
        """A message for a list, however damaged; none where it is gone."""
        try:
            found = self._statements.all("message_row", id=message_id)
            return [rows.listed_message(row) for row in found]
        except Damaged:
            return self._unreadable_message(message_id)

    def kept_since(self, at: float, *, after: int = 0, limit: int) -> Sequence[KeptMessage]:
        found = self._statements.all("kept_since", after=after, at=at, limit=limit)
        messages = (each for row in found for each in self._shown_message(row["id"]))
        return list(_within(_BODIES_AT_ONCE, messages))

    def _shown_message(self, message_id: int) -> list[KeptMessage]:
        """A message with its body, however damaged; none where it is gone."""
        try:
            found = self._statements.all("message", id=message_id)
            return [rows.message_or_husk(row) for row in found]
        except Damaged:
            return self._unreadable_message(message_id)

    def _unreadable_message(self, message_id: int) -> list[KeptMessage]:
        found = self._statements.all("message_numbers", id=message_id)
        return [rows.unreadable_message(row) for row in found]

    def untranslated(self, limit: int) -> Sequence[KeptMessage]:
        try:
            # Closed at once: the error about a damaged message would keep the statement open.
            with closing(self._statements.each("untranslated", limit=limit)) as found:
                whole = map(rows.whole_message, found)
                return list(_within(_BODIES_AT_ONCE, _until_damage(whole)))
        except DamagedMessage:
            raise
        except Damaged:
            # one of the rows holds bytes that are no text: which, shows each alone
            ids = self._statements.all("untranslated_ids", limit=limit)
            singly = (each for row in ids if (each := self.message(row["id"])) is not None)
            return list(_within(_BODIES_AT_ONCE, _until_damage(singly)))

    def seen_reference(self, channel: str, reference: str) -> bool:
        row = self._statements.one("seen_reference", channel=channel, reference=reference)
        return row is not None

    def earlier(self, identity_prefix: bytes, message: Message, before: int) -> int | None:
        row = self._statements.one(
            "earlier",
            prefix=identity_prefix,
            behind=identity_prefix + b"\xff" * 8,
            before=before,
            control_id=message.control_id,
            sending_application=message.sending_application,
            sending_facility=message.sending_facility,
        )
        return None if row is None else int(row["id"])

    def held_about(self, lane: str, before: int) -> tuple[int, str] | None:
        row = self._statements.one("held_about", lane=lane, before=before)
        return None if row is None else (row["id"], row["waits_for"])


class MessageChanges(MessageReads):
    """What can be changed of messages."""

    def mark(
        self,
        message_id: int,
        status: Status,
        *,
        at: float,
        cause: Cause | None = None,
        waits_for: str = "",
        about: Sequence[str] = (),
        remarks: Sequence[Remark] = (),
        mapping: str = "",
        mappings_hash: str = "",
    ) -> None:
        marked = self._statements.change(
            "mark_message",
            id=message_id,
            status=status,
            at=at,
            **rows.cause_values(cause),
            waits_for=waits_for,
            remarks=rows.remarks_json(remarks),
            translated=int(status is Status.WAITING),
            mapping=mapping,
            mappings_hash=mappings_hash,
        )
        must_change(marked, "message", message_id)
        for lane in about:
            self._statements.change("hold_lane", message_id=message_id, lane=lane)
        if status is Status.WAITING:
            follow(self._statements, message_id, at)

    def lease(self, message_id: int) -> KeptMessage | None:
        with _damage_of(message_id):
            row = self._statements.one("lease_message", id=message_id)
            return None if row is None else rows.whole_message(row)

    def release(self, key: str, at: float) -> int:
        messages = self._statements.change("release_messages", key=key, at=at)
        found = self._statements.all("held_deliveries", key=key)
        for row in found:
            self._statements.change("release_delivery", id=row["id"], at=at)
            lanes.enter(self._statements, row["target"], row["lane"], row["id"], at)
            follow(self._statements, row["message_id"], at)
        return messages + len(found)

    def park_long_held(self, since: float, hours: str, at: float, limit: int) -> int:
        kind = CauseKind.DID_NOT_COME
        parked = self._statements.change(
            "park_long_held_messages", since=since, cause=kind, hours=hours, at=at, limit=limit
        )
        found = self._statements.all("long_held_deliveries", since=since, limit=limit)
        for row in found:
            cause = Cause(kind, key=row["waits_for"], name=hours)
            of = {"at": at, "cause": cause, "waits_for": row["waits_for"]}
            settle(self._statements, row["id"], Status.PARKED, **of)
        return parked + len(found)


@contextmanager
def _damage_of(message_id: int) -> Iterator[None]:
    """Any damage that is met inside is that of this message."""
    try:
        yield
    except Damaged:
        raise DamagedMessage(message_id) from None


def _within(size: int, found: Iterable[KeptMessage]) -> Iterator[KeptMessage]:
    """The first messages, at least one, until their bodies reach a size."""
    for kept in found:
        yield kept
        size -= len(kept.message.body)
        if size <= 0:
            return


def _until_damage(found: Iterable[KeptMessage]) -> Iterator[KeptMessage]:
    """The messages before the first damaged one, which is reported when it comes first."""
    none_yet = True
    try:
        for kept in found:
            none_yet = False
            yield kept
    except DamagedMessage:
        if none_yet:
            raise
