"""What is to be done at a far end, and how it went: the records between mapping and senders.

A message is translated into a `Translation` holding `Call`s; the planner keeps each call as a
`Delivery` in a lane; deliver turns the head of a lane into a `Request` or settles it at once;
a sender makes the request, and its `Outcome` settles the delivery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from bridge.causes import Cause, sentence
from bridge.lineage import Trace
from bridge.message import Status, Verdict
from bridge.order import OrderLine
from bridge.remarks import Remark

#: a JSON object as it will be sent: None is an explicit null ("delete the stored value")
Payload: TypeAlias = dict[str, Any]


class Target(StrEnum):
    """The far end of a call."""

    ZAUTO = "zauto"
    HOSPITAL = "hospital"


class Interaction(StrEnum):
    """What a call wants to be true afterwards."""

    #: the record exists and holds the fields of the payload
    UPSERT = "upsert"
    #: the record exists; what it holds, where it exists already, is left alone
    CREATE = "create"
    #: the record is not there any more
    DELETE = "delete"
    #: the HL7 message is with the hospital
    SEND = "send"
    #: the record is another one's, `into`, and what belonged to it belongs to that
    MERGE = "merge"
    #: the record belongs to `into` and no longer to its owner
    MOVE = "move"
    #: the record goes by another number, `into`
    RENAME = "rename"

    # every call is looked up in OF_IDENTITY, and an Enum's own hash is written in Python
    __hash__ = str.__hash__


#: what concerns numbers and whose a record is: done in the bridge, with calls that follow from it
OF_IDENTITY = frozenset({Interaction.MERGE, Interaction.MOVE, Interaction.RENAME})

#: what stands in place of a resource for HL7's level between patient and visit (PID-18, MRG-3)
ACCOUNT = "account"
#: the fact of a visit that says who issued the number of its account
ACCOUNT_ISSUER = "accountAuthority"
#: the resource whose records have one
ACCOUNT_OF = "patient-visits"
#: the fact of a call that marks a record because the sender deleted it
DELETED = "deleted"


class Role(StrEnum):
    """Which of the records of a call a number is for."""

    #: the one that the call is about
    ID = "id"
    #: the one that it leads to, or belongs to from then on
    INTO = "into"
    #: the one that it belongs to, or belonged to
    OWNER = "owner"


class StatedNumber(NamedTuple):
    """A number by which a message names one of the records of a call."""

    role: Role
    external_id: str
    #: who issued it; "" when the source named nobody
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Allocation:
    """A number the planner must take from a durable sequence before the call is kept."""

    field: str
    #: name of the sequence, `uhid`
    sequence: str
    #: what the number belongs to; the same key always gets the same number
    key: str


class OtherId(NamedTuple):
    """Another external id that a call's record may be known by."""

    external_id: str
    #: who issued it; "" when the source named nobody
    authority: str = ""
    #: the source does not say that it is the record's: it counts only where a record of the same
    #: owner goes by it
    guessed: bool = False


# Not frozen, for the same reason: a frozen one of eleven fields takes three times as long.
@dataclass(slots=True)
class Call:
    """One thing a message asks of a far end; never changed."""

    target: Target
    interaction: Interaction
    #: catalogue name, `patients`; for the hospital the message type, `RDE^O11`
    resource: str
    #: the record's id in the hospital's words (ZautoAI's external id); ORC-2 for an order
    external_id: str
    payload: Payload
    #: fields sent when the record is made and never by an update (`on: create`)
    create_only: frozenset[str] = frozenset()
    #: assigning authority of the external id; "" when the source named none
    authority: str = ""
    #: other names of the record, so that later messages find it: `Patient/123`
    references: tuple[str, ...] = ()
    #: what is worth remembering of the record beyond the payload, for orders out
    facts: Mapping[str, str] = field(default_factory=dict)
    allocations: tuple[Allocation, ...] = ()
    lineage: tuple[Trace, ...] = ()
    #: of a call about identity: the external id of the record that it leads to or belongs to
    into: str = ""
    #: of a call about identity: the external id of the record that it belonged to before
    owner: str = ""
    #: other external ids of the record; what is planned has none
    also: tuple[OtherId, ...] = ()
    #: all numbers that the message gives for the records of the call; what is planned has none
    numbers: tuple[StatedNumber, ...] = ()
    #: of an order: each line as it is once this is sent; remembered apart from the call
    order_lines: tuple[OrderLine, ...] = ()

    @property
    def key(self) -> str:
        """Names the record, `patients/P1`."""
        return f"{self.resource}/{self.external_id}"

    @property
    def clears(self) -> bool:
        """Whether it is made because the sender deleted the record."""
        return self.interaction is Interaction.DELETE or DELETED in self.facts

    @property
    def is_final(self) -> bool:
        """Whether it cannot be undone: any doubt about it keeps the whole message back."""
        return self.interaction in OF_IDENTITY or self.clears


class UnknownCode(NamedTuple):
    """A code that no row of a code table knows."""

    table: str
    code: str
    #: the message waits for a row
    held: bool

    @property
    def key(self) -> str:
        """What a message that waits for its row waits for."""
        return code_key(self.table, self.code)


def code_key(table: str, code: str) -> str:
    """What messages wait for that wait for a row of a code table: `codes/gender/W`."""
    return f"codes/{table}/{code}"


