"""Aliases: what a call becomes where it names records by numbers that lead elsewhere now.

A hospital merges two records of one patient, or gives a record another number; messages with the
number of before go on coming. Each is followed to the record it leads to, for good and in one
step, because an alias never leads to another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from bridge.delivery import (
    ACCOUNT,
    OF_IDENTITY,
    Alias,
    Call,
    Delivery,
    Entity,
    Payload,
    Step,
    Target,
)
from bridge.pipeline.records.identity import same_issuer
from bridge.store.entities import EntityView
from bridge.zauto.catalogue import Catalogue, Resource

#: by key, `patients/P1`
Aliases: TypeAlias = Mapping[str, Alias]
Authorities: TypeAlias = Sequence[Sequence[str]]

#: facts that say which number a record goes by, and of which kind
_NUMBER_FACTS = frozenset({"identifier", "identifierType", "authority", "visitNumber"})


def follow_all(
    tx: EntityView, calls: Sequence[Call], catalogue: Catalogue, same: Authorities
) -> tuple[Call, ...]:
    """The calls of a message as they are to be made; the same ones where none names an alias."""
    followed = [call for call in calls if _is_followed(call)]
    found = tx.aliases_of({key for call in followed for key in _keys_of(call, catalogue)})
    if not found:
        return tuple(calls)
    # a number that another issued is no alias, and neither is it in the message's other calls
    foreign = {
        call.key
        for call in followed
        if (alias := found.get(call.key))
        and not same_issuer(_issuer(tx, alias, catalogue), call.authority, same)
    }
    usable = {key: alias for key, alias in found.items() if key not in foreign}
    return tuple(
        _follow(tx, call, catalogue[call.resource], usable) if _is_followed(call) else call
        for call in calls
    )


def issued_by(tx: EntityView, alias: Alias) -> str:
    """Who issued a number that leads elsewhere: whoever issued that record's, where nobody was
    named when it was joined to it."""
    record = tx.entity(*alias.leads_to.split("/", 1))
    return alias.authority or (record.authority if record is not None else "")


def _issuer(tx: EntityView, alias: Alias, catalogue: Catalogue) -> str:
    """The same for updates; an appointment's number need not be of who issued the visit's."""
    resource = alias.leads_to.partition("/")[0]
    has_owner = resource in catalogue and catalogue[resource].owner() is not None
    return alias.authority if has_owner else issued_by(tx, alias)


def given_up(tx: EntityView, calls: Sequence[Call]) -> list[Call]:
    """The calls that clear away a record by a number that it went by before: it is not meant."""
    clearing = [call for call in calls if _is_followed(call) and call.clears]
    found = tx.aliases_of({call.key for call in clearing})
    own = {key for key, alias in found.items() if alias.retired and alias.leads_to == key}
    return [call for call in clearing if call.key in own]


def as_owned(delivery: Delivery, entity: Entity | None, resource: Resource) -> Delivery:
    """A delivery with whom its record belongs to now, since it was planned before a merge or move.

    That a message does not name another's record was seen when it was planned. One whose request
    may be out already stays as it was: first it is seen what that did.
    """
    name, call = resource.owner(), delivery.call
    if delivery.step is not Step.APPLY or entity is None or name is None:
        return delivery
    _, _, owner = entity.owner.partition("/")
    if not owner or call.payload.get(name) in (None, owner):
        return delivery
    return replace(delivery, call=replace(call, payload={**call.payload, name: owner}))


def _is_followed(call: Call) -> bool:
    return call.target is Target.ZAUTO and call.interaction not in OF_IDENTITY


def _keys_of(call: Call, catalogue: Catalogue) -> Iterable[str]:
    yield call.key
    yield from _referents_of(call, catalogue[call.resource])
    if ACCOUNT in call.facts:
        yield f"{ACCOUNT}/{call.facts[ACCOUNT]}"


def _referents_of(call: Call, resource: Resource) -> set[str]:
    return {
        f"{referent}/{value}"
        for name, referent in resource.referents().items()
        for value in (call.payload.get(name), call.facts.get(name))
        if value
    }


def _follow(tx: EntityView, call: Call, resource: Resource, found: Aliases) -> Call:
    call = _with_referents(call, resource, found)
    if account := found.get(f"{ACCOUNT}/{call.facts.get(ACCOUNT)}"):
        call = replace(call, facts={**call.facts, ACCOUNT: account.external_id})
    alias = found.get(call.key)
    if alias is None or _is_left_behind(call, alias):
        return call
    return _renamed(tx, call, resource, alias)


def _is_left_behind(call: Call, alias: Alias) -> bool:
    """Whether a call clears away what was left under a number that its record gave up.

    Hospitals delete the record before once it is merged; the surviving one is not meant.
    """
    return alias.retired and call.clears


def _renamed(tx: EntityView, call: Call, resource: Resource, alias: Alias) -> Call:
    """The call about the record that its number leads to.

    A number that the record does not go by any more says nothing of the one it goes by.
    """
    entity = tx.entity(resource.name, alias.external_id)
    payload, facts = {**call.payload, "id": alias.external_id}, dict(call.facts)
    allocations = call.allocations
    if alias.retired:
        payload = {name: v for name, v in payload.items() if name not in resource.numbers}
        facts = {name: v for name, v in facts.items() if name not in _NUMBER_FACTS}
        allocations = tuple(each for each in allocations if each.field not in resource.numbers)
    return replace(
        call,
        external_id=alias.external_id,
        payload=payload,
        facts=facts,
        allocations=allocations,
        authority=entity.authority if entity is not None else "",
    )


def _with_referents(call: Call, resource: Resource, found: Aliases) -> Call:
    def led(values: Mapping[str, object]) -> Payload:
        return {
            name: found[key].external_id
            for name, referent in resource.referents().items()
            if (key := f"{referent}/{values.get(name)}") in found
        }

    payload, facts = led(call.payload), led(call.facts)
    if not payload and not facts:
        return call
    return replace(call, payload={**call.payload, **payload}, facts={**call.facts, **facts})
