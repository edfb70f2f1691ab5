"""A kept message and what was known beside it, without its people."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.delivery import Call, Target, Translation
from bridge.hl7v2 import charset, segments
from bridge.hl7v2.grammar import leaf
from bridge.hl7v2.header import scan
from bridge.mapping.document import Context
from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.engine.dotted import FACTS
from bridge.message import Message, Protocol
from bridge.study.scrub import hl7, resources
from bridge.study.scrub.allowed import allowed
from bridge.study.scrub.disguise import Disguise

_DAY = 86_400
#: facts that are codes, and where HL7 has their table
_CODED = {"sex": ("PID", 8, 1), "class": ("PV1", 2, 1), "identifierType": ("PID", 3, 5)}


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A message without its people."""

    message: Message
    #: FHIR references that were known, and the ids they led to
    links: Mapping[str, str]
    #: facts of records that were known, by `patient-visits/V1`
    known: Mapping[str, Mapping[str, str]]


def scrub(
    message: Message, context: Context, mappings: Mappings, fallback: str, rng: random.Random
) -> Scrubbed:
    """Replace whatever is not known to be harmless, in the message and in what was known beside it.

    `rng` must be seeded with what nobody keeps: who knows its seed can undo this. Raises ReadError.
    """
    codes = allowed(mappings.find(message.protocol, message.message_type), message.protocol)
    if message.protocol is Protocol.HL7V2:
        body, disguise = hl7.scrub(message.body, fallback, codes, rng)
    else:
        body, disguise = resources.scrub(message.body, message.protocol, codes, rng)
    made = message._replace(
        body=body,
        reference=resources.scrub_reference(message.reference, disguise),
        control_id=disguise.text(message.control_id),
        received_at=float(int(message.received_at) // 60 * 60 + disguise.days * _DAY),
    )
    links = {
        resources.scrub_reference(reference, disguise): disguise.text(external_id)
        for reference, external_id in context.links.items()
    }
    return Scrubbed(made, links, _known(context, disguise))


def _known(context: Context, disguise: Disguise) -> dict[str, dict[str, str]]:
    """The facts that orders read, of each record; nothing else of it is needed."""
    found: dict[str, dict[str, str]] = {}
    for key, facts in context.known.items():
        resource, _, external_id = key.partition("/")
        found[f"{resource}/{disguise.text(external_id)}"] = {
            name: _fact(name, str(facts[name]), disguise)
            for name in FACTS.get(resource, ())
            if facts.get(name)
        }
    return found


def _fact(name: str, value: str, disguise: Disguise) -> str:
    if name in _CODED:
        segment, field, component = _CODED[name]
        known = leaf(segment, field, component, 1, "2.5.1")
        if known is not None and value in known.codes:
            return value
    return disguise.text(value)


def text_of(message: Message, fallback: str) -> tuple[str, str]:
    """A message as it stands in a file of tests, and its charset where it does not declare it."""
    if message.protocol is not Protocol.HL7V2:
        return f"{message.body.decode('utf-8-sig')}\n", ""
    header = scan(message.body)
    text, codec = charset.decode(message.body, header.charset, fallback)
    lines = segments.split(text.lstrip(), header.field_separator)
    declared = charset.codec(header.charset, "utf-8")[0]
    return "".join(f"{line}\n" for line in lines), "" if codec == declared else codec


def shape(made: Translation | None) -> Any:
    """What a translation fills and how it ends, without a value: the same before and after."""
    if made is None:
        return None
    calls = [_shape(call) for call in made.calls]
    return calls, len(made.needs), bool(made.problem), [remark.path for remark in made.warnings]


def _shape(call: Call) -> Any:
    if call.target is Target.HOSPITAL:
        return [(name, sorted(fields)) for name, fields in call.payload["segments"]]
    return (
        call.interaction,
        call.resource,
        {name: value is None for name, value in call.payload.items()},
        call.create_only,
        sorted(call.facts),
        [allocation.field for allocation in call.allocations],
        len(call.references),
        bool(call.into),
        bool(call.owner),
    )
