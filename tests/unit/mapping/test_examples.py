"""The examples of the reference, each run as it is written there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bridge.delivery import Translation
from bridge.fhir.reader import FhirDocument
from bridge.hl7v2 import header
from bridge.hl7v2.reader import Hl7Document
from bridge.mapping.document import Context, Document
from bridge.mapping.engine.apply import apply
from bridge.mapping.engine.dotted import OrderDocument
from bridge.mapping.functions import FUNCTIONS
from bridge.mapping.language.load import load
from bridge.mapping.language.rule_words import RuleText
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto import catalogue

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs/reference/mapping.md").read_text(encoding="utf-8")
_HEAD = "| rule | where the message says | it gives |"
_ROW = re.compile(r"\| `(?P<rule>.+?)` \| `(?P<says>.+?)` \| (?P<gives>`.*`|\*\w+\*) \|")
MSH = r"MSH|^~\&|HIS|CITY|||20260301101500||ADT^A04|T1|P|2.5.1"


class Example(NamedTuple):
    rule: str
    says: str
    gives: str

    @property
    def protocol(self) -> Protocol:
        if self.says.startswith("{"):
            return Protocol.FHIR
        return Protocol.HL7V2 if re.match(r"[A-Z]", self.says) else Protocol.ORDERS


def _examples() -> Iterator[Example]:
    for block in REFERENCE.split(_HEAD)[1:]:
        for line in block.splitlines()[2:]:
            if not line.startswith("|"):
                break
            match = _ROW.fullmatch(line)
            assert match, f"not an example: {line}"
            yield Example(match["rule"], match["says"], match["gives"])


EXAMPLES = list(_examples())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.rule} of {e.says}")
def test_an_example_gives_what_the_reference_says(example: Example, tmp_path: Path) -> None:
    assert _told(_translated(example, tmp_path)) == example.gives


def test_the_example_of_groups_is_what_is_shipped() -> None:
    shown = re.search(r"```yaml\n(calls:\n[^`]*each: \[PID[^`]*)```", REFERENCE)
    shipped = (ROOT / "mappings/hl7v2/adt_bed_swap.yaml").read_text(encoding="utf-8")
    assert shown is not None
    assert shipped.endswith(shown[1])


def test_every_word_of_a_rule_has_an_example() -> None:
    rules = " ".join(example.rule for example in EXAMPLES)
    assert [word for word in RuleText.vocabulary if f"{word}:" not in rules] == []


def test_every_function_has_an_example() -> None:
    shown = {(e.protocol, name) for e in EXAMPLES for name in re.findall(r"as: (\w+)", e.rule)}
    used = {name for _, name in shown}
    known = {name for functions in FUNCTIONS.values() for name in functions}
    assert sorted(known - used) == []


def _translated(example: Example, folder: Path) -> Translation:
    protocol = example.protocol
    kind = {Protocol.HL7V2: "ADT^A04", Protocol.FHIR: "Patient"}.get(protocol, "service-order")
    each = "    each: order.Services\n" if "line." in example.rule else ""
    patient = (
        "  - {create: patients, use: patient}\n"
        if "id_of" in example.rule or "admission" in example.rule
        else ""
    )
    files = {
        "zauto/things": "name: things\npath: /things\ntitle: Thing\n"
        "fields: {id: {required: true}, value: {}}\n",
        "zauto/patients": "name: patients\npath: /patients\ntitle: Patient\n"
        "fields: {id: {required: true}}\n",
        "parts/patient": "source: hl7v2\nresource: patients\nid: {from: PID-3.1}\n",
        f"{protocol.value}/things": f"messages: [{kind}]\ncalls:\n{patient}"
        f"  - upsert: things\n    use: thing\n{each}",
        "parts/thing": f"source: {protocol.value}\nresource: things\nid: {{constant: X}}\n"
        f"fields:\n  value: {example.rule}\n",
        **{
            f"codes/{name}": (ROOT / f"mappings/codes/{name}.yaml").read_text(encoding="utf-8")
            for name in ("gender", "dose_unit")
        },
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    mapping = load([folder], catalogue.load(folder / "zauto"), Site()).find(protocol, kind)
    assert mapping is not None
    document, context = _document(example)
    return apply(mapping, document, context)


def _document(example: Example) -> tuple[Document, Context]:
    if example.protocol is Protocol.FHIR:
        resource = {"resourceType": "Patient", **json.loads(example.says)}
        return FhirDocument(resource, "Patient/1"), Context()
    said = dict(one.split(" = ", 1) for one in example.says.split("; "))
    if example.protocol is Protocol.HL7V2:
        body = "\r".join((MSH, *_segments(said))).encode()
        return Hl7Document(body, header.scan(body), "cp1252"), Context()
    context = Context(received_at=float(said.get("message.time", 0)))
    line = {name.removeprefix("line."): value for name, value in said.items()}
    order = {"externalVisitId": said.get("order.externalVisitId"), "Services": [line]}
    return OrderDocument(order, context), context


def _segments(said: Mapping[str, str]) -> list[str]:
    """Segments in which `NK1[2]-5 = x` sets field 5 of the second NK1."""
    lines: dict[str, dict[int, str]] = {}
    for path, text in said.items():
        name, _, number = path.partition("-")
        lines.setdefault(name, {})[int(number)] = text
    return [
        "|".join([name[:3], *(fields.get(n, "") for n in range(1, max(fields) + 1))])
        for name, fields in lines.items()
    ]


def _told(made: Translation) -> str:
    if made.needs:
        return "*held*"
    payload: dict[str, Any] = made.calls[-1].payload
    if "value" not in payload:
        return "*nothing*"
    return "*null*" if payload["value"] is None else f"`{payload['value']}`"
