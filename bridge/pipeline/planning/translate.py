"""Translate: read a kept message, find its mapping and apply it.

Pure but for what the view answers, so that the command line's dry run, what-if and the service
come to the same calls.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from typing import Any
from typing import Protocol as Interface

from bridge.causes import Cause, CauseKind
from bridge.delivery import OF_IDENTITY, Call, Entity, Translation
from bridge.errors import ReadError
from bridge.fhir import reader as fhir_reader
from bridge.hl7v2.lines import LineFault, OddLine
from bridge.hl7v2.reader import Hl7Document
from bridge.mapping.document import Context, Document
from bridge.mapping.engine.apply import apply
from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.engine.dotted import OrderDocument
from bridge.message import Message, Protocol
from bridge.order import OrderLine
from bridge.pipeline.channels import channel_named, charsets, header_of
from bridge.remarks import Remark, RemarkCode
from bridge.settings import Settings


class Known(Interface):
    """What earlier messages taught, as far as a translation looks at it."""

    def link(self, reference: str) -> str | None: ...

    def entity(self, resource: str, external_id: str) -> Entity | None: ...

    def order_lines(self, visit_id: str) -> Sequence[OrderLine]: ...


class OrderLines:
    """What the hospital would have been sent of services, by the orders of one pass."""

    def __init__(self) -> None:
        self._by_visit: defaultdict[str, dict[tuple[str, int], OrderLine]] = defaultdict(dict)

    def of(self, visit_id: str) -> Sequence[OrderLine]:
        """The lines of a visit."""
        return tuple(self._by_visit.get(visit_id, {}).values())

    def learn(self, calls: Iterable[Call]) -> None:
        """Remember what calls send."""
        for line in (line for call in calls for line in call.order_lines):
            self._by_visit[line.visit_id][line.service, line.occurrence] = line


class Rehearsal:
    """Knows what the messages of one dry run taught, in place of a store."""

    def __init__(self) -> None:
        self._links: dict[str, str] = {}
        self._entities: dict[tuple[str, str], Entity] = {}
        self._order_lines = OrderLines()

    def link(self, reference: str) -> str | None:
        """External id behind a reference seen in this run."""
        return self._links.get(reference)

    def entity(self, resource: str, external_id: str) -> Entity | None:
        """A record seen in this run."""
        return self._entities.get((resource, external_id))

    def order_lines(self, visit_id: str) -> Sequence[OrderLine]:
        """What the hospital would have been sent of a visit's services by now."""
        return self._order_lines.of(visit_id)

    def learn(self, calls: tuple[Call, ...]) -> None:
        """Remember what the calls of a translation are about."""
        self._order_lines.learn(calls)
        for call in (each for each in calls if each.interaction not in OF_IDENTITY):
            key = (call.resource, call.external_id)
            self._entities[key] = Entity(*key, desired=dict(call.payload), facts=call.facts)
            self._links |= dict.fromkeys(call.references, call.external_id)


def translate(
    message: Message, mappings: Mappings, settings: Settings, known: Known
) -> Translation | None:
    """The calls a message asks for, or None when no mapping takes its type.

    A message that cannot be read gives a Translation whose `problem` says why.
    """
    mapping = mappings.find(message.protocol, message.message_type)
    if mapping is None:
        return None
    try:
        document, context = read(message, settings, known)
    except ReadError as error:
        return Translation(mapping.name, mappings.hash, (), cause=unreadable(error))
    made = apply(mapping, document, context)
    if isinstance(document, Hl7Document) and document.odd_lines:
        return replace(made, warnings=(*_remarks(document.odd_lines), *made.warnings))
    return made


def line_remarks(message: Message, settings: Settings) -> list[str]:
    """The lines of a kept message that no mapping can read, or that are written oddly."""
    if message.protocol is not Protocol.HL7V2:
        return []
    try:
        document = _hl7(message, settings)
    except ReadError:
        return []
    return [f"{remark.path}: {remark.text}" for remark in _remarks(document.odd_lines)]


def _remarks(lines: Iterable[OddLine]) -> list[Remark]:
    return [Remark(_ODD[line.fault], f"line {line.number}") for line in lines]


_ODD: MappingOf[LineFault, RemarkCode] = {
    LineFault.PADDED: RemarkCode.LINE_PADDED,
    LineFault.LOWER_CASE: RemarkCode.LINE_LOWER_CASE,
    LineFault.UNKNOWN: RemarkCode.LINE_UNKNOWN,
}


def unreadable(error: ReadError) -> Cause:
    """Why a message has no calls that cannot be read."""
    return Cause(CauseKind.UNREADABLE, path=error.location, name=str(error))


def read(message: Message, settings: Settings, known: Known) -> tuple[Document, Context]:
    """The message as a document, and what is known beside it; raises ReadError."""
    match message.protocol:
        case Protocol.HL7V2:
            return _hl7(message, settings), _context(message, settings)
        case Protocol.FHIR:
            return _fhir(message, settings, known)
        case Protocol.ORDERS:
            return _order(message, settings, known)


def _context(message: Message, settings: Settings) -> Context:
    authority = channel_named(settings, message.channel).authority
    return Context(message.received_at, sender=message.sender, authority=authority)


def _hl7(message: Message, settings: Settings) -> Hl7Document:
    channel = channel_named(settings, message.channel)
    return Hl7Document(message.body, header_of(message.body, channel), *charsets(channel))


def _fhir(message: Message, settings: Settings, known: Known) -> tuple[Document, Context]:
    resource = fhir_reader.read(message.body)
    document = fhir_reader.FhirDocument(resource, message.reference)
    links = {}
    # its own reference too: a resource keeps the id that it was first given
    for reference in (*document.references(), message.reference):
        external_id = known.link(reference)
        if external_id is not None:
            links[reference] = external_id
    return document, replace(_context(message, settings), links=links)


def _order(message: Message, settings: Settings, known: Known) -> tuple[Document, Context]:
    order = fhir_reader.read(message.body)
    visit_id = str(order.get("externalVisitId", ""))
    context = Context(
        received_at=message.received_at,
        known=_known_of_visit(visit_id, known),
        key=stable_key(message),
        sender=message.sender,
        hospital=settings.hospital,
        order_lines=known.order_lines(visit_id),
    )
    return OrderDocument(order, context), context


def _known_of_visit(visit_id: str, view: Known) -> MappingOf[str, MappingOf[str, Any]]:
    visit = view.entity("patient-visits", visit_id)
    if visit is None:
        return {}
    known: dict[str, MappingOf[str, Any]] = {}
    known[f"patient-visits/{visit_id}"] = {**visit.desired, **visit.facts}
    for resource, key in (("patients", "patientId"), ("providers", "providerId")):
        external_id = str(visit.facts.get(key) or visit.desired.get(key) or "")
        entity = view.entity(resource, external_id) if external_id else None
        if entity is not None:
            known[f"{resource}/{external_id}"] = {**entity.desired, **entity.facts}
    return known


def stable_key(message: Message) -> str:
    """Sixteen letters and digits that are the same whenever this kept message is sent.

    MSH-10 and ORC-2 are made of it: a resend must carry the same ones (delivery.md).
    """
    seed = f"{message.received_at!r}|{message.message_type}|".encode() + message.body
    return base64.b32encode(hashlib.blake2b(seed, digest_size=10).digest()).decode()
