"""What every store does, whatever database is behind it.

All changes run as jobs in one writer, in commit order: `await store.run(job)` hands `job` a
`Transaction` and returns what it returned, after the commit is on disk. Jobs that wait together
are committed together (group commit). A job that raises undoes only itself. `store.read(job)`
runs a job on a read-only `View`, never waiting for the writer.

A lane is a queue of deliveries of which one at a time is under way. `claim` leases the lanes
that are ready and returns their heads; `settle`, `postpone` or `block` gives a lane back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from bridge.causes import Cause, CauseKind
from bridge.delivery import Alias, Call, Delivery, Entity, Outcome, Request, Step, Target
from bridge.message import Message, Status
from bridge.order import OrderLine
from bridge.remarks import Remark
from bridge.store.acknowledgments import AcknowledgmentTransaction, AcknowledgmentView, Owing
from bridge.store.notes import NotesTransaction, NotesView
from bridge.store.records import (
    Again,
    Ahead,
    Attempt,
    Keeping,
    Kept,
    KeptMessage,
    ManualTasks,
    MappingVersion,
    ParkedCount,
    Quarantined,
    RemarkCount,
    Tally,
    UnmappedCode,
)

T = TypeVar("T")


class View(AcknowledgmentView, NotesView, Protocol):
    """What can be read."""

    def message(self, message_id: int) -> KeptMessage | None:
        """The message with its body; raises DamagedMessage where its bytes changed on the disk."""
        ...

    def messages(
        self,
        *,
        status: Status | None = None,
        cause: CauseKind | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[KeptMessage]:
        """Newest first, ids below `before`; a list, so their bodies are left empty."""
        ...

    def kept_since(self, at: float, *, after: int = 0, limit: int) -> Sequence[KeptMessage]:
        """Messages received at or after a time and not rejected, with ids above `after`, in commit
        order; fewer than `limit` where their bodies are large, none at the end only.

        One that is damaged comes without its body.
        """
        ...

    def untranslated(self, limit: int) -> Sequence[KeptMessage]:
        """Waiting messages that have not been translated, in commit order.

        Raises DamagedMessage when the first of them is damaged; `mark` it so that the next
        ones can follow.
        """
        ...

    def deliveries_of(self, message_id: int) -> Sequence[Delivery]: ...

    def attempts_of(self, delivery_id: int) -> Sequence[Attempt]: ...

    def entity(self, resource: str, external_id: str) -> Entity | None: ...

    def owned_by(self, key: str) -> Sequence[Entity]:
        """The records whose owner is `patients/P1`."""
        ...

    def of_account(self, number: str) -> Sequence[Entity]:
        """The visits that are of the account of this number, whoever they belong to."""
        ...

    def aliases_of(self, keys: Collection[str]) -> Mapping[str, Alias]:
        """Those of the keys, `patients/P1`, that are aliases."""
        ...

    def aliases(self, limit: int, *, before: int | None = None) -> Sequence[Alias]:
        """Those of the latest messages first, of messages with ids below `before`."""
        ...

    def order_lines(self, visit_id: str) -> Sequence[OrderLine]:
        """What the hospital was sent of a visit's services: each line as the last message left it
        that is neither PARKED nor SUPERSEDED, which the hospital did not take. Their
        `transactions` are counted: no charge has the number of one that was refused."""
        ...

    def link(self, reference: str) -> str | None:
        """External id of the record a reference such as `Patient/123` names, if learnt."""
        ...

    def seen_reference(self, channel: str, reference: str) -> bool:
        """Whether a message with this `reference` was kept and not rejected before."""
        ...

    def earlier(self, identity_prefix: bytes, message: Message, before: int) -> int | None:
        """An earlier message of the same sender and control id whose identity begins so."""
        ...

    def unsettled(self, resource: str, external_id: str, *, besides: int) -> Status | None:
        """Worst status among WAITING, HELD and PARKED of the record's other deliveries."""
        ...

    def held_about(self, lane: str, before: int) -> tuple[int, str] | None:
        """The last earlier message (smaller id) that is held as a whole and would queue in this
        lane, with what it waits for."""
        ...

    def pending(self, resource: str, external_id: str) -> Sequence[Delivery]:
        """The record's deliveries that are WAITING, HELD or PARKED, in the order they came."""
        ...

    def ahead(self, resource: str, external_id: str, lane: str, before: int) -> Ahead | None:
        """The last earlier delivery (smaller id) of the same record that is held, or waits in
        another lane than this."""
        ...

    def next_due(self, target: Target) -> float | None:
        """When the next unleased lane of the target is ready, or None when none waits."""
        ...

    def waiting(self, target: Target) -> int:
        """How many deliveries to a far end wait."""
        ...


