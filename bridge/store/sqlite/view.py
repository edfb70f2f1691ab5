"""What can be read of the store, on any connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from bridge.causes import CauseKind
from bridge.delivery import Alias, Delivery, Entity, Target
from bridge.errors import DamagedMessage, StoreError
from bridge.message import Message, Status, worst
from bridge.order import OrderLine
from bridge.store.acknowledgments import Answering, ApplicationAcknowledgment
from bridge.store.contract import (
    Ahead,
    Attempt,
    KeptMessage,
    ManualTasks,
    MappingVersion,
    ParkedCount,
    Quarantined,
    RemarkCount,
    Tally,
    UnmappedCode,
)
from bridge.store.sqlite import rows
from bridge.store.sqlite.sql import SQL

#: more than any id SQLite makes
_AFTER_ALL = 2**63 - 1
#: bytes of bodies that `untranslated` reads at once
_BODIES_AT_ONCE = 64 * 1024 * 1024
#: types without a mapping that are told of
_MOST_TYPES = 20
#: what one query is asked of; a message names about four
_KEYS_AT_ONCE = 6


class SqliteView:
    """The contract's `View` on a connection whose rows are `sqlite3.Row`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _each(self, query: str, *values: object) -> Generator[sqlite3.Row, None, None]:
        """The rows of a query, read as they are asked for; raises StoreError."""
        try:
            yield from self._connection.execute(SQL[query], values)
        except sqlite3.Error as error:
            raise StoreError(f"The store cannot be read: {error}.") from error

    def _one(self, query: str, *values: object) -> sqlite3.Row | None:
        return next(self._each(query, *values), None)

    def _all(self, query: str, *values: object) -> list[sqlite3.Row]:
        return list(self._each(query, *values))

    def message(self, message_id: int) -> KeptMessage | None:
        row = self._one("message", message_id)
        return None if row is None else rows.whole_message(row)

    def messages(
        self,
        *,
        status: Status | None = None,
        cause: CauseKind | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[KeptMessage]:
        first = _AFTER_ALL if before is None else before
        if cause is not None:
            found = self._each("messages_of_cause", cause, first, status, limit)
        elif status is None:
            found = self._each("messages", first, limit)
        else:
            found = self._each("messages_of_status", status, first, limit)
        return [rows.kept_message(row, b"") for row in found]

    def kept_since(self, at: float, *, after: int = 0, limit: int) -> Sequence[KeptMessage]:
        with closing(self._each("kept_since", after, at, limit)) as found:
            return [rows.message_or_husk(row) for row in _within(_BODIES_AT_ONCE, found)]

    def untranslated(self, limit: int) -> Sequence[KeptMessage]:
        # Closed at once: the error about a damaged message would keep the statement open.
        with closing(self._each("untranslated", limit)) as found:
            return list(_until_damage(_within(_BODIES_AT_ONCE, found)))

    def deliveries_of(self, message_id: int) -> Sequence[Delivery]:
        return [rows.delivery(row, lineage=True) for row in self._each("deliveries_of", message_id)]

    def attempts_of(self, delivery_id: int) -> Sequence[Attempt]:
        return [rows.attempt(row) for row in self._all("attempts_of", delivery_id)]

    def entity(self, resource: str, external_id: str) -> Entity | None:
        row = self._one("entity", resource, external_id)
        return None if row is None else rows.entity(row)

    def owned_by(self, key: str) -> Sequence[Entity]:
        return [rows.entity(row) for row in self._all("owned_by", key)]

    def of_account(self, number: str) -> Sequence[Entity]:
        return [rows.entity(row) for row in self._all("of_account", number)]

    def aliases_of(self, keys: Collection[str]) -> Mapping[str, Alias]:
        asked = [*keys, *(None,) * (-len(keys) % _KEYS_AT_ONCE)]
        return {
            row["key"]: rows.alias(row)
            for first in range(0, len(asked), _KEYS_AT_ONCE)
            for row in self._each("aliases_of", *asked[first : first + _KEYS_AT_ONCE])
        }

    def aliases(self, limit: int, *, before: int | None = None) -> Sequence[Alias]:
        first = _AFTER_ALL if before is None else before
        return [rows.alias(row) for row in self._all("aliases", first, limit)]

    def order_lines(self, visit_id: str) -> Sequence[OrderLine]:
        lines: dict[tuple[str, int], OrderLine] = {}
        for row in self._all("order_lines", visit_id):
            line = rows.order_line(row)
            key = line.service, line.occurrence
            before = lines.get(key, OrderLine(visit_id, *key))
            counted = max(before.transactions, line.transactions)
            lines[key] = replace(before if row["refused"] else line, transactions=counted)
        return list(lines.values())

    def link(self, reference: str) -> str | None:
        row = self._one("link", reference)
        return None if row is None else row["external_id"]

    def seen_reference(self, channel: str, reference: str) -> bool:
        return self._one("seen_reference", channel, reference) is not None

    def earlier(self, identity_prefix: bytes, message: Message, before: int) -> int | None:
        behind = identity_prefix + b"\xff" * 8
        sender = (message.sending_application, message.sending_facility)
        row = self._one("earlier", identity_prefix, behind, before, message.control_id, *sender)
        return None if row is None else int(row["id"])

    def unsettled(self, resource: str, external_id: str, *, besides: int) -> Status | None:
        found = self._all("unsettled", resource, external_id, besides)
        return worst([Status(row["status"]) for row in found]) if found else None

    def pending(self, resource: str, external_id: str) -> Sequence[Delivery]:
        found = self._all("pending", resource, external_id)
        return [rows.delivery(row, lineage=False) for row in found]

    def held_about(self, lane: str, before: int) -> tuple[int, str] | None:
        row = self._one("held_about", lane, before)
        return None if row is None else (row["id"], row["waits_for"])

    def ahead(self, resource: str, external_id: str, lane: str, before: int) -> Ahead | None:
        row = self._one("ahead", resource, external_id, lane, before)
        return None if row is None else Ahead(Status(row["status"]), row["waits_for"])

    def next_due(self, target: Target) -> float | None:
        row = self._one("next_due", target)
        return None if row is None else row["ready_at"]

    def waiting(self, target: Target) -> int:
        row = self._one("waiting_for", target)
        return 0 if row is None else int(row[0])

    def tally(self) -> Tally:
        counts = self._all("counts")
        oldest = self._one("oldest_waiting")
        return Tally(
            messages=_by_status(counts, "message"),
            deliveries=_by_status(counts, "delivery"),
            oldest_waiting=None if oldest is None else oldest[0],
            held_for=[(row["waits_for"], row["waiting"]) for row in self._all("held_for")],
            quarantined=sum(row["count"] for row in counts if row["kind"] == "quarantine"),
            unmapped_types=_most(counts, "unmapped"),
            acknowledgments={
                Answering(row["status"]): row["count"]
                for row in counts
                if row["kind"] == "acknowledgment"
            },
        )

    def remark_counts(self, limit: int, *, sender: str = "") -> Sequence[RemarkCount]:
        return [RemarkCount(*row) for row in self._all("remark_counts", sender, limit)]

    def remark_totals(self) -> Mapping[tuple[str, str], int]:
        found = self._all("remark_totals")
        return {(row["path"], row["code"]): row["count"] for row in found}

    def tasks(self) -> Sequence[ManualTasks]:
        return [ManualTasks(*row) for row in self._all("tasks")]

    def parked_counts(self, limit: int) -> Sequence[ParkedCount]:
        return [ParkedCount(*row) for row in self._all("parked_counts", limit)]

    def parked_by_cause(self) -> Mapping[str, int]:
        return {row["cause"]: row["count"] for row in self._all("parked_by_cause")}

    def quarantined(self, limit: int) -> Sequence[Quarantined]:
        return [Quarantined(*row) for row in self._all("quarantined", limit)]

    def note(self, key: str) -> str | None:
        row = self._one("note", key)
        return None if row is None else row["value"]

    def mapping_version(self, hash: str) -> MappingVersion | None:
        row = self._one("version", hash)
        return None if row is None else rows.mapping_version(row)

    def mapping_versions(self, limit: int) -> Sequence[tuple[str, float]]:
        return [(row["hash"], row["first_used_at"]) for row in self._all("versions", limit)]

    def unmapped_codes(self, limit: int) -> Sequence[UnmappedCode]:
        return [UnmappedCode(*row) for row in self._all("codes", limit)]

    def acknowledgment(self, message_id: int) -> ApplicationAcknowledgment | None:
        row = self._one("acknowledgment", message_id)
        return None if row is None else rows.acknowledgment(row)

    def due_lines(self) -> Sequence[str]:
        return [row["line"] for row in self._all("due_lines")]

    def due_acknowledgments(self, line: str, limit: int) -> Sequence[ApplicationAcknowledgment]:
        return [rows.acknowledgment(row) for row in self._all("due_acknowledgments", line, limit)]


def _by_status(counts: Iterable[sqlite3.Row], kind: str) -> dict[Status, int]:
    return {Status(row["status"]): row["count"] for row in counts if row["kind"] == kind}


def _most(counts: Iterable[sqlite3.Row], kind: str) -> list[tuple[str, int]]:
    found = [(row["status"], row["count"]) for row in counts if row["kind"] == kind]
    return sorted(found, key=lambda each: (-each[1], each[0]))[:_MOST_TYPES]


def _within(size: int, found: Iterable[sqlite3.Row]) -> Iterator[sqlite3.Row]:
    """The first rows, at least one, until their bodies reach a size."""
    for row in found:
        yield row
        size -= len(row["bytes"])
        if size <= 0:
            return


def _until_damage(found: Iterable[sqlite3.Row]) -> Iterator[KeptMessage]:
    """The messages before the first damaged one, which is reported when it comes first."""
    none_yet = True
    for row in found:
        try:
            message = rows.whole_message(row)
        except DamagedMessage:
            if none_yet:
                raise
            return
        none_yet = False
        yield message
