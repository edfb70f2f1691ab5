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

from bridge.causes import Cause, CauseKind
from bridge.delivery import ACCOUNT, Alias, Call, Entity, Interaction, Payload, Target
from bridge.message import Status
from bridge.pipeline.planning.presence import has_pending, is_there
from bridge.pipeline.records.folding import learn
from bridge.pipeline.records.known import KnownRecords
from bridge.store.contract import Transaction
from bridge.store.deliveries import DeliveryView
from bridge.zauto.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class IdentityOutcome:
    """What became of a call about identity."""

    call: Call
    #: what came of it
    cause: Cause
    #: what ZautoAI must be told because of it, each with its lane
    following: tuple[tuple[str, Call], ...] = ()


@dataclass(frozen=True, slots=True)
class Identities:
    """Carries out the calls about identity of one message."""

    tx: Transaction
    catalogue: Catalogue
    known: KnownRecords
    message_id: int
    at: float

    def carry_out(self, call: Call, issuer: str) -> IdentityOutcome:
        """Do it, before the message's other calls are planned; there must be no doubt about it.

        `issuer` is who issued the number that it leads to, "" where nobody is named.
        """
        if call.into == call.external_id and call.interaction is not Interaction.MOVE:
            return IdentityOutcome(call, Cause(CauseKind.SAME_NUMBER))
        match call.interaction:
            case Interaction.MOVE:
                return self._move(call)
            case _ if call.resource == ACCOUNT:
                return self._renumber_account(call)
            case Interaction.MERGE:
                return self._merge(call, issuer)
            case _:
                return self._rename(call, issuer)

    def _merge(self, call: Call, issuer: str) -> IdentityOutcome:
        prior, into = self.known.record(call.key), self.known.record(f"{call.resource}/{call.into}")
        if prior == into:
            self._go_by(call, into, issuer)
            return IdentityOutcome(call, Cause(CauseKind.SAME_RECORD))
        before = self.known.entity(prior)
        self._lead(call, prior, into)
        visits = self.tx.owned_by(prior)
        count = _count(self.tx, visits)
        following, marks = self._give(visits, into, prior), []
        if before is not None:
            self._inherit(before, into)
            marks = self._mark(before, call)
        self._let_go(prior)
        if before is None:
            return self._unknown(call, following)
        became = "marked" if marks else "kept"
        cause = Cause(CauseKind.MERGED, number=count, name=became)
        return IdentityOutcome(call, cause, following=(*following, *marks))

    def _rename(self, call: Call, issuer: str) -> IdentityOutcome:
        record, other = self.known.record(call.key), f"{call.resource}/{call.into}"
        if self.known.entity(record) is None:
            # nothing was ever sent of it: it begins under its new number
            self._alias(call.key, self.known.record(other), call.authority, retired=True)
            return self._unknown(call)
        self._go_by(call, record, issuer)
        self.tx.release(other, self.at)
        return IdentityOutcome(call, Cause(CauseKind.RENAMED))

    def _move(self, call: Call) -> IdentityOutcome:
        if not self.known.owner_key(call.resource, call.into):
            return self._move_under_person(call)
        before, into = self._owner(call, call.owner), self._owner(call, call.into)
        if call.resource == ACCOUNT:
            moved = self._of_account(before, self.known.record(call.key))
        else:
            known = self.known.entity(self.known.record(call.key))
            moved = [known] if known is not None else []
        following = self._give([each for each in moved if each.owner != into], into, before)
        if any(has_pending(self.tx, each, Status.HELD) for each in moved):
            # for the patient before, maybe, who may never come
            self.tx.release(before, self.at)
        if not moved:
            return self._unknown(call)
        cause = Cause(CauseKind.MOVED, number=len(moved))
        return IdentityOutcome(call, cause, following=tuple(following))

    def _move_under_person(self, call: Call) -> IdentityOutcome:
        """A patient belongs to another person: only whether the patient is known matters."""
        if call.into != call.external_id and self.known.of(call.key) is None:
            return self._unknown(call)
        return IdentityOutcome(call, Cause(CauseKind.PERSON_CHANGED))

    def _unknown(self, call: Call, following: Sequence[tuple[str, Call]] = ()) -> IdentityOutcome:
        """The record that the call is about has never been seen."""
        known = call.resource in self.catalogue
        title = self.catalogue[call.resource].title.lower() if known else call.resource
        cause = Cause(CauseKind.PRIOR_UNKNOWN, resource=title)
        return IdentityOutcome(call, cause, following=tuple(following))

    def _renumber_account(self, call: Call) -> IdentityOutcome:
        """Accounts merge or change their number: ZautoAI has no place for them."""
        prior, into = self.known.record(call.key), self.known.record(f"{ACCOUNT}/{call.into}")
        _, _, number = into.partition("/")
        visits = self._of_account(self._owner(call, call.owner), prior)
        for visit in visits:
            self.tx.put_entity(replace(visit, facts={**visit.facts, ACCOUNT: number}))
        if prior != into:
            self._lead(call, prior, into)
        return IdentityOutcome(call, Cause(CauseKind.RENUMBERED, number=len(visits)))

    def _owner(self, call: Call, external_id: str) -> str:
        """The record that owns such records under this number."""
        return self.known.record(self.known.owner_key(call.resource, external_id))

    def _of_account(self, owner: str, account: str) -> list[Entity]:
        _, _, number = account.partition("/")
        return [each for each in self.tx.owned_by(owner) if each.facts.get(ACCOUNT) == number]

    def _go_by(self, call: Call, record: str, issuer: str) -> None:
        """Let a record be known by both numbers, and go by the one that the call leads to."""
        self._alias(call.key, record, call.authority, retired=True)
        self._alias(f"{call.resource}/{call.into}", record, issuer, retired=False)

    def _lead(self, call: Call, prior: str, into: str) -> None:
        """Let every number of the record before lead to the other."""
        known = self.known.entity(prior)
        issuer = known.authority if known is not None else ""
        self.tx.redirect(prior, into)
        self._alias(prior, into, issuer or call.authority, retired=True)
        if call.key != prior:
            self._alias(call.key, into, call.authority, retired=True)

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
            if is_there(self.tx, each):
                following.append((lane, _update(each, {name: owner})))
        return following

    def _inherit(self, before: Entity, into: str) -> None:
        """Where the surviving record is not at ZautoAI yet, what was said of the other counts for
        it until something else is said: so that it can be made."""
        resource, _, external_id = into.partition("/")
        known = self.known.entity(into) or Entity(resource, external_id)
        if known.sent is not None:
            return
        for pending in self.tx.pending(before.resource, before.external_id):
            if pending.status is not Status.PARKED:
                # what was parked was refused, or is known already: it lacked something
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
        if not mark or not is_there(self.tx, before):
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


def _count(tx: DeliveryView, entities: Iterable[Entity]) -> int:
    """How many there are: those that were deleted, and said no more of, are remembered too."""
    return sum(
        each.sent is not None or bool(tx.pending(each.resource, each.external_id))
        for each in entities
    )


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
