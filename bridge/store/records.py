"""What a store is given to keep, and what is read out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bridge.causes import Cause, domain, sentence
from bridge.delivery import Outcome, Request
from bridge.lineage import Legend
from bridge.message import Message, Status, Verdict
from bridge.remarks import Remark
from bridge.store.acknowledgments import Answering, Owing


class Keeping(NamedTuple):
    """What `Transaction.keep` is told of one message, so that a store can keep many at once."""

    message: Message
    status: Status
    #: MSA-1, and the bytes of the answer; b"" where none is wanted
    answer_code: str
    acknowledgment: bytes
    #: by which a copy is recognised; None where none shall be
    identity: bytes | None
    cause: Cause | None = None
    owing: Owing | None = None


class Mended(NamedTuple):
    """What comparing the store with its checksums came to."""

    #: rows of which one bit had changed, and that are right again
    mended: int
    #: rows that are damaged still
    lost: int


class Ahead(NamedTuple):
    """A delivery that another must not pass."""

    status: Status
    #: what it is held for
    waits_for: str


class Kept(NamedTuple):
    """What keeping a message came to."""

    id: int
    #: the stored answer, byte for byte: of the first copy where this is a duplicate
    acknowledgment: bytes
    duplicate: bool


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message in the store, and what became of it."""

    id: int
    #: its body empty where `body_gone`, or where a list was asked for
    message: Message
    status: Status
    #: MSA-1 or the HTTP status it was answered with, and the bytes of that answer
    answer_code: str
    acknowledgment: bytes
    #: why it is where it is; may hold patient data, never logged
    cause: Cause | None = None
    #: what the translation met and continued from
    remarks: Sequence[Remark] = ()
    #: what it waits for while held as a whole
    waits_for: str = ""
    #: name of the mapping and hash of the set it was translated with; "" before
    mapping: str = ""
    mappings_hash: str = ""
    #: how often the same message came again
    duplicates: int = 0
    #: when its status last changed, seconds since the epoch
    changed_at: float = 0.0
    #: it is done with, and its body was let go
    body_gone: bool = False

    @property
    def reason(self) -> str:
        """The cause as a sentence, with all patient data; "" where there is none."""
        return sentence(self.cause, reveal=True) if self.cause else ""

    @property
    def verdict(self) -> Verdict | None:
        """Who has to act; None where nobody has to."""
        return domain(self.cause) if self.cause else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a delivery; `outcome` is None while unanswered."""

    id: int
    delivery_id: int
    #: None where what was written down fails its checksum
    request: Request | None
    started_at: float
    ended_at: float | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What came in and was no message."""

    id: int
    #: seconds since the epoch
    at: float
    channel: str
    #: address it came from
    peer: str
    reason: str
    #: its first bytes, at most 4,096
    head: bytes


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """A set of mappings that was in use."""

    hash: str
    #: seconds since the epoch
    first_used_at: float
    #: what its files said, by name, one table for each folder; later ones override earlier ones
    folders: Sequence[Mapping[str, str]]
    #: what the lineage of its calls refers to
    legend: Legend


@dataclass(frozen=True, slots=True)
class UnmappedCode:
    """A code that no row of a code table knows, as one sender uses it."""

    table: str
    code: str
    #: sending application and facility, `MEDIS|RIVERSIDE`
    sender: str
    #: messages it was met in
    count: int
    #: seconds since the epoch
    first_at: float
    last_at: float
    #: messages that wait for a row
    waiting: int


class RemarkCount(NamedTuple):
    """How often one sender's messages brought a remark."""

    sender: str
    path: str
    code: str
    number: int
    #: seconds since the epoch
    first_at: float
    last_at: float
    #: the constant that the sentence of the latest one names
    name: str
    #: the latest message with it
    message_id: int


class ManualTasks(NamedTuple):
    """Messages because of which a person must do something by hand."""

    #: a kind of cause, or a code of a remark
    what: str
    number: int
    #: seconds since the epoch
    since: float


class ParkedCount(NamedTuple):
    """How many messages of one sender are parked for one cause."""

    #: a `CauseKind`
    cause: str
    sending_application: str
    sending_facility: str
    channel: str
    number: int
    #: when the oldest of them came, seconds since the epoch
    oldest: float


@dataclass(frozen=True, slots=True)
class Again:
    """A record that is to be read again, because a request about it went unanswered."""

    resource: str
    external_id: str
    #: the message whose request it was
    message_id: int
    #: epoch seconds
    due_at: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts for `bridge status`, pages and metrics."""

    #: messages by status, and deliveries by status
    messages: Mapping[Status, int]
    deliveries: Mapping[Status, int]
    #: when the oldest waiting message came, or None
    oldest_waiting: float | None
    #: what is waited for, with how many messages and deliveries wait, most first, at most 20
    held_for: Sequence[tuple[str, int]]
    quarantined: int
    #: message types that no mapping takes, with how many came, most first, at most 20
    unmapped_types: Sequence[tuple[str, int]] = ()
    #: application acknowledgments by state
    acknowledgments: Mapping[Answering, int] = field(default_factory=dict)
