"""The page of HL7 v2 events, and the example of a master file of a site's own."""

from __future__ import annotations

import re
from pathlib import Path

from bridge.hl7v2 import header
from bridge.hl7v2.reader import Hl7Document
from bridge.mapping.document import Context
from bridge.mapping.engine.apply import apply
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.reports.pages.events import table
from bridge.reports.pages.runbook import rewritten
from bridge.settings import Site
from bridge.shipped import mappings_folder
from bridge.zauto import catalogue

ROOT = Path(__file__).parents[2]
SHIPPED = mappings_folder()
CATALOGUE = catalogue.load(SHIPPED / "zauto")
BLOCK = re.compile(r"```(?:yaml)?\n(.*?)```", re.DOTALL)


def test_the_table_of_events_is_the_mappings() -> None:
    page = (ROOT / "docs/reference/hl7v2-events.md").read_text(encoding="utf-8")
    assert table() in page, "run `make reference`"
    assert rewritten(page.replace("`ADT^A01`", "`ADT^A00`")) == page


def test_each_event_that_is_taken_stands_in_the_page_once() -> None:
    page = (ROOT / "docs/reference/hl7v2-events.md").read_text(encoding="utf-8")
    taken = load([SHIPPED], CATALOGUE, Site()).all
    types = [kind for each in taken if each.protocol is Protocol.HL7V2 for kind in each.messages]
    assert sorted(re.findall(r"`([A-Z]{3}\^\w{3})`", page)) == sorted(types)


def test_the_master_file_of_the_how_to_becomes_what_it_says(tmp_path: Path) -> None:
    page = (ROOT / "docs/how-to/map-a-master-file.md").read_text(encoding="utf-8")
    message, *files = BLOCK.findall(page)
    for text in files:
        name = re.match(r"# conf/sites/lakeside/(\S+)", text)
        assert name
        (tmp_path / name[1]).parent.mkdir(exist_ok=True)
        (tmp_path / name[1]).write_text(text, encoding="utf-8")
    mapping = load([SHIPPED, tmp_path], CATALOGUE, Site()).find(Protocol.HL7V2, "MFN^Z01")
    assert mapping
    body = message.encode()
    made = apply(mapping, Hl7Document(body, header.scan(body)), Context())
    assert [(call.resource, call.external_id, call.payload["name"]) for call in made.calls] == [
        ("medicines", "M-1", "Paracetamol 500 mg")
    ]
    assert [remark.path for remark in made.warnings] == ["medicines #2"]
    assert "no longer kept" in made.warnings[0].text
