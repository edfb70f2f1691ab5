"""Folders of mappings: the shipped set, and what a site says instead."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from bridge.hl7v2 import header
from bridge.hl7v2.reader import Hl7Document
from bridge.lineage import RuleLine, origins
from bridge.mapping.document import Context
from bridge.mapping.engine.apply import apply
from bridge.mapping.engine.compiled import Mapping
from bridge.mapping.engine.rules import Read
from bridge.mapping.folders import Folder, content_hash
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto.catalogue import Catalogue

BODY = b"MSH|^~\\&|HIS|LAKESIDE|||20260301||ADT^A04|T1|P|2.5.1\rPID|||77||Rao^Meera||19900101|F"


def _registration(mappings: object) -> Mapping:
    found = mappings.find(Protocol.HL7V2, "ADT^A04")  # type: ignore[attr-defined]
    assert isinstance(found, Mapping)
    return found


def _gender(mapping: Mapping) -> str:
    document = Hl7Document(BODY, header.scan(BODY), "cp1252")
    return str(apply(mapping, document, Context()).calls[0].payload["gender"])


def test_every_shipped_mapping_compiles(shipped: Path, zauto: Catalogue) -> None:
    mappings = load([shipped], zauto, Site())
    taken = {
        protocol: {n for made in mappings.all if made.protocol is protocol for n in made.messages}
        for protocol in Protocol
    }
    events = "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 20 21 22 24 25 26 27 28 31 32 33"
    identity = "18 23 29 30 34 35 36 39 40 41 42 43 44 45 46 47 48 49 50 51"
    later = "37 38 52 53 54 55 60 61 62"
    assert taken == {
        Protocol.HL7V2: {
            *(f"MFN^M{n}" for n in "02 03 04 05 06 07 08 09 10 11 12 15 16 17".split()),
            *(f"SIU^S{number}" for number in (*range(12, 25), 26, 27)),
            *(f"ADT^A{number}" for number in f"{events} {identity} {later}".split()),
        },
        Protocol.FHIR: {"Patient", "Encounter"},
        Protocol.ORDERS: {"prescription-order", "service-order"},
    }


def test_every_shipped_part_and_table_is_used(shipped: Path) -> None:
    texts = "".join(file.read_text() for file in shipped.glob("*/*.yaml"))
    for part in (shipped / "parts").glob("*.yaml"):
        assert f"use: {part.stem}" in texts or f"like: {part.stem}\n" in texts, part
    for table in (shipped / "codes").glob("*.yaml"):
        assert f"codes: {table.stem}" in texts, table


def test_a_message_type_without_a_mapping_has_none(shipped: Path, zauto: Catalogue) -> None:
    mappings = load([shipped], zauto, Site())
    assert mappings.find(Protocol.HL7V2, "ORU^R01") is None
    assert mappings.find(Protocol.FHIR, "ADT^A04") is None


def test_a_site_overrides_single_rows_and_fields(
    shipped: Path, zauto: Catalogue, tmp_path: Path
) -> None:
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes/gender.yaml").write_text("rows: {F: Woman}\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/patient_from_pid.yaml").write_text("fields:\n  title: {constant: Dr}\n")
    mappings = load([shipped, tmp_path], zauto, Site())
    mapping = _registration(mappings)
    document = Hl7Document(BODY, header.scan(BODY), "cp1252")
    call = apply(mapping, document, Context()).calls[0]
    assert call.payload["gender"] == "Woman"
    assert call.payload["title"] == "Dr"
    assert call.payload["fullName"] == "Meera Rao"
    rule = next(
        origin.rule for origin in origins(call.lineage, mappings.legend) if origin.field == "title"
    )
    assert rule == f"{tmp_path.name}/parts/patient_from_pid.yaml:2"


def test_a_patient_of_a_group_is_read_from_that_group_alone(
    shipped: Path, zauto: Catalogue
) -> None:
    for mapping in load([shipped], zauto, Site(next_of_kin_phone=True)).all:
        for call in mapping.calls:
            if call.resource == "patients" and call.begins == "PID" and call.fields:
                rules = [rule for field in (call.id, *call.fields) for rule in field.rules]
                read = [rule.finder.sources for rule in rules if isinstance(rule.finder, Read)]
                asked = [test.source for rule in rules for test in rule.when if test.source]
                named = {source.path.line[0] for source in (*chain(*read), *asked)}
                assert named - set(call.each) == set(), mapping.name


def test_the_hash_is_another_where_the_same_rules_are_numbered_otherwise() -> None:
    rules = [RuleLine("id", "parts/a.yaml:3"), RuleLine("gender", "parts/a.yaml:4")]
    folders = [Folder("here", {"parts/a.yaml": "about: the same"})]
    hash = content_hash(folders, Site(), rules)
    assert content_hash(folders, Site(), rules[::-1]) != hash
    moved = [rule._replace(place=f"there/{rule.place}") for rule in rules]
    assert content_hash(folders, Site(), moved) == hash


def test_the_hash_follows_the_contents_and_not_the_place(
    shipped: Path, zauto: Catalogue, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        for file in shipped.glob("*/*.yaml"):
            copy = tmp_path / name / file.relative_to(shipped)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    same = load([tmp_path / "one"], zauto, Site()).hash
    assert load([tmp_path / "two"], zauto, Site()).hash == same
    with (tmp_path / "two/codes/gender.yaml").open("a") as file:
        file.write("  X: Other\n")
    assert load([tmp_path / "two"], zauto, Site()).hash != same


def test_words_stay_the_text_that_was_written(
    shipped: Path, zauto: Catalogue, tmp_path: Path
) -> None:
    (tmp_path / "codes").mkdir()
    (tmp_path / "codes/gender.yaml").write_text("rows: {F: NO}\n")
    assert _gender(_registration(load([shipped, tmp_path], zauto, Site()))) == "NO"
