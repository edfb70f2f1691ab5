"""Plan: turn a translation's calls into deliveries in lanes.

Here numbers are allocated, what a message taught is remembered, and what waited for it is
released. What a delivery becomes (POST, PUT, nothing) is decided when it heads its lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.causes import Cause, CauseKind
from bridge.delivery import (
    ACCOUNT_OF,
    OF_IDENTITY,
    Call,
    Entity,
    Interaction,
    Role,
    Target,
    Translation,
)
from bridge.message import Status
from bridge.pipeline.planning.crosswalk import Crosswalk
from bridge.pipeline.planning.doubt import DoubtfulCall, Doubts
from bridge.pipeline.planning.fate import calls_held, count, fate
from bridge.pipeline.planning.identities import Identities, IdentityOutcome
from bridge.pipeline.planning.presence import may_be_there
from bridge.pipeline.planning.stated import StatedRecords
from bridge.pipeline.records.aliases import Authorities, follow_all, given_up
from bridge.pipeline.records.folding import conflicting, facts_with
from bridge.pipeline.records.identity import another, of_another, owner_key
from bridge.pipeline.records.known import KnownRecords
from bridge.pipeline.records.lanes import lane_of
from bridge.remarks import Remark
from bridge.store.contract import Transaction
from bridge.store.records import KeptMessage
from bridge.zauto.catalogue import Catalogue, Resource

#: what must not pass an earlier message of the same record
_IN_ORDER = OF_IDENTITY | {Interaction.UPSERT, Interaction.DELETE}
#: first number of a sequence the bridge hands out: above what hospitals number patients with
FIRST_NUMBER = 900_000_001


def plan(
    tx: Transaction,
    kept: KeptMessage,
    translation: Translation | None,
    catalogue: Catalogue,
    at: float,
    same_authorities: Authorities = (),
) -> Status:
    """Record what becomes of a message; returns its status.

    `same_authorities` are groups of assigning authorities that mean the same one.
    """
    if translation is None:
        tx.mark(kept.id, Status.UNMAPPED, at=at, cause=Cause(CauseKind.UNMAPPED))
        return Status.UNMAPPED
    idle = given_up(tx, translation.calls)
    named = [call for call in translation.calls if call not in idle]
    calls = follow_all(tx, named, catalogue, same_authorities)
    if behind := _held_before(tx, kept, calls, catalogue):
        _hold_behind(tx, kept, translation, behind, at)
        return Status.HELD
    planning = _Planning(tx, kept.id, catalogue, same_authorities, at)
    odd = planning.add_all_or_none(named, calls)
    if odd:
        translation = replace(translation, warnings=(*translation.warnings, *odd))
    planning.add_idle(idle)
    count(tx, kept, translation, at)
    held = follow_all(tx, calls_held(translation), catalogue, same_authorities)
    return _mark(tx, kept, translation, _lanes(tx, held, catalogue), at)


@dataclass(frozen=True, slots=True)
class _Behind:
    """An earlier message of the same patient that waits for a row of a code table."""

    message_id: int
    waits_for: str
    #: of the message that must not pass it
    lanes: Sequence[str]


def _held_before(
    tx: Transaction, kept: KeptMessage, calls: Sequence[Call], catalogue: Catalogue
) -> _Behind | None:
    """What a message must not pass: a patient's events apply in order."""
    lanes = _lanes(tx, calls, catalogue)
    for lane in lanes:
        found = tx.held_about(lane, kept.id)
        if found is not None:
            return _Behind(*found, lanes)
    return None


def _lanes(tx: Transaction, calls: Sequence[Call], catalogue: Catalogue) -> Sequence[str]:
    """The lanes of calls that change something, whose aliases were followed."""
    changes = [call for call in calls if call.interaction in _IN_ORDER]
    lanes = dict.fromkeys(lane_of(call, catalogue) for call in changes)
    for call in changes:
        if call.interaction in OF_IDENTITY:
            lanes |= dict.fromkeys(_lanes_changed(tx, call, catalogue))
    return list(lanes)


