"""Doubt: why a call that merges, moves, renames or deletes a record may concern another's.

Such a call cannot be undone at ZautoAI. So it is carried out only where every number that the
message gives for the records of the call leads to one record, issued by the authority that the
message names, and where each record belongs to whom the message says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.causes import Cause, CauseKind
from bridge.delivery import (
    ACCOUNT,
    ACCOUNT_ISSUER,
    OF_IDENTITY,
    Call,
    Entity,
    Interaction,
    Role,
    StatedNumber,
)
from bridge.pipeline.records.aliases import Authorities, issued_by
from bridge.pipeline.records.folding import conflict, conflicting
from bridge.pipeline.records.identity import same_issuer
from bridge.pipeline.records.known import KnownRecords


class DoubtfulCall(Exception):
    """A call of a message that cannot be undone is in doubt: nothing of the message is done."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.kind)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Doubts:
    """Judges the calls of one message, each against what is known when it is its turn."""

    known: KnownRecords
    same_authorities: Authorities
    #: everything that the message asks for
    calls: Sequence[Call]

    def refuse_clearing(self) -> None:
        """Raise DoubtfulCall where it is in doubt which record a deletion is about."""
        for call in self.calls:
            if call.clears:
                self.refuse(call)

    def refuse(self, call: Call) -> None:
        """Raise DoubtfulCall where it is in doubt which records a call is about."""
        if cause := self._doubt(call):
            raise DoubtfulCall(cause)

    def issuer(self, call: Call, role: Role, external_id: str) -> str:
        """Who issued a number, "" where the message names nobody."""
        return next(iter(self._issuers(call, role, external_id)), "")

    def _issuers(self, call: Call, role: Role, external_id: str) -> list[str]:
        """Everybody the message names as the issuer of a number: where the number stands, and
        where another call for the record takes it from."""
        key = self._key(call, role, external_id)
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

    def _doubt(self, call: Call) -> Cause | None:
        chosen = self._chosen(call)
        for role, external_id in chosen.items():
            if cause := self._of_issuer(call, role, external_id):
                return cause
        if self._are_two(call, chosen) or self._leads_astray(call):
            return Cause(CauseKind.TWO_RECORDS, resource=call.resource)
        if call.interaction is Interaction.RENAME and self._is_taken(call):
            return Cause(CauseKind.NUMBER_TAKEN, resource=call.resource)
        if self._is_anothers(call, chosen):
            return Cause(CauseKind.ANOTHER_OWNER, resource=call.resource)
        return None

    def _chosen(self, call: Call) -> dict[Role, str]:
        """The number of each record that the call is carried out by."""
        ids = {Role.ID: call.external_id, Role.INTO: call.into, Role.OWNER: self._owner(call)}
        return {role: external_id for role, external_id in ids.items() if external_id}

    def _owner(self, call: Call) -> str:
        """The owner that a call names: of one about identity in a field of its own."""
        if call.interaction in OF_IDENTITY:
            return call.owner
        name = self.known.catalogue[call.resource].owner()
        return str(call.payload.get(name or "") or "")

    def _key(self, call: Call, role: Role, external_id: str) -> str:
        if self._is_owner(call, role) and self._has_owner(call):
            return self.known.owner_key(call.resource, external_id)
        return f"{call.resource}/{external_id}"

    def _is_owner(self, call: Call, role: Role) -> bool:
        """Whether a role is that of the record that the call's own belongs to, or did before."""
        moves = role is Role.INTO and call.interaction is Interaction.MOVE
        return moves or role is Role.OWNER

    def _of_issuer(self, call: Call, role: Role, external_id: str) -> Cause | None:
        """Why the number may not be the known one: another issued it, or the message does not
        say who did."""
        issuers = self._issuers(call, role, external_id) or [""]
        key = self._key(call, role, external_id)
        for known in (*self._known_as(key), *self._of_account(call, key)):
            for issuer in issuers:
                stated = replace(call, authority=issuer, references=())
                if conflicting(known, stated, self.same_authorities):
                    return conflict(known, stated)
            if known.authority and issuers == [""]:
                return Cause(CauseKind.NO_ISSUER, resource=call.resource, issuer=known.authority)
        return None

    def _known_as(self, key: str) -> Iterator[Entity]:
        """What goes by a number: the alias, and the record that was made under it."""
        alias, entity = self.known.alias(key), self.known.entity(key)
        if alias is not None:
            resource, _, external_id = key.partition("/")
            issuer = issued_by(self.known.tx, alias)
            yield Entity(resource, external_id, authority=issuer)
        if entity is not None:
            yield entity

    def _of_account(self, call: Call, key: str) -> Iterator[Entity]:
        """What visits say of an account, which is no record: who issued its number."""
        if not key.startswith(f"{ACCOUNT}/"):
            return
        owners = self._owners(call, self._chosen(call))
        for visit in self.known.visits_of_account(self.known.record(key)):
            if visit.owner in owners:
                issuer = visit.facts.get(ACCOUNT_ISSUER, "")
                yield Entity(ACCOUNT, key.partition("/")[2], authority=issuer)

    def _are_two(self, call: Call, chosen: Mapping[Role, str]) -> bool:
        """Whether the numbers of one record lead to two that are known.

        The other record of a merge or a change of number may be listed with either: it is the
        one that the call is about.
        """
        records = {
            role: self.known.record(self._key(call, role, external_id))
            for role, external_id in chosen.items()
        }
        joined = set() if call.interaction is Interaction.MOVE else set(records.values())
        return any(
            record != records[number.role] and record not in joined
            for number in call.numbers
            if number.role in records and (record := self._found(call, number))
        )

    def _found(self, call: Call, number: StatedNumber) -> str:
        """The known record that one of a record's numbers leads to, "" for none."""
        key = self._key(call, number.role, number.external_id)
        for known in self._known_as(key):
            if same_issuer(known.authority, number.authority, self.same_authorities):
                return self.known.record(key)
        return ""

    def _owners(self, call: Call, chosen: Mapping[Role, str]) -> set[str]:
        """The records that the call's own may belong to."""
        return {
            self.known.record(self.known.owner_key(call.resource, external_id))
            for role, external_id in chosen.items()
            if self._is_owner(call, role)
        }

    def _leads_astray(self, call: Call) -> bool:
        """Whether a record that moves while its number stays has another number before: a patient
        who belongs to another person (A43), of whom the bridge knows nothing."""
        if call.interaction is not Interaction.MOVE or self._has_owner(call):
            return False
        prior = self.known.record(call.key)
        return self.known.entity(prior) is not None and prior != self.known.record(
            f"{call.resource}/{call.into}"
        )

    def _has_owner(self, call: Call) -> bool:
        return bool(self.known.owner_key(call.resource, call.into or call.external_id))

    def _is_taken(self, call: Call) -> bool:
        """Whether the new number is a known record's, and the call's own is another."""
        if call.resource == ACCOUNT or self.known.of(call.key) is None:
            return False
        other = self.known.record(f"{call.resource}/{call.into}")
        return other != self.known.record(call.key) and self.known.entity(other) is not None

    def _is_anothers(self, call: Call, chosen: Mapping[Role, str]) -> bool:
        """Whether what the call is about belongs to a record that the message does not name."""
        if not self._has_owner(call):
            return False
        owners = self._owners(call, chosen)
        if call.resource == ACCOUNT:
            visits = self.known.visits_of_account(self.known.record(call.key))
            return bool(visits) and all(visit.owner not in owners for visit in visits)
        named = [call.key]
        if call.interaction in (Interaction.MERGE, Interaction.RENAME):
            named.append(f"{call.resource}/{call.into}")
        known = [visit for key in named if (visit := self.known.of(key)) is not None]
        if not owners:
            return len({visit.owner for visit in known}) > 1
        return any(visit.owner not in ("", *owners) for visit in known)
