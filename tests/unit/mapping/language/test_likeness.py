"""A part that is like another says only in what it differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import MappingError
from bridge.hl7v2 import header
from bridge.hl7v2.reader import Hl7Document
from bridge.mapping.document import Context
from bridge.mapping.engine.apply import apply
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto.catalogue import Catalogue

BODY = (
    rb"MSH|^~\&|HIS|CITY|||20260301101500||ADT^A03|T1|P|2.5.1"
    b"\r"
    b"PID|1||4711^^^CITY^MR||Rao^Meera^^^Dr||19800101|F\r"
)


def _payload(folders: list[Path], zauto: Catalogue) -> dict[str, object]:
    mapping = load(folders, zauto, Site()).find(Protocol.HL7V2, "ADT^A03")
    assert mapping is not None
    document = Hl7Document(BODY, header.scan(BODY), "cp1252")
    return apply(mapping, document, Context()).calls[0].payload


def _write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        kind, _, stem = name.partition("_")
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / f"{stem}.yaml").write_text(text)


@pytest.fixture
def folder(tmp_path: Path, shipped: Path) -> Path:
    calls = "messages: [ADT^A03]\ncalls:\n  - {upsert: patients, use: short}\n"
    _write(tmp_path, hl7v2_adt_discharge=calls)
    return tmp_path


def test_what_it_does_not_say_is_as_in_the_other(
    shipped: Path, folder: Path, zauto: Catalogue
) -> None:
    _write(folder, parts_short="like: patient_from_pid\nfields: {title: {constant: Shri}}\n")
    payload = _payload([shipped, folder], zauto)
    assert (payload["title"], payload["fullName"]) == ("Shri", "Meera Rao")


def test_a_field_without_rules_is_not_filled(shipped: Path, folder: Path, zauto: Catalogue) -> None:
    _write(folder, parts_short="like: patient_from_pid\nfields: {title: []}\n")
    assert "title" not in _payload([shipped, folder], zauto)


def test_likeness_goes_on_over_several_parts(shipped: Path, folder: Path, zauto: Catalogue) -> None:
    _write(folder, parts_short="like: shorter\nfields: {gender: []}\n")
    _write(folder, parts_shorter="like: patient_from_pid\nfields: {title: []}\n")
    assert not {"title", "gender"} & set(_payload([shipped, folder], zauto))


def test_a_site_that_changes_the_other_changes_both(
    shipped: Path, folder: Path, zauto: Catalogue
) -> None:
    _write(folder, parts_short="like: patient_from_pid\n")
    _write(folder, parts_patient_from_pid="fields: {title: {constant: Smt}}\n")
    assert _payload([shipped, folder], zauto)["title"] == "Smt"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("like: patient_from_pdi\n", "patient_from_pid"),
        ("like: short\n", "like this one in turn"),
        ("like: loop\n", "like this one in turn"),
        ("like: [a, b]\n", "takes one word"),
    ],
)
def test_a_likeness_that_leads_nowhere_is_a_fault(
    shipped: Path, folder: Path, zauto: Catalogue, wrong: str, told: str
) -> None:
    _write(folder, parts_short=wrong, parts_loop="like: short\n")
    with pytest.raises(MappingError, match=told):
        load([shipped, folder], zauto, Site())


def test_a_mapping_says_calls_or_why_there_are_none(
    shipped: Path, folder: Path, zauto: Catalogue
) -> None:
    _write(folder, hl7v2_other="messages: [ADT^Z05]\n")
    with pytest.raises(MappingError, match="why there is none"):
        load([shipped, folder], zauto, Site())