def _lanes_changed(tx: Transaction, call: Call, catalogue: Catalogue) -> Sequence[str]:
    """Where the record of a call about identity, and whom it belonged to, queue so far."""
    visit = catalogue[ACCOUNT_OF]
    keys = [call.key, owner_key(visit, {visit.owner() or "": call.owner})]
    found = tx.aliases_of(keys)
    return [found[key].leads_to if key in found else key for key in keys if key]


def _hold_behind(
    tx: Transaction, kept: KeptMessage, translation: Translation, behind: _Behind, at: float
) -> None:
    tx.mark(
        kept.id,
        Status.HELD,
        at=at,
        cause=Cause(CauseKind.BEHIND_MESSAGE, message_id=behind.message_id),
        waits_for=behind.waits_for,
        about=behind.lanes,
        remarks=translation.warnings,
        mapping=translation.mapping,
        mappings_hash=translation.mappings_hash,
    )


def _mark(
    tx: Transaction,
    kept: KeptMessage,
    translation: Translation,
    about: Sequence[str],
    at: float,
) -> Status:
    status, cause = fate(translation, kept.message.protocol)
    tx.mark(
        kept.id,
        status,
        at=at,
        cause=cause,
        waits_for=translation.needs[0] if translation.needs else "",
        about=about,
        remarks=translation.warnings,
        mapping=translation.mapping,
        mappings_hash=translation.mappings_hash,
    )
    return status


