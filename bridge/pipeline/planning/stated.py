"""Stated records: what a message says of the records that its calls are about.

By which numbers it names them, who issued these, and whom the records belong to: `doubt` holds it
against what is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.delivery import OF_IDENTITY, Call, Interaction, Role
from bridge.pipeline.records.known import KnownRecords


@dataclass(frozen=True, slots=True)
class StatedRecords:
    """Reads the calls of one message."""

    known: KnownRecords
    #: everything that the message asks for
    calls: Sequence[Call]

    def issuer(self, call: Call, role: Role, external_id: str) -> str:
        """Who issued a number, "" where the message names nobody."""
        return next(iter(self.issuers(call, role, external_id)), "")

    def issuers(self, call: Call, role: Role, external_id: str) -> list[str]:
        """Everybody the message names as the issuer of a number: where the number stands, and
        where another call for the record takes it from."""
        key = self.key(call, role, external_id)
        own = [call.authority] if role is Role.ID else []
        beside = [
            number.authority
            for number in call.numbers
            if (number.role, number.external_id) == (role, external_id)
        ]
        others = [
            each.authority
            for each in self.calls
            if each.key == key and each.interaction not in OF_IDENTITY
        ]
        return [issuer for issuer in (*own, *beside, *others) if issuer]

    def chosen(self, call: Call) -> dict[Role, str]:
        """The number of each record that the call is carried out by."""
        ids = {Role.ID: call.external_id, Role.INTO: call.into, Role.OWNER: self._owner(call)}
        return {role: external_id for role, external_id in ids.items() if external_id}

    def _owner(self, call: Call) -> str:
        """The owner that a call names: of one about identity in a field of its own."""
        if call.interaction in OF_IDENTITY:
            return call.owner
        name = self.known.catalogue[call.resource].owner()
        return str(call.payload.get(name or "") or "")

    def key(self, call: Call, role: Role, external_id: str) -> str:
        """The key of the record that a call names by this number in this role."""
        if self._is_owner(call, role) and self.has_owner(call):
            return self.known.owner_key(call.resource, external_id)
        return f"{call.resource}/{external_id}"

    def _is_owner(self, call: Call, role: Role) -> bool:
        """Whether a role is that of the record that the call's own belongs to, or did before."""
        moves = role is Role.INTO and call.interaction is Interaction.MOVE
        return moves or role is Role.OWNER

    def owners(self, call: Call) -> set[str]:
        """The records that the call's own may belong to."""
        return {
            self.known.record(self.known.owner_key(call.resource, external_id))
            for role, external_id in self.chosen(call).items()
            if self._is_owner(call, role)
        }

    def has_owner(self, call: Call) -> bool:
        """Whether such records belong to others."""
        return bool(self.known.owner_key(call.resource, call.into or call.external_id))
