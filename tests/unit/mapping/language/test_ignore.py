"""`ignore:`: what a mapping leaves out on purpose is checked like every word of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import Fault, MappingError
from bridge.mapping.engine.compiled import Mappings
from bridge.mapping.engine.trails import Trail, ignored, told
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.settings import Site
from bridge.zauto.catalogue import Catalogue


def write(folder: Path, ignore: str, *, of_mapping: str = "") -> Path:
    for name, text in (
        (
            "hl7v2/registration.yaml",
            f"messages: [ADT^A04]\n{of_mapping}calls: [{{upsert: patients, use: patient}}]\n",
        ),
        (
            "parts/patient.yaml",
            "source: hl7v2\nresource: patients\nid: {from: PID-3.1}\n"
            "fields:\n  fullName: {from: PID-5, as: person_name}\n" + ignore,
        ),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def faults(folder: Path, zauto: Catalogue) -> list[Fault]:
    with pytest.raises(MappingError) as caught:
        load([folder], zauto, Site())
    return list(caught.value.faults)


def ignored_of(mappings: Mappings) -> frozenset[Trail]:
    return mappings.all[0].ignored


def test_mapping_and_part_may_both_leave_out(tmp_path: Path, zauto: Catalogue) -> None:
    folder = write(tmp_path, 'ignore: [PID-16, "NK1[*]"]\n', of_mapping="ignore: [PV2]\n")
    expected = {("PID", "16"), ("NK1[*]",), ("PV2",)}
    assert ignored_of(load([folder], zauto, Site())) == expected


def test_a_sites_list_is_added_to_the_shipped_one(tmp_path: Path, zauto: Catalogue) -> None:
    shipped = write(tmp_path / "shipped", "ignore: [PID-16]\n")
    site = tmp_path / "site"
    (site / "parts").mkdir(parents=True)
    (site / "parts/patient.yaml").write_text("ignore: [ZPI, PID-19]\n")
    found = ignored_of(load([shipped, site], zauto, Site()))
    assert found == {("PID", "16"), ("ZPI",), ("PID", "19")}


@pytest.mark.parametrize(
    ("wrong", "suggestion"),
    [("pid-16", "PID-16"), ("PDI-16", "PID-16"), ("PI1-3", "PV1-3"), ("PID-3[MR].1", "PID-3.1")],
)
def test_a_wrong_path_is_told_with_its_place_and_the_nearest_right_one(
    tmp_path: Path, zauto: Catalogue, wrong: str, suggestion: str
) -> None:
    folder = write(tmp_path, f'ignore:\n  - PID-9\n  - "{wrong}"\n')
    (fault,) = faults(folder, zauto)
    assert fault.file.endswith("parts/patient.yaml")
    assert (fault.line, fault.key, fault.suggestion) == (8, "ignore", suggestion)


@pytest.mark.parametrize(
    ("protocol", "text", "trail"),
    [
        (Protocol.HL7V2, "PV1-3.5", ("PV1", "3", "5")),
        (Protocol.HL7V2, "NK1[2]-5", ("NK1[2]", "5")),
        (Protocol.HL7V2, "OBX", ("OBX",)),
        (Protocol.FHIR, "class.system", ("class", "system")),
        (Protocol.FHIR, "extension('http://x.test/a.b')", ("extension", "http://x.test/a.b")),
        (Protocol.ORDERS, "line.notes", ("line", "notes")),
    ],
)
def test_a_trail_is_told_as_its_protocol_writes_it(
    protocol: Protocol, text: str, trail: Trail
) -> None:
    assert ignored(text, protocol) == trail
    assert told(trail, protocol) == text
