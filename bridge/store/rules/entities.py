"""Records: what is known of them, where their numbers lead, and what is read again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bridge.delivery import Alias, Entity
from bridge.order import OrderLine
from bridge.store import rows
from bridge.store.records import Again, Mended
from bridge.store.rules.asking import AFTER_ALL, Asking, must_insert, must_take
from bridge.store.rules.mend import mend_aliases
from bridge.store.rules.numbers import number

#: what one statement is asked of; a message names about four
_KEYS_AT_ONCE = 6


class EntityReads(Asking):
    """What can be read of records."""

    def entity(self, resource: str, external_id: str) -> Entity | None:
        row = self._statements.one("entity", resource=resource, external_id=external_id)
        return None if row is None else rows.entity(row)

    def owned_by(self, key: str) -> Sequence[Entity]:
        return [rows.entity(row) for row in self._statements.each("owned_by", owner=key)]

    def of_account(self, number: str) -> Sequence[Entity]:
        return [rows.entity(row) for row in self._statements.each("of_account", number=number)]

    def aliases_of(self, keys: Collection[str]) -> Mapping[str, Alias]:
        asked = [*keys, *(None,) * (-len(keys) % _KEYS_AT_ONCE)]
        return {
            row["key"]: rows.alias(row)
            for first in range(0, len(asked), _KEYS_AT_ONCE)
            for row in self._statements.each("aliases_of", **_numbered(asked[first:]))
        }

    def leading_to(self, key: str) -> Sequence[str]:
        return [row["key"] for row in self._statements.all("aliases_to", leads_to=key)]

    def aliases(self, limit: int, *, before: int | None = None) -> Sequence[Alias]:
        first = AFTER_ALL if before is None else before
        found = self._statements.each("aliases", before=first, limit=limit)
        return [rows.alias(row) for row in found]

    def order_lines(self, visit_id: str) -> Sequence[OrderLine]:
        lines: dict[tuple[str, int], OrderLine] = {}
        for row in self._statements.each("order_lines", visit_id=visit_id):
            line = rows.order_line(row)
            key = line.service, line.occurrence
            before = lines.get(key, OrderLine(visit_id, *key))
            counted = max(before.transactions, line.transactions)
            lines[key] = replace(before if row["refused"] else line, transactions=counted)
        return list(lines.values())

    def link(self, reference: str) -> str | None:
        row = self._statements.one("link", reference=reference)
        return None if row is None else rows.linked(row)


class EntityChanges(EntityReads):
    """What can be changed of records."""

    def put_entity(self, entity: Entity) -> None:
        must_take(self._statements.change("put_entity", **rows.entity_row(entity)), "a record")

    def put_alias(self, alias: Alias) -> None:
        must_take(self._statements.change("put_alias", **rows.alias_row(alias)), "an alias")

    def mend_aliases(self) -> Mended:
        return mend_aliases(self._statements)

    def redirect(self, before: str, after: str) -> None:
        for row in self._statements.all("aliases_to", leads_to=before):
            self.put_alias(replace(rows.alias(row), leads_to=after, retired=True))

    def put_link(self, reference: str, resource: str, external_id: str) -> None:
        put = self._statements.change(
            "put_link",
            reference=reference,
            resource=resource,
            external_id=external_id,
            checksum=rows.link_checksum(reference, resource, external_id),
        )
        must_take(put, "a link")

    def number(self, sequence: str, key: str, first: int) -> int:
        return number(self._statements, sequence, key, first)

    def look_again(self, resource: str, external_id: str, message_id: int, due_at: float) -> None:
        record = {"resource": resource, "external_id": external_id}
        noted = self._statements.change(
            "look_again", **record, message_id=message_id, due_at=due_at
        )
        must_take(noted, "a record to read again")

    def take_again(self, now: float, latest: float, limit: int) -> Sequence[Again]:
        due = self._statements.all("due_again", now=now, latest=latest, limit=limit)
        found = [
            Again(row["resource"], row["external_id"], row["message_id"], row["due_at"])
            for row in due
        ]
        for each in found:
            record = {"resource": each.resource, "external_id": each.external_id}
            self._statements.change("not_again", **record)
        return found

    def add_order_line(self, line: OrderLine, message_id: int) -> None:
        row = rows.order_line_row(line) | {"message_id": message_id}
        must_insert(self._statements.insert("add_order_line", **row), "a line of an order")


def _numbered(keys: Sequence[str | None]) -> dict[str, str | None]:
    """Keys as the parameters of one statement."""
    return {f"key_{number}": key for number, key in enumerate(keys[:_KEYS_AT_ONCE], start=1)}
