"""What a store counts and notes beside messages and records: their part of its contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from bridge.remarks import Remark
from bridge.store.records import (
    ManualTasks,
    MappingVersion,
    ParkedCount,
    Quarantined,
    RemarkCount,
    Tally,
    UnmappedCode,
)


class NotesView(Protocol):
    """What can be read."""

    def tally(self) -> Tally: ...

    def remark_counts(self, limit: int, *, sender: str = "") -> Sequence[RemarkCount]:
        """The remarks that were met most often, in the messages of a sender or of all."""
        ...

    def remark_totals(self) -> Mapping[tuple[str, str], int]:
        """How often each remark was met, by path and code."""
        ...

    def tasks(self) -> Sequence[ManualTasks]:
        """What persons must do by hand, the oldest first."""
        ...

    def parked_counts(self, limit: int) -> Sequence[ParkedCount]:
        """Parked messages by cause and sender, most first."""
        ...

    def parked_by_cause(self) -> Mapping[str, int]:
        """How many messages are parked for each cause that any was parked for."""
        ...

    def quarantined(self, limit: int) -> Sequence[Quarantined]:
        """What was no message, newest first."""
        ...

    def note(self, key: str) -> str | None:
        """A small value kept by name, such as whether delivery is paused."""
        ...

    def mapping_version(self, hash: str) -> MappingVersion | None:
        """The set of mappings with this content hash."""
        ...

    def mapping_versions(self, limit: int) -> Sequence[tuple[str, float]]:
        """Hashes of the sets that were in use and since when, the latest first."""
        ...

    def unmapped_codes(self, limit: int) -> Sequence[UnmappedCode]:
        """Codes without a row, those that most messages wait for first."""
        ...


class NotesTransaction(Protocol):
    """What can be changed."""

    def put_note(self, key: str, value: str) -> None: ...

    def keep_mappings(self, version: MappingVersion) -> None:
        """Keep a set of mappings; one that is kept already stays as it is."""
        ...

    def count_code(self, table: str, code: str, sender: str, at: float) -> None:
        """A code without a row was met once more."""
        ...

    def count_remark(self, sender: str, remark: Remark, message_id: int, at: float) -> None:
        """A remark was met once more in the messages of a sender: in this one."""
        ...

    def forget_remarks(self, most: int) -> None:
        """Forget the counts of remarks beyond the `most` that were met last."""
        ...

    def add_task(self, message_id: int, what: str, at: float) -> None:
        """Note that a person must do something by hand because of a message; once is enough."""
        ...

    def forget_code(self, table: str, code: str, sender: str) -> None:
        """The table knows it now, as this sender uses it."""
        ...

    def forget_codes(self, most: int) -> int:
        """Forget codes that no message waits for, beyond the `most` that were met last; returns
        how many."""
        ...
