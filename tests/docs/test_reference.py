"""The reference says of fields and policies what the shipped mappings and the settings say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from bridge.mapping.engine.compiled import CompiledField
from bridge.mapping.engine.rules import Join, Read
from bridge.mapping.language.load import load
from bridge.message import Protocol
from bridge.reports.pages.words import with_words
from bridge.settings import Site
from bridge.shipped import mappings_folder
from bridge.zauto import catalogue

ROOT = Path(__file__).parents[2]
FIELDS = (ROOT / "docs/reference/hl7v2-fields.md").read_text(encoding="utf-8")
POLICIES = (ROOT / "docs/reference/policies.md").read_text(encoding="utf-8")
ZAUTO = catalogue.load(mappings_folder() / "zauto")
#: what a message of the hospital does not lack: its name, and what prices are in
NO_POLICIES = {"name", "currency"}


def plans(resource: str) -> dict[str, CompiledField]:
    """The rules of a registration, where every policy is on that finds more."""
    site = Site(next_of_kin_phone=True, no_visit_number=("account", "admission"))
    mapping = load([mappings_folder()], ZAUTO, site).find(Protocol.HL7V2, "ADT^A04")
    assert mapping is not None
    call = next(call for call in mapping.calls if call.resource == resource)
    return {"id": call.id} | {field.name: field for field in call.fields}


def rows(title: str) -> dict[str, str]:
    """What a section says each field is read from."""
    section = FIELDS.split(f"## {title}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))


def paths(field: CompiledField) -> list[str]:
    finders = [rule.finder for rule in field.rules]
    read = [each.sources for each in finders if isinstance(each, (Read, Join))]
    return list(dict.fromkeys(source.text for sources in read for source in sources))


def test_the_tables_of_words_are_the_words_declarations() -> None:
    page = (ROOT / "docs/reference/mapping.md").read_text(encoding="utf-8")
    assert with_words(page) == page, "run `make reference`"
    assert with_words(page.replace("| always this |", "| never |")) == page


@pytest.mark.parametrize(
    ("title", "resource"), [("Patient", "patients"), ("Visit", "patient-visits")]
)
def test_the_table_of_fields_is_what_the_shipped_mappings_read(title: str, resource: str) -> None:
    shown, filled = rows(title), plans(resource)
    assert set(shown) == set(ZAUTO[resource].fields)
    for name, told in shown.items():
        if told == "*not filled*":
            assert name not in filled, name
        else:
            assert re.findall(r"`(.+?)`", told) == paths(filled[name]), name


def test_what_a_site_can_add_fits_the_language(tmp_path: Path) -> None:
    shown = FIELDS.split("```yaml\n")[1].split("```")[0]
    part = tmp_path / "parts/patient_from_pid.yaml"
    part.parent.mkdir()
    part.write_text(shown)
    load([mappings_folder(), tmp_path], ZAUTO, Site())


def words(annotation: Any) -> Iterator[str]:
    """The words a setting may be."""
    for inner in get_args(annotation):
        yield from [inner] if isinstance(inner, str) else words(inner)


@pytest.mark.parametrize("name", sorted(set(Site.model_fields) - NO_POLICIES))
def test_every_policy_is_told_with_its_words_and_its_default(name: str) -> None:
    row = re.search(rf"^\| [^|]+ \| `site.{name}` \| (.*) \| (.*) \|$", POLICIES, re.MULTILINE)
    assert row is not None
    for word in words(Site.model_fields[name].annotation):
        assert f"`{word}`" in row[1]
    assert Site(**{name: yaml.safe_load(row[2].strip("`"))}) == Site()
