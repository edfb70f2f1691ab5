"""Identities: records that become one, a visit that becomes another patient's, a new number.

ZautoAI has no call for any of it. What the bridge knows changes at once, so that every later
message is about the right record; what ZautoAI holds follows by updates of the visits. These
queue where the record before queued: behind all that was under way for it, and `referents` keeps
what comes later for one of the visits behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.delivery import (
    ACCOUNT,
    ACCOUNT_OF,
    OF_IDENTITY,
    Alias,
    Call,
    Entity,
    Interaction,
    Payload,
    Target,
)
from bridge.message import Status
from bridge.pipeline.aliases import Authorities
from bridge.store.contract import Transaction
from bridge.zauto.catalogue import Catalogue
from bridge.zauto.folding import conflict, conflicting, learn
from bridge.zauto.identity import owner_key, same_issuer

_UNSEEN = "what ZautoAI has of it from other sources must be put right by hand"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a call about identity."""

    call: Call
    #: for people; holds no patient data
    report: str
    #: it would have touched a record that may be another's, so that nothing was done
    refused: bool = False
    #: what ZautoAI must be told because of it, each with its lane
    following: tuple[tuple[str, Call], ...] = ()


@dataclass(frozen=True, slots=True)
class Identities:
    """Carries out the calls about identity of one message."""

    tx: Transaction
    catalogue: Catalogue
    same_authorities: Authorities
    message_id: int
    at: float
    #: everything that the message asks for
    calls: Sequence[Call]

    def carry_out(self) -> list[Done]:
        """Do it, before the message's other calls are planned."""
        return [self._one(call) for call in self.calls if call.interaction in OF_IDENTITY]

    def _one(self, call: Call) -> Done:
        if reason := self._not_ours(call):
            return Done(call, reason, refused=True)
        if call.into == call.external_id and call.interaction is not Interaction.MOVE:
            return Done(call, "both numbers are the same: nothing changes")
        match call.interaction:
            case Interaction.MOVE:
                return self._move(call)
            case _ if call.resource == ACCOUNT:
                return self._renumber_account(call)
            case Interaction.MERGE:
                return self._merge(call)
            case _:
                return self._rename(call)

    def _not_ours(self, call: Call) -> str:
        """Why one of the records may be another's, "" where none is."""
        others = (each for each in self.calls if each.interaction not in OF_IDENTITY)
        for each in (call, *others):
            known = self.tx.entity(each.resource, each.external_id)
            if known is not None and conflicting(known, each, self.same_authorities):
                return conflict(known, each)
            alias = self.tx.aliases_of([each.key]).get(each.key)
            if alias and not same_issuer(alias.authority, each.authority, self.same_authorities):
                issued = Entity(each.resource, each.external_id, authority=alias.authority)
                return conflict(issued, each)
        return ""

    def _merge(self, call: Call) -> Done:
        prior, into = self._record(call.key), self._record(f"{call.resource}/{call.into}")
        if prior == into:
            self._go_by(call, into)
            return Done(call, "they are one record already")
        before, after = self._entity(prior), self._entity(into)
        if before and after and before.owner != after.owner:
            return Done(call, "conflict: the two belong to different records", refused=True)
        self._lead(call, prior, into)
        visits = self.tx.owned_by(prior)
        count = self._count(visits)
        following, marks = self._give(visits, into, prior), []
        if before is not None:
            self._inherit(before, into)
            marks = self._mark(before, call)
        self._let_go(prior)
        report = _merged(before, count, is_marked=bool(marks))
        return Done(call, report, following=(*following, *marks))

    def _rename(self, call: Call) -> Done:
        record, other = self._record(call.key), f"{call.resource}/{call.into}"
        if self._entity(record) is None:
            # nothing was ever sent of it: it begins under its new number
            self._alias(call.key, self._record(other), call.authority, retired=True)
            return Done(call, f"the bridge has seen no record of the number before: {_UNSEEN}")
        if self._record(other) != record and self._is_known(other):
            reason = "conflict: another record has the new number already; only a merge joins two"
            return Done(call, reason, refused=True)
        self._alias(call.key, record, call.authority, retired=True)
        self._alias(other, record, "", retired=False)
        self.tx.release(other, self.at)
        return Done(call, "goes by the new number from now on")

    def _move(self, call: Call) -> Done:
        before, into = self._owner(call.owner), self._owner(call.into)
        if call.resource == ACCOUNT:
            moved = self._of_account(before, self._record(call.key))
        else:
            known = self._entity(self._record(call.key))
            moved = [known] if known is not None else []
            if known is not None and known.owner not in ("", before, into):
                reason = "conflict: it belongs to another record than the message says"
                return Done(call, reason, refused=True)
        following = self._give([each for each in moved if each.owner != into], into, before)
        if any(self._has(each, Status.HELD) for each in moved):
            # for the patient before, maybe, who may never come
            self.tx.release(before, self.at)
        told = _told(len(moved), "re-pointed") if moved else "the bridge has seen no such visit"
        return Done(call, told, following=tuple(following))

    def _renumber_account(self, call: Call) -> Done:
        """Accounts merge or change their number: ZautoAI has no place for them."""
        prior, into = self._record(call.key), self._record(f"{ACCOUNT}/{call.into}")
        _, _, number = into.partition("/")
        visits = self._of_account(self._owner(call.owner), prior)
        for visit in visits:
            self.tx.put_entity(replace(visit, facts={**visit.facts, ACCOUNT: number}))
        if prior != into:
            self._lead(call, prior, into)
        return Done(call, f"{_told(len(visits), 'noted')} under the other account")

    def _of_account(self, owner: str, account: str) -> list[Entity]:
        _, _, number = account.partition("/")
        return [each for each in self.tx.owned_by(owner) if each.facts.get(ACCOUNT) == number]

    def _record(self, key: str) -> str:
        """The record that a number leads to."""
        alias = self.tx.aliases_of([key]).get(key)
        return alias.leads_to if alias is not None else key

    def _owner(self, external_id: str) -> str:
        """The record that owns visits under this number."""
        visit = self.catalogue[ACCOUNT_OF]
        return self._record(owner_key(visit, {visit.owner() or "": external_id}))

    def _entity(self, key: str) -> Entity | None:
        resource, _, external_id = key.partition("/")
        return self.tx.entity(resource, external_id)

    def _is_known(self, key: str) -> bool:
        return self._entity(self._record(key)) is not None

    def _go_by(self, call: Call, record: str) -> None:
        """Of two numbers of one record, the one that a merge calls the surviving one counts."""
        self._alias(call.key, record, call.authority, retired=True)
        self._alias(f"{call.resource}/{call.into}", record, "", retired=False)

    def _lead(self, call: Call, prior: str, into: str) -> None:
        """Let every number of the record before lead to the other."""
        self.tx.redirect(prior, into)
        for key in {prior, call.key}:
            self._alias(key, into, call.authority, retired=True)

    def _alias(self, key: str, leads_to: str, authority: str, *, retired: bool) -> None:
        self.tx.put_alias(Alias(key, leads_to, authority, retired, self.message_id, self.at))

    def _give(self, visits: Iterable[Entity], into: str, lane: str) -> list[tuple[str, Call]]:
        """Let records belong to another; returns what ZautoAI must be told of those it has."""
        _, _, owner = into.partition("/")
        following = []
        for each in visits:
            name = self.catalogue[each.resource].owner() or ""
            self.tx.put_entity(
                replace(
                    each,
                    owner=into,
                    desired=_with(each.desired, name, owner),
                    initial=_with(each.initial, name, owner),
                    facts=_with(each.facts, name, owner),
                )
            )
            if self._is_there(each):
                following.append((lane, _update(each, {name: owner})))
        return following

    def _is_there(self, entity: Entity) -> bool:
        """ZautoAI has the record, or gets it."""
        return entity.sent is not None or self._has(entity, Status.WAITING)

    def _has(self, entity: Entity, status: Status) -> bool:
        """Whether one of its deliveries is so."""
        pending = self.tx.pending(entity.resource, entity.external_id)
        return any(each.status is status for each in pending)

    def _count(self, entities: Iterable[Entity]) -> int:
        """How many there are: those that were deleted, and said no more of, are remembered too."""
        return sum(
            each.sent is not None or bool(self.tx.pending(each.resource, each.external_id))
            for each in entities
        )

    def _inherit(self, before: Entity, into: str) -> None:
        """Where the surviving record is not at ZautoAI yet, what was said of the other counts for
        it until something else is said: so that it can be made."""
        resource, _, external_id = into.partition("/")
        known = self._entity(into) or Entity(resource, external_id)
        if known.sent is not None:
            return
        for pending in self.tx.pending(before.resource, before.external_id):
            before = learn(before, pending.call)
        own = {"id", *self.catalogue[resource].numbers}
        stated, first = (
            {name: value for name, value in values.items() if name not in own}
            for values in (before.desired, before.initial)
        )
        self.tx.put_entity(
            replace(known, desired={**stated, **known.desired}, initial={**first, **known.initial})
        )

    def _mark(self, before: Entity, call: Call) -> list[tuple[str, Call]]:
        """What the mapping leaves on a record that is no more."""
        mark = {name: value for name, value in call.payload.items() if name != "id"}
        if not mark or not self._is_there(before):
            return []
        return [(before.owner or f"{before.resource}/{before.external_id}", _update(before, mark))]

    def _let_go(self, prior: str) -> None:
        """What waits for the record before waits for nothing any more: it has what it needs in
        the other. What it lacked itself is no question either."""
        resource, _, external_id = prior.partition("/")
        self.tx.release(prior, self.at)
        self.tx.supersede(resource, external_id, before=_ALL, at=self.at)


#: more than the id of any delivery
_ALL = 2**62


def _with(values: Any, name: str, value: str) -> Payload:
    return {**values, name: value} if name in values else dict(values)


def _update(entity: Entity, payload: Payload) -> Call:
    return Call(
        Target.ZAUTO,
        Interaction.UPSERT,
        entity.resource,
        entity.external_id,
        {"id": entity.external_id, **payload},
        authority=entity.authority,
    )


def _merged(before: Entity | None, visits: int, *, is_marked: bool) -> str:
    if before is None:
        return f"the bridge has seen no record of the number before: {_UNSEEN}"
    became = "marked" if is_marked else "kept"
    return (
        f"{_told(visits, 're-pointed')}, the record before is {became}; "
        "visits that the bridge has not seen are unknown to it"
    )


def _told(count: int, what: str) -> str:
    return f"{count} visit {what}" if count == 1 else f"{count} visits {what}"
