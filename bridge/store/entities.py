"""What is known of records, and of their numbers: their part of the store's contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bridge.delivery import Alias, Entity
from bridge.order import OrderLine
from bridge.store.records import Again, Mended


class EntityView(Protocol):
    """What can be read of records."""

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

    def leading_to(self, key: str) -> Sequence[str]:
        """The keys of the aliases that lead to a record, `patients/P1`."""
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


class EntityTransaction(EntityView, Protocol):
    """What can be changed of records."""

    def put_entity(self, entity: Entity) -> None: ...

    def put_alias(self, alias: Alias) -> None:
        """Remember an alias; what the key led to before is replaced."""
        ...

    def mend_aliases(self) -> Mended:
        """At a start: compare all aliases with their checksums, and correct those of which a
        single bit changed. One that is damaged still raises DamagedRecord when it is read."""
        ...

    def redirect(self, before: str, after: str) -> None:
        """Let every alias that leads to one record lead to another; none of them is the number
        that this one goes by."""
        ...

    def put_link(self, reference: str, resource: str, external_id: str) -> None: ...

    def number(self, sequence: str, key: str, first: int) -> int:
        """The key's number in a sequence, the same for ever; taken now if it has none."""
        ...

    def look_again(self, resource: str, external_id: str, message_id: int, due_at: float) -> None:
        """Remember to read a record again; what was remembered of it before is replaced."""
        ...

    def take_again(self, now: float, latest: float, limit: int) -> Sequence[Again]:
        """Take out what is to be read again by `now`, or only after `latest`."""
        ...

    def add_order_line(self, line: OrderLine, message_id: int) -> None:
        """Remember what a message sends of a service of a visit."""
        ...