# Not frozen, for the same reason.
@dataclass(slots=True)
class Translation:
    """What a mapping made of a message: the same inputs give the same calls; never changed."""

    #: name of the mapping, `hl7v2/adt_registration`
    mapping: str
    #: content hash of the whole set of mappings
    mappings_hash: str
    calls: tuple[Call, ...]
    warnings: tuple[Remark, ...] = ()
    #: references, records or rows of code tables that must be known first (`Patient/123`,
    #: `patient-visits/V1`, `codes/gender/W`); when there are any, `calls` is empty and the message
    #: is held for the first
    needs: tuple[str, ...] = ()
    #: why there are no calls although the mapping handles the message; None otherwise
    cause: Cause | None = None
    #: codes without a row that were met, each once; patient data, maybe
    unknown_codes: tuple[UnknownCode, ...] = ()
    #: the calls of a message that is held, for the lane it would queue in
    held_calls: tuple[Call, ...] = ()

    @property
    def problem(self) -> str:
        """The cause as a sentence, "" where there is none."""
        return sentence(self.cause, reveal=True) if self.cause else ""


class Step(StrEnum):
    """What the next request of a delivery to ZautoAI is for."""

    #: make the record what the payload says
    APPLY = "apply"
    #: find out by GET whether an unanswered request took effect
    VERIFY = "verify"
    #: find out by GET whether a 409 names the same person or visit
    IDENTIFY = "identify"
    #: the read showed it absent: POST the fold, whatever the shadow says
    POST = "post"
    #: the read showed it there and ours, but different: PUT the fold
    PUT = "put"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A kept call with its place in a lane."""

    id: int
    message_id: int
    #: order of the call within its message, from 0
    position: int
    lane: str
    call: Call
    status: Status
    step: Step
    #: requests made so far that the far end may have seen
    attempts: int
    #: seconds since the epoch before which nothing is tried
    due_at: float
    #: why it is where it is
    cause: Cause | None = None
    #: `resource/external id` or `Type/id` this waits for while held
    waits_for: str = ""

    @property
    def reason(self) -> str:
        """The cause as a sentence, with all patient data; "" where there is none."""
        return sentence(self.cause, reveal=True) if self.cause else ""


@dataclass(frozen=True, slots=True)
class Entity:
    """One record at ZautoAI, as far as the bridge knows; a hint that answers correct."""

    resource: str
    external_id: str
    #: the fold of what messages said, including what could not be sent yet
    desired: Payload = field(default_factory=dict)
    #: values of create-only fields, for a record that must be made again
    initial: Payload = field(default_factory=dict)
    #: the fold of what ZautoAI accepted; None while it is not known to exist there
    sent: Payload | None = None
    authority: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    #: the record it belongs to, `patients/P1` of a visit; "" where it belongs to none
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """A number that leads to a record: of one that was merged into it, or of its own."""

    #: `patients/P1`
    key: str
    #: `patients/P2`: a record of the bridge's, never an alias in turn (or of itself)
    leads_to: str
    #: who issued the number; "" where nobody was named
    authority: str
    #: it is not the number that the record goes by now
    retired: bool
    #: the message that said so
    message_id: int
    #: seconds since the epoch
    at: float

    @property
    def external_id(self) -> str:
        """The external id of the record it leads to."""
        return self.leads_to.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to ZautoAI, written down before its first byte leaves."""

    #: POST, PUT or GET
    method: str
    resource: str
    external_id: str
    #: None for GET
    body: Payload | None
    #: look the record up in the list, because it cannot be read by its id
    by_list: bool = False


class Kind(StrEnum):
    """How a request went: what a retry looks at, and nothing else."""

    DELIVERED = "delivered"
    #: trying again unchanged cannot help
    PERMANENT = "permanent"
    #: it had no effect and may work later
    TRANSIENT = "transient"
    #: it may or may not have had an effect
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a request ended as it did; every row of the state table has one."""

    ACCEPTED = "accepted"
    FOUND = "found"
    ABSENT = "absent"
    #: 2xx that does not parse, says error, is cut or over the cap
    UNREADABLE_ANSWER = "unreadable answer"
    WRONG_RECORD = "answered for another record"
    #: nothing was sent
    UNREACHABLE = "not reachable"
    CERTIFICATE = "certificate not trusted"
    NO_ANSWER = "no answer"
    SERVER_ERROR = "server error"
    DUPLICATE = "external id exists already"
    NOT_FOUND = "record does not exist there"
    REFERENT_MISSING = "a record it refers to does not exist there"
    INVALID = "refused as invalid"
    UNAUTHORIZED = "token refused"
    BAD_CREDENTIALS = "client credentials refused"
    FORBIDDEN = "not permitted"
    LIMITED = "over the call limit"
    REDIRECTED = "redirected"
    UNEXPECTED = "unexpected answer"
    #: a 404 or 405 without the API's error body: a proxy, or an endpoint that is not there
    NOT_THE_API = "not answered by its API"
    #: the catalogue or settings say that there is no such endpoint
    NOT_OFFERED = "not offered by its API"
    #: hospital side
    REFUSED = "refused by the hospital"
    BUSY = "hospital cannot take it now"


class NetworkFault(StrEnum):
    """What on the way to a far end failed; UNREACHABLE and NO_ANSWER do not say it."""

    REFUSED = "refused"
    DNS = "dns"
    TLS = "tls"
    TIMEOUT = "timeout"
    #: the connection ended, or there is no route
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field ZautoAI refused, in its words."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request went."""

    kind: Kind
    reason: Reason
    #: HTTP status, or None when there was no answer
    status: int | None = None
    #: for people; may hold what the far end said, so it is stored but never logged
    detail: str = ""
    field_errors: tuple[FieldError, ...] = ()
    #: the record as the far end holds it, where the answer carried it
    record: Payload | None = None
    #: do not try again before this many seconds from now, where the far end said so
    retry_after: float | None = None
    #: who the cause lies with, when it is not delivered
    verdict: Verdict | None = None
    #: MSA-1, then ERR-3 and ERR-4 of each error: `AE, 204 E`; "" where no HL7 message answered
    code: str = ""
    #: what failed on the way, where something did
    fault: NetworkFault | None = None
