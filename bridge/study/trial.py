"""Trial: run the tests that stand beside mappings, as the service would translate.

A test depends on nothing but its own folder: what it does not say is as in the settings' defaults,
and a hospital's own folder is tried under that hospital's `site:`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from bridge.delivery import Entity, Translation
from bridge.errors import Fault, ReadError
from bridge.fhir import reader as fhir_reader
from bridge.hl7v2 import charset, segments
from bridge.hl7v2.header import Header, scan
from bridge.lineage import Legend
from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.folders import Folder
from bridge.mapping.language.load import compile_folders
from bridge.message import Message, Protocol
from bridge.order import OrderLine
from bridge.pipeline.planning.translate import translate
from bridge.settings import Settings, Site, changed
from bridge.study.cases.compare import compare, ended
from bridge.study.cases.language import ByName, Case, CaseFile
from bridge.study.cases.parse import parse_cases
from bridge.yamlfile import Table, Word, dotted, misfits, nearest
from bridge.zauto.catalogue import Catalogue

S = TypeVar("S", bound=BaseModel)

#: 2026-01-01T00:00:00Z, when a message of a test came in if it does not say
_RECEIVED = 1_767_225_600.0
#: what an order line goes by in `known:`, `service-orders/V1/SRV-CBC`, and its words
_ORDERED = "service-orders"
_LINE_WORDS = ("issue", "state", "status", "posted", "transactions")
_LINE = TypeAdapter(OrderLine)
_ORDER_LINES = {"Medications": "prescription-order", "Services": "service-order"}

#: the bytes of a file that a test names, as seen from its file of tests; raises OSError
ReadBeside = Callable[[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Trial:
    """One test that was run."""

    file: CaseFile
    case: Case
    #: None where no mapping takes the message
    made: Translation | None
    #: every difference from what is expected, and what kept it from being run
    faults: tuple[Fault, ...]
    #: it could be run, and `made` is what became of its message
    ran: bool = True
    message_type: str = ""

    @property
    def name(self) -> str:
        """`hl7v2/adt_registration: an outpatient is registered`."""
        return f"{self.file.mapping}: {self.case.name}"


class _CannotRun(Exception):
    """A test that cannot be run, with the fault that says why."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


@dataclass(slots=True)
class Bench:
    """Runs the tests of one folder against the mappings of some."""

    #: whose mappings they are run against, the last being the one whose tests they are
    folders: Sequence[Folder]
    catalogue: Catalogue
    #: what holds where a test says nothing
    settings: Settings
    read_beside: ReadBeside
    _compiled: dict[Site, Mappings] = field(default_factory=dict)

    def files(self, faults: list[Fault]) -> list[CaseFile]:
        """The folder's files of tests; what is wrong in them is added to the faults."""
        tests = self.folders[-1].tests()
        return [parse_cases(text, file, mapping, faults) for mapping, file, text in tests]

    def run(self, file: CaseFile, case: Case) -> Trial:
        """Translate the message of a test and compare what became of it."""
        try:
            settings = self._settings(file, case)
            mappings = self._mappings(settings.site)
            message = self._message(file, case)
            made = translate(message, mappings, settings, _Known(case))
            _check_place(file, case, made)
        except _CannotRun as unusable:
            return Trial(file, case, None, (unusable.fault,), ran=False)
        faults = tuple(_faults(case, made, mappings.legend))
        return Trial(file, case, made, faults, message_type=message.message_type)

    def _settings(self, file: CaseFile, case: Case) -> Settings:
        """The bench's settings with what the file and the test say instead."""
        site = _changed(self.settings.site, file.site, "site")
        sections = {
            "site": _changed(site, case.site, f"{case.key}.site"),
            "hospital": _changed(self.settings.hospital, case.hospital, f"{case.key}.hospital"),
        }
        return self.settings.model_copy(update=sections)

    def _mappings(self, site: Site) -> Mappings:
        if site not in self._compiled:
            self._compiled[site] = compile_folders(self.folders, self.catalogue, site, [])
        return self._compiled[site]

    def _message(self, file: CaseFile, case: Case) -> Message:
        """The message of a test, by whatever door it would have come."""
        body = self._body(file, case)
        is_hl7 = body.removeprefix(segments.UTF8_BOM).lstrip().startswith(b"MSH")
        message = _hl7(body, case) if is_hl7 else _json(body, case)
        channel = case.channel.text if case.channel else self.settings.channels[0].name
        return message._replace(channel=channel, received_at=_received(case))

    def _body(self, file: CaseFile, case: Case) -> bytes:
        if case.message is not None:
            return _encoded(case.message, case.charset)
        named = case.file
        assert named is not None
        try:
            return self.read_beside(file.file, named.text)
        except OSError as error:
            told = f"'{named.text}' cannot be read: {error.strerror}."
            raise _CannotRun(named.place.fault(f"{case.key}.file", told)) from error


def _check_place(file: CaseFile, case: Case, made: Translation | None) -> None:
    """A test stands beside the mapping that takes its message, or beside a part or code table."""
    kind = file.mapping.partition("/")[0]
    if made is not None and kind in list(Protocol) and made.mapping != file.mapping:
        message = f"is taken by {made.mapping}; write the test beside that."
        raise _CannotRun(case.place.fault(case.key, message))