@dataclass(frozen=True, slots=True)
class _Planning:
    """Turns the calls of one message into deliveries."""

    tx: Transaction
    message_id: int
    catalogue: Catalogue
    same_authorities: Authorities
    at: float
    #: records that may be another's than this message means
    doubtful: set[str] = field(default_factory=set)

    def add_all_or_none(self, stated: Sequence[Call], calls: Sequence[Call]) -> Sequence[Remark]:
        """Plan the calls of a message, or park them all where one that cannot be undone is in
        doubt: then nothing is changed and nothing is learned.

        `stated` are the calls by the numbers of the message, `calls` the same by those that its
        aliases lead to. Returns further remarks.
        """
        known = KnownRecords(self.tx, self.catalogue)
        doubts = Doubts(known, self.same_authorities, StatedRecords(known, stated))
        if not any(call.is_final for call in stated):
            return self._add_all(doubts, calls)
        try:
            return self.tx.attempt(lambda: self._add_all(doubts, calls))
        except DoubtfulCall as doubtful:
            for position, call in enumerate(stated):
                self._add_settled(position, call, Status.PARKED, doubtful.cause)
            return ()

    def _add_all(self, doubts: Doubts, calls: Sequence[Call]) -> Sequence[Remark]:
        """Numbers that lead elsewhere first, so that every other call is about the right record."""
        is_final = any(call.is_final for call in calls)
        doubts.refuse_clearing()
        crosswalk = Crosswalk(
            self.tx, self.catalogue, self.same_authorities, self.message_id, self.at
        )
        calls, odd = crosswalk.join(calls)
        done = self._carry_out(doubts, calls)
        if done:
            calls = follow_all(self.tx, calls, self.catalogue, self.same_authorities)
        for position, call in enumerate(calls):
            if call.interaction in OF_IDENTITY:
                self._add_done(position, done[position])
            else:
                self._add(position, _numbered(self.tx, call), all_or_none=is_final)
        return odd

    def _carry_out(self, doubts: Doubts, calls: Sequence[Call]) -> Mapping[int, IdentityOutcome]:
        """Carry out the calls about identity in their order; what came of each by its place."""
        identities = Identities(self.tx, self.catalogue, doubts.known, self.message_id, self.at)
        done = {}
        for position, call in enumerate(calls):
            if call.interaction in OF_IDENTITY:
                doubts.refuse(call)
                issuer = doubts.stated.issuer(call, Role.INTO, call.into)
                done[position] = identities.carry_out(call, issuer)
        return done

    def add_idle(self, calls: Sequence[Call]) -> None:
        """Show calls that clear away what a record was called before."""
        for position, call in enumerate(calls):
            self._add_settled(position, call, Status.SUPPRESSED, Cause(CauseKind.GIVEN_UP_NUMBER))

    def _add(self, position: int, call: Call, *, all_or_none: bool) -> None:
        """Let a call wait in its lane, and release what waited for it.

        `all_or_none`: raises DoubtfulCall where it could touch another's record.
        """
        if call.target is Target.ZAUTO:
            resource = self.catalogue[call.resource]
            entity = self.tx.entity(call.resource, call.external_id)
            if cause := self._conflict(call, entity, resource):
                if all_or_none:
                    raise DoubtfulCall(cause)
                self._add_settled(position, call, Status.PARKED, cause)
                return
            if call.clears and entity is None:
                self._add_settled(position, call, Status.SUPPRESSED, Cause(CauseKind.NOT_OURS))
                return
            if conflicting(entity, call, self.same_authorities):
                self.doubtful.add(call.key)
            else:
                self._learn(call, entity, resource)
        self.tx.add(self.message_id, position, lane_of(call, self.catalogue), call, self.at)
        for line in call.order_lines:
            self.tx.add_order_line(line, self.message_id)
        for name in (call.key, *call.references):
            self.tx.release(name, self.at)

    def _conflict(self, call: Call, entity: Entity | None, resource: Resource) -> Cause | None:
        """Why a call may not wait for its turn: it could touch another's record."""
        if owner_key(resource, call.payload) in self.doubtful:
            return Cause(CauseKind.OWNER_IN_DOUBT)
        if call.interaction is Interaction.DELETE and (owned := self._owned(call)):
            return Cause(CauseKind.HAS_DEPENDENTS, number=owned)
        if entity is not None and of_another(resource, entity, call):
            return another(resource)
        return None

    def _owned(self, call: Call) -> int:
        """How many records belong to one that is to be deleted."""
        return sum(may_be_there(self.tx, each) for each in self.tx.owned_by(call.key))

    def _learn(self, call: Call, known: Entity | None, resource: Resource) -> None:
        """Remember what a call says of its record."""
        entity = known or Entity(call.resource, call.external_id)
        learned = replace(
            entity,
            facts=facts_with(entity, call),
            authority=entity.authority or call.authority,
            owner=owner_key(resource, call.payload) or entity.owner,
        )
        if known is None or learned != known:
            self.tx.put_entity(learned)
        for reference in call.references:
            self.tx.put_link(reference, call.resource, call.external_id)

    def _add_done(self, position: int, done: IdentityOutcome) -> None:
        """What follows from a call about identity, and the call itself, which is over."""
        for lane, call in done.following:
            self.tx.add(self.message_id, position, lane, call, self.at)
        self._add_settled(position, done.call, Status.SUPPRESSED, done.cause)
        if done.cause.kind is CauseKind.PRIOR_UNKNOWN:
            self.tx.add_task(self.message_id, done.cause.kind, self.at)

    def _add_settled(self, position: int, call: Call, status: Status, cause: Cause) -> None:
        lane = lane_of(call, self.catalogue)
        delivery_id = self.tx.add(self.message_id, position, lane, call, self.at)
        self.tx.settle(delivery_id, status, at=self.at, cause=cause)


def _numbered(tx: Transaction, call: Call) -> Call:
    if not call.allocations:
        return call
    payload = dict(call.payload)
    for allocation in call.allocations:
        payload[allocation.field] = tx.number(allocation.sequence, allocation.key, FIRST_NUMBER)
    return replace(call, payload=payload, allocations=())