class Transaction(View, AcknowledgmentTransaction, NotesTransaction, Protocol):
    """What can be changed, inside a job."""

    def attempt(self, job: Callable[[], T]) -> T:
        """Run a part of a job; where it raises, only what that part changed is undone."""
        ...

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
        given: at or after it, and not PARKED since) and its bytes are whole; then only that
        message's `duplicates` grows. It is an index key: identities that begin with the control
        id cost less than random ones.

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

    def add(
        self,
        message_id: int,
        position: int,
        lane: str,
        call: Call,
        at: float,
        step: Step = Step.APPLY,
    ) -> int:
        """Append a delivery to a lane, due at once; returns its id. With another step than APPLY
        the message, which was done with, waits again."""
        ...

    def claim(self, target: Target, now: float, limit: int) -> Sequence[Delivery]:
        """Lease up to `limit` ready lanes of a target, longest ready first; their heads,
        without the lineage of their calls (`deliveries_of` has it)."""
        ...

    def begin(self, delivery: Delivery, request: Request, at: float) -> int:
        """Write down an attempt before its first byte leaves; returns its id."""
        ...

    def end(self, attempt_id: int, outcome: Outcome, at: float) -> None:
        """Write down how an attempt went."""
        ...

    def settle(
        self,
        delivery_id: int,
        status: Status,
        *,
        at: float,
        cause: Cause | None = None,
        waits_for: str = "",
    ) -> None:
        """End a delivery (HELD included); where it is the head, its lane goes to the next one.

        The message's status follows, and lanes blocked on the record of this delivery wake.
        """
        ...

    def postpone(
        self,
        delivery_id: int,
        step: Step,
        *,
        due_at: float,
        attempts: int,
        cause: Cause | None = None,
    ) -> None:
        """Give a delivery's lane back with this step, due later. It stays the head, but for
        earlier ones released meanwhile, which go first unless it may still take effect (VERIFY).
        """
        ...

    def block(self, delivery_id: int, key: str) -> None:
        """Set a delivery's lane aside until a delivery for `resource/external id` settles;
        earlier ones released meanwhile go first."""
        ...

    def end_waits(
        self, target: Target, now: float, *, resource: str = "", paused_only: bool = False
    ) -> int:
        """Make lanes of a target ready now whose heads wait for their next attempt, or only those
        whose heads are PAUSED; of one resource, where it is named. Returns how many.

        A head that waits out a quiet time (VERIFY) goes on waiting.
        """
        ...

    def supersede(self, resource: str, external_id: str, *, before: int, at: float) -> int:
        """Mark the record's parked deliveries with smaller ids SUPERSEDED, where they were
        parked as `INCOMPLETE`; returns how many."""
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

    def look_again(self, resource: str, external_id: str, message_id: int, due_at: float) -> None:
        """Remember to read a record again; what was remembered of it before is replaced."""
        ...

    def take_again(self, now: float, latest: float, limit: int) -> Sequence[Again]:
        """Take out what is to be read again by `now`, or only after `latest`."""
        ...

    def recover(self, now: float, quiet_seconds: float) -> int:
        """After a crash: give back all leases; a delivery with an unanswered attempt goes to
        VERIFY (hospital: APPLY, at once), due after the quiet time; one that was only reading
        (GET) reads again. The attempt ends as UNKNOWN and counts. Returns how many there were.
        """
        ...

    def put_entity(self, entity: Entity) -> None: ...

    def put_alias(self, alias: Alias) -> None:
        """Remember an alias; what the key led to before is replaced."""
        ...

    def orders_behind(self, delivery_id: int) -> Sequence[int]:
        """Ids of deliveries that wait behind this one in its lane and were compared with it: their
        messages say something of a service that its message names, or that one of theirs does."""
        ...

    def add_order_line(self, line: OrderLine, message_id: int) -> None:
        """Remember what a message sends of a service of a visit."""
        ...

    def redirect(self, before: str, after: str) -> None:
        """Let every alias that leads to one record lead to another; none of them is the number
        that this one goes by."""
        ...

    def put_link(self, reference: str, resource: str, external_id: str) -> None: ...

    def number(self, sequence: str, key: str, first: int) -> int:
        """The key's number in a sequence, the same for ever; taken now if it has none."""
        ...


class Store(Protocol):
    """A store that is open."""

    async def run(self, job: Callable[[Transaction], T]) -> T:
        """Run a job in the writer and return after its commit; raises StoreBusy when nothing
        can be kept now."""
        ...

    async def keep(self, keeping: Keeping) -> Kept:
        """Do as `Transaction.keep`, with others that wait at less cost than one by one."""
        ...

    def read(self, job: Callable[[View], T]) -> T:
        """Run a short job on a read-only view, on the calling thread."""
        ...

    @property
    def pressure(self) -> int:
        """Jobs waiting for the writer now."""
        ...

    @property
    def has_room(self) -> bool:
        """Whether something new could be kept: the disk has as much free as it must have."""
        ...

    async def close(self) -> None: ...


__all__ = [
    "Again",
    "Ahead",
    "Attempt",
    "Kept",
    "KeptMessage",
    "ManualTasks",
    "MappingVersion",
    "ParkedCount",
    "Quarantined",
    "RemarkCount",
    "Store",
    "T",
    "Tally",
    "Transaction",
    "UnmappedCode",
    "View",
]
