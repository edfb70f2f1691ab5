"""The samples are readable, and tell a story when they are replayed in the order of their paths."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import hl7
import orjson
import pytest

SAMPLES = Path(__file__).parents[2] / "samples"
HL7 = sorted(SAMPLES.rglob("*.hl7"))
JSON = sorted(SAMPLES.rglob("*.json"))
GOOD_HL7 = [file for file in HL7 if file.parent.name != "error"]
GOOD_JSON = [file for file in JSON if file.parent.name != "error"]
CODECS = {"8859/1": "iso-8859-1", "": "cp1252"}


def told(file: Path) -> str:
    """The file as python-hl7 can read it: without a byte order mark, lines ended by CR."""
    body = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
    header = re.split(rb"[\r\n]", body)[0].split(body[3:4])
    charset = header[17].decode() if len(header) > 17 else ""
    text = body.decode(CODECS.get(charset, "utf-8"))
    return text.replace("\r\n", "\r").replace("\n", "\r")


def messages(file: Path) -> list[Any]:
    """The HL7 messages of a file, in order."""
    parts = re.split(r"(?m)(?=^MSH)", told(file).replace("\r", "\n"))
    bodies = [re.split(r"(?m)^(?:BTS|FTS)", part)[0] for part in parts if part.startswith("MSH")]
    return [hl7.parse(body.replace("\n", "\r")) for body in bodies]


def named(file: Path) -> str:
    return str(file.relative_to(SAMPLES))


def test_there_are_at_least_forty() -> None:
    assert len(HL7) + len(JSON) >= 40


@pytest.mark.parametrize("file", GOOD_HL7, ids=named)
def test_a_good_hl7_sample_is_read_by_another_library(file: Path) -> None:
    found = messages(file)
    assert found
    for message in found:
        assert str(message.segment("MSH")[10])
        assert str(message.segment("MSH")[9]).startswith(file.parent.name[:3].upper()) or (
            file.parent.name in ("batch", "stay")
        )


@pytest.mark.parametrize("file", GOOD_JSON, ids=named)
def test_a_good_json_sample_is_an_object_of_its_kind(file: Path) -> None:
    sample = orjson.loads(file.read_bytes())
    if file.parent.name == "orders":
        assert sample["externalVisitId"]
        assert sample.get("Medications") or sample.get("Services")
    else:
        assert sample["resourceType"].lower() == file.parent.name


@pytest.mark.parametrize("file", [*HL7, *JSON], ids=named)
def test_a_sample_is_told_of_in_the_table(file: Path) -> None:
    assert f"| `{file.name}` |" in (SAMPLES / "README.md").read_text(encoding="utf-8")


def _patients() -> list[tuple[str, str, str]]:
    """Type, medical record number and its authority of every ADT message, in replay order."""
    found = []
    for file in GOOD_HL7:
        for message in messages(file):
            kind = str(message.segment("MSH")[9])[4:7]
            if file.parent.name.startswith("adt"):
                for identifier in message.segment("PID")[3]:
                    found.append((kind, str(identifier[0]), str(identifier[3])))
    return found


def test_a_number_always_has_the_same_authority() -> None:
    authorities: dict[str, set[str]] = {}
    for _, value, authority in _patients():
        authorities.setdefault(value, set()).add(authority)
    assert {value for value, names in authorities.items() if len(names) > 1} == set()


def test_an_update_follows_the_registration_of_its_patient() -> None:
    seen: set[str] = set()
    firsts = set()
    for kind, value, _ in _patients():
        if kind == "A08" and value not in seen:
            firsts.add(value)
        seen.add(value)
    # adt-a08/06 is there to show what an update of an unknown patient does
    assert firsts == {"100406"}


def test_only_what_shows_it_repeats_a_control_id() -> None:
    seen: dict[str, list[str]] = {}
    for file in GOOD_HL7:
        for message in messages(file):
            seen.setdefault(str(message.segment("MSH")[10]), []).append(named(file)[:16])
    repeated = [files for files in seen.values() if len(files) > 1]
    assert repeated == [["hl7v2/adt-a04/22", "hl7v2/adt-a04/23", "hl7v2/adt-a04/24"]]
