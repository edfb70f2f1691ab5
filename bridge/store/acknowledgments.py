"""Application acknowledgments in the store: their records, and their part of its contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from bridge.causes import Cause


class Answering(StrEnum):
    """Where an application acknowledgment is."""

    #: waits for what becomes of its message
    OWED = "owed"
    #: may be sent, or is tried again
    DUE = "due"
    SENT = "sent"
    #: MSH-16 asks for none of this outcome (ER, SU)
    UNWANTED = "unwanted"
    #: could not be sent in time, or was refused: `cause` says so
    ABANDONED = "abandoned"


#: what the route to a sender begins with; no host has this name
BACK = "same/"


class Owing(NamedTuple):
    """The application acknowledgment that a message is owed."""

    #: MSH-16: AL, ER or SU
    asked: str
    #: what it waits for, as the channel's setting says: `translation` or `delivery`
    after: str
    #: where it goes: `host:port`, or the name of a sender whose connection it is to go back by
    route: str


def goes_back(route: str) -> bool:
    """Whether a route is a sender's own connection, rather than an address."""
    return route.startswith(BACK)


@dataclass(frozen=True, slots=True)
class ApplicationAcknowledgment:
    """The later answer to one message."""

    message_id: int
    owing: Owing
    state: Answering
    #: MSA-1, "" until it is written
    code: str
    #: the whole message without framing, b"" until it is written
    body: bytes
    #: one sentence for people: why it is not sent yet, or was not
    cause: Cause | None
    #: since when it is in its state, seconds since the epoch
    changed_at: float


class AcknowledgmentView(Protocol):
    """What can be read of them."""

    def acknowledgment(self, message_id: int) -> ApplicationAcknowledgment | None:
        """The application acknowledgment of a message that is owed one."""
        ...

    def due_routes(self) -> Sequence[str]:
        """The routes by which application acknowledgments are due."""
        ...

    def due_acknowledgments(self, route: str, limit: int) -> Sequence[ApplicationAcknowledgment]:
        """What is due by a route, in the order in which the messages were kept."""
        ...


class AcknowledgmentTransaction(Protocol):
    """What can be changed of them; `Transaction.keep` makes them, and says when they are due."""

    def write_acknowledgment(self, message_id: int, code: str, body: bytes) -> None:
        """Keep what an application acknowledgment says: MSA-1, and the whole message."""
        ...

    def change_acknowledgment(
        self, message_id: int, state: Answering, *, at: float, cause: Cause | None = None
    ) -> None:
        """Record what became of an application acknowledgment."""
        ...

    def abandon_acknowledgments(self, since: float, cause: Cause, at: float) -> int:
        """Give up what has been due since `since` or longer; returns how many."""
        ...
