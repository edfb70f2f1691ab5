"""Crosswalk: one record that senders know by several ids, such as a visit and its appointment.

Scheduling books a visit under the appointment's number; when the patient comes, registration calls
it by a visit number. What any of a call's ids leads to is the record, and those that lead nowhere
yet become aliases of it. Two records that are there already stay two: only a merge joins them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.delivery import OF_IDENTITY, Alias, Call, Entity, OtherId, Target
from bridge.pipeline.records.aliases import Authorities, follow_all
from bridge.pipeline.records.identity import owner_key, same_issuer
from bridge.remarks import Remark, RemarkCode
from bridge.store.contract import Transaction
from bridge.zauto.catalogue import Catalogue

#: the fact that says by which other id the source knows a record
_ALSO = "also"


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """Finds the records of one message's calls."""

    tx: Transaction
    catalogue: Catalogue
    same_authorities: Authorities
    message_id: int
    at: float

    def join(self, calls: Sequence[Call]) -> tuple[tuple[Call, ...], tuple[Remark, ...]]:
        """The calls, each about the record that its ids lead to, and what is odd about that.

        Their aliases must have been followed.
        """
        if not any(call.also for call in calls):
            return tuple(calls), ()
        joined: list[Call] = []
        remarks: list[Remark] = []
        for call in calls:
            if call.also and call.target is Target.ZAUTO and call.interaction not in OF_IDENTITY:
                call, odd = self._join(call)
                remarks += [Remark(odd, call.resource)] if odd else []
            joined.append(call)
        return follow_all(self.tx, joined, self.catalogue, self.same_authorities), tuple(remarks)

    def _join(self, call: Call) -> tuple[Call, RemarkCode | None]:
        own = OtherId(call.external_id, call.authority)
        stated = [other for other in call.also if not other.guessed]
        odd: RemarkCode | None = None
        record = self._record(call.resource, own)
        if record is None and self._is_taken(call.resource, own):
            return replace(call, also=()), None  # another issuer's: parked as a conflict
        if record is not None and self._is_anothers(record, stated):
            call, odd, own = _under(call, stated[0]), RemarkCode.ID_OF_ANOTHER, stated[0]
            record = self._record(call.resource, own)
        others = self._stated(call, stated)
        if record is None:
            record = next(iter(others or self._guessed(call)), None)
        if any(other != record for other in others):
            odd = odd or RemarkCode.TWO_RECORDS
        into = call.external_id if record is None else record.external_id
        for other in (own, *stated):
            self._lead(call.resource, other, into)
        known_as = {_ALSO: stated[0].external_id} if stated else {}
        return replace(call, also=(), facts={**call.facts, **known_as}), odd

    def _stated(self, call: Call, stated: Sequence[OtherId]) -> list[Entity]:
        """The records that the call's other ids lead to, of those that can be what it is about."""
        found = [self._record(call.resource, other) for other in stated]
        return [each for each in found if each and not self._is_anothers(each, stated)]

    def _guessed(self, call: Call) -> list[Entity]:
        """The records of the same owner that go by an id which may be this one's."""
        owner = owner_key(self.catalogue[call.resource], call.payload)
        found = [self._record(call.resource, other) for other in call.also if other.guessed]
        return [each for each in found if each is not None and each.owner == owner]

    def _record(self, resource: str, other: OtherId) -> Entity | None:
        """The record that goes by an id, unless it is another issuer's."""
        key = f"{resource}/{other.external_id}"
        alias = self.tx.aliases_of([key]).get(key)
        found = self.tx.entity(resource, alias.external_id if alias else other.external_id)
        issuer = alias.authority if alias else found.authority if found else ""
        return found if same_issuer(issuer, other.authority, self.same_authorities) else None

    def _is_taken(self, resource: str, other: OtherId) -> bool:
        """Whether an id leads somewhere, whoever issued it."""
        taken = self.tx.aliases_of([f"{resource}/{other.external_id}"])
        return bool(taken) or self.tx.entity(resource, other.external_id) is not None

    def _is_anothers(self, record: Entity, stated: Sequence[OtherId]) -> bool:
        """Whether the source knows the record by other ids than these.

        One visit number may stand in a series of appointments, and so may the number of the request
        they were booked for; of each its own number, the first that is stated, is what counts.
        """
        known_as = record.facts.get(_ALSO)
        if not stated or known_as in (None, *(other.external_id for other in stated)):
            return False
        return self._record(record.resource, stated[0]) != record

    def _lead(self, resource: str, other: OtherId, into: str) -> None:
        """Let an id lead to the record, where it leads nowhere yet."""
        if other.external_id == into or self._is_taken(resource, other):
            return
        key, record = f"{resource}/{other.external_id}", f"{resource}/{into}"
        alias = Alias(key, record, other.authority, False, self.message_id, self.at)
        self.tx.put_alias(alias)
        self.tx.release(key, self.at)


def _under(call: Call, other: OtherId) -> Call:
    payload = {**call.payload, "id": other.external_id}
    return replace(call, external_id=other.external_id, authority=other.authority, payload=payload)
