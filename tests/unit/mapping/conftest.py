"""The shipped mappings, and short ways to translate with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.delivery import Call, Translation
from bridge.fhir.reader import FhirDocument
from bridge.hl7v2 import header
from bridge.hl7v2.reader import Hl7Document
from bridge.lineage import Origin, origins
from bridge.mapping.document import Context, Document
from bridge.mapping.engine.apply import apply
from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.engine.dotted import OrderDocument
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto import catalogue

SHIPPED = Path(__file__).parents[3] / "mappings"
ALLERGIES = """
name: allergies
path: /zauto-api/allergies
title: Allergy
fields:
  id: {type: string, required: true}
  name: {type: string}
  noted: {type: string, format: date-time}
  weight: {type: number}
"""
MSH = r"MSH|^~\&|HIS|LAKESIDE|||20260301101500||ADT^A60|T1|P|2.5.1"


@pytest.fixture(scope="session")
def shipped() -> Path:
    return SHIPPED


@pytest.fixture(scope="session")
def zauto(shipped: Path) -> catalogue.Catalogue:
    return catalogue.load(shipped / "zauto")


@pytest.fixture(scope="session")
def compiled(shipped: Path, zauto: catalogue.Catalogue) -> Callable[..., Mappings]:
    """The shipped mappings under settings of the site."""
    known: dict[Site, Mappings] = {}

    def compile_for(**site: Any) -> Mappings:
        settings = Site(**site)
        if settings not in known:
            known[settings] = load([shipped], zauto, settings)
        return known[settings]

    return compile_for


@pytest.fixture(scope="session")
def told(compiled: Callable[..., Mappings]) -> Callable[..., tuple[Origin, ...]]:
    """The origins of a call's fields, under settings of the site."""
    return lambda call, **site: origins(call.lineage, compiled(**site).legend)


@pytest.fixture(scope="session")
def adt(compiled: Callable[..., Mappings]) -> Callable[..., Translation]:
    """Translate segments behind an MSH of the given event."""

    def translate(*segments: str, event: str = "A04", **site: Any) -> Translation:
        msh = rf"MSH|^~\&|HIS|LAKESIDE|ZAUTO|CLINIC|20260301101500||ADT^{event}|T1|P|2.5.1"
        body = "\r".join((msh, *segments)).encode()
        mapping = compiled(**site).find(Protocol.HL7V2, f"ADT^{event}")
        assert mapping is not None
        return apply(mapping, Hl7Document(body, header.scan(body), "cp1252"), Context())

    return translate


@pytest.fixture(scope="session")
def patient(adt: Callable[..., Translation]) -> Callable[..., Call]:
    """The patients call of segments that need no PV1."""

    def first(*segments: str, **site: Any) -> Call:
        return adt(*segments, **site).calls[0]

    return first


@pytest.fixture(scope="session")
def fhir(compiled: Callable[..., Mappings]) -> Callable[..., Translation]:
    """Translate a FHIR resource."""

    def translate(resource: dict[str, Any], links: dict[str, str] | None = None) -> Translation:
        kind = resource["resourceType"]
        mapping = compiled().find(Protocol.FHIR, kind)
        assert mapping is not None
        document = FhirDocument(resource, f"{kind}/{resource['id']}")
        return apply(mapping, document, Context(links=links or {}))

    return translate


@pytest.fixture(scope="session")
def order(compiled: Callable[..., Mappings]) -> Callable[..., Translation]:
    """Translate a pushed order."""

    def translate(kind: str, body: dict[str, Any], context: Context, **site: Any) -> Translation:
        mapping = compiled(**site).find(Protocol.ORDERS, f"{kind}-order")
        assert mapping is not None
        return apply(mapping, OrderDocument(body, context), context)

    return translate


@pytest.fixture
def made(tmp_path: Path, shipped: Path) -> Callable[..., Translation]:
    """What a part with these fields makes of a message."""

    def translate(
        fields: str,
        *segments: str,
        call: str = "",
        message_id: str = "{constant: '1'}",
        document: Document | None = None,
        protocol: Protocol = Protocol.HL7V2,
    ) -> Translation:
        write("zauto/allergies", ALLERGIES)
        kind = {Protocol.HL7V2: "ADT^A60", Protocol.FHIR: "Patient"}.get(protocol, "service-order")
        use = f"  - upsert: allergies\n    use: allergy\n{call}"
        write(f"{protocol.value}/allergies", f"messages: [{kind}]\ncalls:\n{use}")
        head = f"source: {protocol.value}\nresource: allergies\nid: {message_id}\nfields:\n"
        write("parts/allergy", head + "".join(f"  {line}\n" for line in fields.split("\n")))
        known = catalogue.load(tmp_path / "zauto")
        mapping = load([tmp_path], known, Site(time_zone="Asia/Kolkata")).find(protocol, kind)
        assert mapping is not None
        body = "\r".join((MSH, *segments)).encode()
        document = document or Hl7Document(body, header.scan(body), "cp1252")
        return apply(mapping, document, Context())

    def write(name: str, text: str) -> None:
        file = tmp_path / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    return translate
