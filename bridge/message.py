"""What comes in, and what is answered: the records every room above knows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple


class Protocol(StrEnum):
    """How a message came in, which is also how it is read."""

    HL7V2 = "hl7v2"
    FHIR = "fhir"
    ORDERS = "orders"


class Indicator(Enum):
    """A value that is a statement about a value."""

    #: the sender says the stored value is to be deleted (HL7 v2 `""`, chapter 2.4.3.1)
    DELETE = "delete"


DELETE = Indicator.DELETE


# What is made anew for every message is a named tuple here and in the rooms above: a frozen
# dataclass costs three to five times as much to make.


class Message(NamedTuple):
    """One message as it came in; `body` is never re-encoded."""

    #: the channel it came by, as named in the settings
    channel: str
    protocol: Protocol
    #: `ADT^A04`, a FHIR resource type, `prescription-order` or `service-order`
    message_type: str
    #: MSH-10; for FHIR and orders the Idempotency-Key or "" when the sender gave none
    control_id: str
    #: MSH-3 and MSH-4 as sent; "" for FHIR and orders
    sending_application: str
    sending_facility: str
    #: seconds since the epoch, UTC
    received_at: float
    #: the bytes as they came, without framing
    body: bytes
    #: what the sender calls the thing: `Patient/123` for FHIR; "" elsewhere
    reference: str = ""

    @property
    def sender(self) -> str:
        """Sending application and facility by their namespaces (HD.1), `MEDIS|RIVERSIDE`; of
        FHIR and orders, which name none, the channel."""
        if not self.sending_application and not self.sending_facility:
            return self.channel
        return f"{_namespace(self.sending_application)}|{_namespace(self.sending_facility)}"


#: stands for what a sender wrote where a message type belongs
NOT_A_TYPE = "(not a message type)"
#: MSH-9 (code, trigger event, structure), and what the FHIR and order doors name themselves
_TYPE = re.compile(
    r"[A-Z0-9]{3}(\^[A-Z0-9]{1,3})?(\^[A-Z0-9_]{1,20})?"
    r"|Patient|Encounter|(prescription|service)-order"
)


def shown_type(message_type: str) -> str:
    """A message type where it looks like one; anything else may be a misplaced value."""
    return message_type if not message_type or _TYPE.fullmatch(message_type) else NOT_A_TYPE


def _namespace(name: str) -> str:
    """The first component of an HD, the whole where that is empty."""
    return name.partition("^")[0] or name


@dataclass(frozen=True, slots=True)
class AckError:
    """One ERR: where, what, how bad (ERR-2, ERR-3, ERR-4 of chapter 2.14.5)."""

    #: a path such as `MSH-10`; "" when no place can be named
    location: str
    #: HL7 table 0357
    code: int
    text: str
    #: table 0516: E, W or I
    severity: str = "E"


class Acknowledgment(NamedTuple):
    """What a sender is told (MSA and ERR), before it is written in the sender's own dress."""

    #: table 0008: AA AE AR CA CE CR
    code: str
    #: MSA-2: the sender's control id, exactly
    control_id: str
    text: str = ""
    errors: tuple[AckError, ...] = ()


class Owed(NamedTuple):
    """An application acknowledgment that goes back by the connection which brought its message."""

    #: the message's number in the store
    message_id: int
    #: the sender, by whose other connections it may go where that one has ended
    route: str


class Reply(NamedTuple):
    """What an MLLP sender gets for one frame."""

    #: the acknowledgment to send, without framing; None where the sender wants none
    acknowledgment: bytes | None
    #: hang up after it (nothing that follows on this connection can be trusted)
    close: bool = False
    #: what follows later by this connection
    owes: tuple[Owed, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an HTTP sender gets for what was kept."""

    #: the message's number in the store; for FHIR also the version id
    id: int
    #: for FHIR the resource's id, given or assigned
    resource_id: str = ""
    #: the FHIR resource was not known before
    created: bool = True
    #: the same order was kept before; `id` is that one's
    duplicate: bool = False


class Status(StrEnum):
    """What became of a message or a delivery; the same words everywhere people look."""

    #: not yet translated, or due, or waiting for its turn, a retry or the limit
    WAITING = "waiting"
    #: waits for something named in `waits_for`, and releases itself when that arrives
    HELD = "held"
    #: a person must act; `reason` says on what
    PARKED = "parked"
    #: the far end has it
    DELIVERED = "delivered"
    #: the far end already had it: no call was needed
    SUPPRESSED = "suppressed"
    #: a later message carried its content
    SUPERSEDED = "superseded"
    #: kept and acknowledged; no mapping takes this message type
    UNMAPPED = "unmapped"
    #: refused with a negative acknowledgment, and kept for the record
    REJECTED = "rejected"
    #: came again with the same sender, control id and bytes; answered as before
    DUPLICATE = "duplicate"


#: worst first: a message's status is the worst of its deliveries
WORST_FIRST: tuple[Status, ...] = (
    Status.REJECTED,
    Status.PARKED,
    Status.HELD,
    Status.WAITING,
    Status.UNMAPPED,
    Status.DELIVERED,
    Status.SUPERSEDED,
    Status.SUPPRESSED,
    Status.DUPLICATE,
)


def worst(statuses: list[Status]) -> Status:
    """The status of a message with deliveries of these statuses (none: suppressed)."""
    for status in WORST_FIRST:
        if status in statuses:
            return status
    return Status.SUPPRESSED


class Verdict(StrEnum):
    """Where the cause lies of everything that is not delivered."""

    SENDER = "sender's data"
    MAPPING = "mapping"
    BRIDGE = "bridge"
    NETWORK = "network"
    ZAUTO = "ZautoAI"
    HOSPITAL = "hospital"
    LIMIT = "limit"
