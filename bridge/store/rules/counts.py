"""Counts and notes: what the store keeps beside messages and records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.message import Status
from bridge.remarks import Remark
from bridge.store import rows
from bridge.store.acknowledgments import Answering
from bridge.store.records import (
    ManualTasks,
    MappingVersion,
    ParkedCount,
    Quarantined,
    RemarkCount,
    Tally,
    UnmappedCode,
)
from bridge.store.rules.asking import Asking, must_take
from bridge.store.statements import Row

#: types without a mapping, and things that are waited for, of which a status tells
_MOST = 20


class CountReads(Asking):
    """What can be read of them."""

    def tally(self) -> Tally:
        counts = self._statements.all("counts")
        oldest = self._statements.one("oldest_waiting")
        held_for = self._statements.all("held_for", limit=_MOST)
        return Tally(
            messages=_by_status(counts, "message"),
            deliveries=_of_deliveries(counts),
            oldest_waiting=None if oldest is None else oldest["at"],
            held_for=[(row["waits_for"], row["count"]) for row in held_for],
            quarantined=sum(row["count"] for row in counts if row["kind"] == "quarantine"),
            unmapped_types=_most(counts, "unmapped"),
            acknowledgments={
                Answering(row["status"]): row["count"]
                for row in counts
                if row["kind"] == "acknowledgment"
            },
        )

    def remark_counts(self, limit: int, *, sender: str = "") -> Sequence[RemarkCount]:
        found = self._statements.all("remark_counts", sender=sender, limit=limit)
        return [RemarkCount(**_columns(row, RemarkCount._fields)) for row in found]

    def remark_totals(self) -> Mapping[tuple[str, str], int]:
        found = self._statements.all("remark_totals")
        return {(row["path"], row["code"]): row["count"] for row in found}

    def tasks(self) -> Sequence[ManualTasks]:
        found = self._statements.all("tasks")
        return [ManualTasks(**_columns(row, ManualTasks._fields)) for row in found]

    def parked_counts(self, limit: int) -> Sequence[ParkedCount]:
        found = self._statements.all("parked_counts", limit=limit)
        return [ParkedCount(**_columns(row, ParkedCount._fields)) for row in found]

    def parked_by_cause(self) -> Mapping[str, int]:
        return {row["cause"]: row["count"] for row in self._statements.all("parked_by_cause")}

    def quarantined(self, limit: int) -> Sequence[Quarantined]:
        found = self._statements.all("quarantined", limit=limit)
        return [Quarantined(**_columns(row, Quarantined.__slots__)) for row in found]

    def note(self, key: str) -> str | None:
        row = self._statements.one("note", key=key)
        return None if row is None else row["value"]

    def mapping_version(self, hash: str) -> MappingVersion | None:
        row = self._statements.one("version", hash=hash)
        return None if row is None else rows.mapping_version(row)

    def mapping_versions(self, limit: int) -> Sequence[tuple[str, float]]:
        found = self._statements.all("versions", limit=limit)
        return [(row["hash"], row["first_used_at"]) for row in found]

    def unmapped_codes(self, limit: int) -> Sequence[UnmappedCode]:
        found = self._statements.all("codes", limit=limit)
        return [UnmappedCode(**_columns(row, UnmappedCode.__slots__)) for row in found]


class CountChanges(CountReads):
    """What can be changed of them."""

    def count_remark(self, sender: str, remark: Remark, message_id: int, at: float) -> None:
        counted = self._statements.change(
            "count_remark",
            sender=sender,
            path=remark.place,
            code=str(remark.code),
            at=at,
            name=remark.name,
            message_id=message_id,
        )
        must_take(counted, "the count of a remark")

    def forget_remarks(self, most: int) -> None:
        self._statements.change("forget_remarks", most=most)

    def add_task(self, message_id: int, what: str, at: float) -> None:
        self._statements.change("add_task", message_id=message_id, what=what, at=at)

    def count_code(self, table: str, code: str, sender: str, at: float) -> None:
        self._statements.change("count_code", table=table, code=code, sender=sender, at=at)

    def forget_code(self, table: str, code: str, sender: str) -> None:
        self._statements.change("forget_code", table=table, code=code, sender=sender)

    def forget_codes(self, most: int) -> int:
        return self._statements.change("forget_codes", most=most)

    def put_note(self, key: str, value: str) -> None:
        must_take(self._statements.change("put_note", key=key, value=value), "a note")

    def keep_mappings(self, version: MappingVersion) -> None:
        self._statements.change(
            "keep_version",
            hash=version.hash,
            first_used_at=version.first_used_at,
            folders=rows.to_json([dict(folder) for folder in version.folders]),
            legend=rows.to_json([list(line) for line in version.legend]),
        )


def _columns(row: Row, names: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _by_status(counts: Iterable[Row], kind: str) -> dict[Status, int]:
    return {Status(row["status"]): row["count"] for row in counts if row["kind"] == kind}


def _of_deliveries(counts: Iterable[Row]) -> dict[Status, int]:
    """Those of all destinations together."""
    summed: Counter[Status] = Counter()
    for row in counts:
        if row["kind"].startswith("delivery/"):
            summed[Status(row["status"])] += row["count"]
    return dict(summed)


def _most(counts: Iterable[Row], kind: str) -> list[tuple[str, int]]:
    found = [(row["status"], row["count"]) for row in counts if row["kind"] == kind]
    return sorted(found, key=lambda each: (-each[1], each[0]))[:_MOST]