def _faults(case: Case, made: Translation | None, legend: Legend) -> list[Fault]:
    if case.expect is None:
        message = (
            f"'expect' is missing; the message ended in {ended(made)}. "
            f"'bridge mapping test --update' writes it down."
        )
        return [case.place.fault(case.key, message)]
    return [_named(fault, case) for fault in compare(case.expect, made, legend)]


def _named(fault: Fault, case: Case) -> Fault:
    """The fault under the name of its test, which people know it by."""
    return replace(fault, key=f"{case.name}{fault.key.removeprefix(f'{case.key}.expect')}")


@dataclass(frozen=True, slots=True)
class _Known:
    """What a test says of earlier messages, in place of a store."""

    case: Case

    def link(self, reference: str) -> str | None:
        """The record a reference leads to."""
        return _texts(self.case.links).get(reference)

    def entity(self, resource: str, external_id: str) -> Entity | None:
        """What is known of a record."""
        for name, stated in self.case.known:
            if name.text == f"{resource}/{external_id}":
                return Entity(resource, external_id, facts=_texts(stated))
        return None

    def order_lines(self, visit_id: str) -> Sequence[OrderLine]:
        """What the hospital was sent of a visit's services."""
        prefix = f"{_ORDERED}/{visit_id}/"
        return [
            _order_line(visit_id, name.text.removeprefix(prefix), stated)
            for name, stated in self.case.known
            if name.text.startswith(prefix)
        ]


def _texts(stated: ByName) -> dict[str, str]:
    return {name.text: word.text for name, word in stated}


def _order_line(visit_id: str, name: str, stated: ByName) -> OrderLine:
    """`service-orders/V1/SRV-CBC: {state: placed, posted: 300}`; `SRV-CBC#2` for the second."""
    places = {word.text: word.place for word, _ in stated}
    for word, place in places.items():
        if word not in _LINE_WORDS:
            message = f"'{word}' is not one of {', '.join(_LINE_WORDS)}."
            raise _CannotRun(place.fault(word, message, nearest(word, _LINE_WORDS)))
    service, _, occurrence = name.rpartition("#")
    if not service or not occurrence.isdecimal():
        service, occurrence = name, "1"
    named = {"visit_id": visit_id, "service": service, "occurrence": occurrence}
    said = {**named, **_texts(stated)}
    try:
        return _LINE.validate_python(said)
    except ValidationError as error:
        first = misfits(error, OrderLine, said)[0]
        word = dotted(first.way)
        raise _CannotRun(places[word].fault(word, f"{first}.")) from error


def _hl7(body: bytes, case: Case) -> Message:
    named = case.message or case.file
    assert named is not None
    message_type = case.type.text if case.type else _scanned(body, named).message_type
    return _made(Protocol.HL7V2, message_type, body)


def _scanned(body: bytes, named: Word) -> Header:
    try:
        return scan(body)
    except ReadError as error:
        raise _CannotRun(
            named.place.fault("message", f"the message cannot be read: {error}")
        ) from error


def _json(body: bytes, case: Case) -> Message:
    try:
        document = fhir_reader.read(body)
    except ReadError as error:
        # the service keeps what it cannot read, and so does a test that says what it would be
        document = {}
        if case.type is None:
            fault = case.place.fault(
                case.key, f"the message {error}; correct it, or name its type."
            )
            raise _CannotRun(fault) from error
    kind = case.type.text if case.type else _type_of(document)
    if kind.endswith("-order"):
        return _made(Protocol.ORDERS, kind, body)
    reference = f"{kind}/{document.get('id') or '1'}"
    return _made(Protocol.FHIR, kind, body)._replace(reference=reference)


def _type_of(document: dict[str, Any]) -> str:
    """What a JSON document says it is: a resource type, or an order by its lines."""
    named = next((kind for name, kind in _ORDER_LINES.items() if name in document), "")
    return str(document.get("resourceType") or named or "unknown-order")


def _made(protocol: Protocol, message_type: str, body: bytes) -> Message:
    return Message("", protocol, message_type, "", "", "", 0.0, body)


def _encoded(text: Word, name: Word | None) -> bytes:
    """The bytes of a message: in the charset that is named, else the one it declares, else UTF-8.

    Of HL7 one segment a line is written in the file, and ended as the standard ends it.
    """
    written = text.text
    declared = ""
    if written.startswith("MSH"):
        written = "".join(f"{line}\r" for line in segments.split(written, written[3:4]))
        declared = _scanned(written.encode(), text).charset
    codec = charset.codec("", name.text)[-1] if name else charset.codec(declared, "utf-8")[0]
    try:
        return written.encode(codec)
    except (UnicodeEncodeError, LookupError) as error:
        at = name or text
        raise _CannotRun(at.place.fault("charset", f"cannot hold the message: {error}.")) from error


def _received(case: Case) -> float:
    if case.received is None:
        return _RECEIVED
    try:
        moment = dt.datetime.fromisoformat(case.received.text)
    except ValueError:
        moment = dt.datetime.min
    if moment.tzinfo is None:
        message = "is no time with an offset, such as 2026-03-05T11:05:00+05:30."
        raise _CannotRun(case.received.place.fault(f"{case.key}.received", message))
    return moment.timestamp()


def _changed(section: S, table: Table | None, key: str) -> S:
    """A section of the settings with what a test says instead."""
    if table is None:
        return section
    faults: list[Fault] = []
    made = changed(section, table, key, faults)
    if faults:
        raise _CannotRun(faults[0])
    return made
