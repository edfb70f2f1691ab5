"""Messages in the store: their part of its contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bridge.causes import Cause, CauseKind
from bridge.message import Message, Status
from bridge.remarks import Remark
from bridge.store.acknowledgments import Owing
from bridge.store.records import Kept, KeptMessage


def identity_prefix(control_id: str) -> bytes:
    """What the identities of all messages with this control id begin with."""
    return control_id.encode()[:20]


class MessageView(Protocol):
    """What can be read of messages."""

    def message(self, message_id: int) -> KeptMessage | None:
        """The message with its body; raises DamagedMessage where its bytes changed on the disk, or
        it cannot be read."""
        ...

    def channel_of(self, message_id: int) -> str:
        """The channel that a message came in through."""
        ...

    def messages(
        self,
        *,
        status: Status | None = None,
        cause: CauseKind | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[KeptMessage]:
        """Newest first, ids below `before`; a list, so their bodies are left empty. Of one that
        is damaged comes what can be read."""
        ...

    def kept_since(self, at: float, *, after: int = 0, limit: int) -> Sequence[KeptMessage]:
        """Messages received at or after a time and not rejected, with ids above `after`, in commit
        order; fewer than `limit` where their bodies are large, none at the end only.

        One that is damaged comes without its body, with what else can be read.
        """
        ...

    def untranslated(self, limit: int) -> Sequence[KeptMessage]:
        """Waiting messages that have not been translated, in commit order.

        Raises DamagedMessage when the first of them is damaged; `mark` it so that the next
        ones can follow.
        """
        ...

    def seen_reference(self, channel: str, reference: str) -> bool:
        """Whether a message with this `reference` was kept and not rejected before."""
        ...

    def earlier(self, identity_prefix: bytes, message: Message, before: int) -> int | None:
        """An earlier message of the same sender and control id whose identity begins so."""
        ...

    def held_about(self, lane: str, before: int) -> tuple[int, str] | None:
        """The last earlier message (smaller id) that is held as a whole and would queue in this
        lane, with what it waits for."""
        ...


class MessageTransaction(MessageView, Protocol):
    """What can be changed of messages."""

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
        """Keep a message, or find that it is a duplicate; raises StoreBusy on a full disk.

        It is one when a message with the same `identity` was kept (where `identity_since` is
        given: at or after it, and not PARKED since), but for one that is not done with and whose
        bytes are gone or damaged; then only that message's `duplicates` grows. It is an index
        key: identities that begin with the control id cost less than random ones.

        An `owing` is kept with it. It is due once the message is translated, or settled (neither
        WAITING nor HELD), whichever the owing names; settled is enough for both. A duplicate
        makes one that was SENT or ABANDONED due again: its sender did not see it.
        """
        ...

    def quarantine(self, channel: str, peer: str, reason: str, head: bytes, at: float) -> None:
        """Keep the first bytes of something that was not a message; raises StoreBusy."""
        ...

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
        """Record what became of a message as a whole.

        WAITING means it is translated, with deliveries added in the same job: from now on its
        status, cause and `waits_for` are those of the worst of them. `about` are the lanes that a
        held message would queue in, where later ones must not pass it.
        """
        ...

    def lease(self, message_id: int) -> KeptMessage | None:
        """The message, for who translates it: until the commit nobody else has it. None where it
        waits for no translation any more, or another has it; raises DamagedMessage."""
        ...

    def release(self, key: str, at: float) -> int:
        """Make messages and deliveries held for `key` WAITING again, each at its old place
        in its lane; returns how many. A message held as a whole is untranslated again. One
        whose request is under way, or may still take effect (VERIFY), is not overtaken."""
        ...

    def park_long_held(self, since: float, hours: str, at: float, limit: int) -> int:
        """Park messages and deliveries HELD since `since`, which is so many hours ago, or longer,
        at most `limit` of each. Returns how many."""
        ...
