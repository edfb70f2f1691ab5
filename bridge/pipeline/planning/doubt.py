"""Doubt: why a call that merges, moves, renames or deletes a record may concern another's.

Such a call cannot be undone at ZautoAI. So it is carried out only where every number that the
message gives for the records of the call leads to one record, issued by the authority that the
message names, and where each record belongs to whom the message says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bridge.causes import Cause, CauseKind
from bridge.delivery import ACCOUNT, ACCOUNT_ISSUER, Call, Entity, Interaction, Role, StatedNumber
from bridge.pipeline.planning.stated import StatedRecords
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
    stated: StatedRecords

    def refuse_clearing(self) -> None:
        """Raise DoubtfulCall where it is in doubt which record a deletion is about."""
        for call in self.stated.calls:
            if call.clears:
                self.refuse(call)

    def refuse(self, call: Call) -> None:
        """Raise DoubtfulCall where it is in doubt which records a call is about."""
        if cause := self._doubt(call):
            raise DoubtfulCall(cause)

    def _doubt(self, call: Call) -> Cause | None:
        chosen = self.stated.chosen(call)
        for role, external_id in chosen.items():
            if cause := self._of_issuer(call, role, external_id):
                return cause
        if self._are_two(call, chosen) or self._leads_astray(call):
            return Cause(CauseKind.TWO_RECORDS, resource=call.resource)
        if call.interaction is Interaction.RENAME and self._is_taken(call):
            return Cause(CauseKind.NUMBER_TAKEN, resource=call.resource)
        if self._is_anothers(call):
            return Cause(CauseKind.ANOTHER_OWNER, resource=call.resource)
        return None

    def _of_issuer(self, call: Call, role: Role, external_id: str) -> Cause | None:
        """Why the number may not be the known one: another issued it, or the message does not
        say who did."""
        issuers = self.stated.issuers(call, role, external_id) or [""]
        key = self.stated.key(call, role, external_id)
        for known in (*self._known_as(key), *self._of_account(call, key)):
            for issuer in issuers:
                named = replace(call, authority=issuer, references=())
                if conflicting(known, named, self.same_authorities):
                    return conflict(known, named)
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
        owners = self.stated.owners(call)
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
            role: self.known.record(self.stated.key(call, role, external_id))
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
        key = self.stated.key(call, number.role, number.external_id)
        for known in self._known_as(key):
            if same_issuer(known.authority, number.authority, self.same_authorities):
                return self.known.record(key)
        return ""

    def _leads_astray(self, call: Call) -> bool:
        """Whether a record that moves while its number stays has another number before: a patient
        who belongs to another person (A43), of whom the bridge knows nothing."""
        if call.interaction is not Interaction.MOVE or self.stated.has_owner(call):
            return False
        prior = self.known.record(call.key)
        return self.known.entity(prior) is not None and prior != self.known.record(
            f"{call.resource}/{call.into}"
        )

    def _is_taken(self, call: Call) -> bool:
        """Whether the new number is a known record's, and the call's own is another."""
        if call.resource == ACCOUNT or self.known.of(call.key) is None:
            return False
        other = self.known.record(f"{call.resource}/{call.into}")
        return other != self.known.record(call.key) and self.known.entity(other) is not None

    def _is_anothers(self, call: Call) -> bool:
        """Whether what the call is about belongs to a record that the message does not name."""
        if not self.stated.has_owner(call):
            return False
        owners = self.stated.owners(call)
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
