from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import MappingError, SettingsError
from bridge.service.parts import read_parts
from bridge.settings import Channel, MappingSettings, Settings, Site, Zauto


def test_the_shipped_set_is_used_unless_a_folder_is_named() -> None:
    parts = read_parts(Settings())
    assert set(parts.catalogue.resources) >= {"patients", "providers", "patient-visits"}
    assert "ADT^A04" in parts.mappings.message_types


def test_a_folder_without_a_catalogue_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="holds no resource"):
        read_parts(Settings(mappings=MappingSettings(folder=tmp_path)))


def test_an_operation_of_no_resource_is_told_with_those_there_are() -> None:
    settings = Settings(zauto=Zauto(not_offered=("read visits",)))
    with pytest.raises(SettingsError, match="no resource 'visits' to read; there are facilities"):
        read_parts(settings)


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    """Two hospitals, of which each calls a woman otherwise."""
    for name, word in (("lakeside", "Woman"), ("riverside", "Female")):
        (tmp_path / name / "codes").mkdir(parents=True)
        (tmp_path / name / "codes/language.yaml").write_text(f"rows: {{xx: {word}}}\n")
    (tmp_path / "lakeside/site.yaml").write_text("time_zone: Europe/Oslo\ncountry: NO\n")
    return tmp_path


def _settings(sites: Path, **channels: str) -> Settings:
    return Settings(
        mappings=MappingSettings(sites=sites),
        channels=tuple(Channel(name=name, site=site) for name, site in channels.items()),
    )


def test_each_channel_has_the_mappings_of_its_site(sites: Path) -> None:
    sets = read_parts(_settings(sites, a="lakeside", b="riverside", c="lakeside", d="")).sets
    assert sets.of("a") is sets.of("c")
    hashes = [sets.of(name).hash for name in "abd"]
    assert len(set(hashes)) == 3
    rows = [sets.of(name).tables["language"].row("XX") for name in "abd"]
    assert [row and row.value for row in rows] == ["Woman", "Female", None]
    assert sets.of("d").hash == read_parts(Settings()).mappings.hash


def test_a_site_overrides_settings_of_site_and_inherits_the_others(sites: Path) -> None:
    settings = _settings(sites, a="lakeside", b="riverside")
    settings = settings.model_copy(update={"site": Site(currency="EUR")})
    sets = read_parts(settings).sets
    assert (sets.of("a").site.time_zone, sets.of("a").site.country) == ("Europe/Oslo", "NO")
    assert sets.of("b").site.time_zone == "Asia/Kolkata"
    assert {sets.of(name).site.currency for name in "ab"} == {"EUR"}
    assert str(sets.of("a").all[0].zone) == "Europe/Oslo"


def test_one_site_can_be_that_of_all_channels_that_name_none(sites: Path) -> None:
    settings = Settings(
        mappings=MappingSettings(sites=sites, site="lakeside"),
        channels=(Channel(name="a"), Channel(name="b", site="riverside")),
    )
    sets = read_parts(settings).sets
    assert sets.of("a") is sets.of("a channel that is gone")
    assert sets.of("a").site.country == "NO"
    assert sets.of("b").site.country == "IN"


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (
            "site.yaml",
            "name: x\ntime_zome: Asia/Kolkata\n",
            r"site.yaml:2:1: time_zome: is not a setting. Did you mean 'time_zone'\?",
        ),
        ("site.yaml", "time_zone: Asia\n", "site.yaml:1:12: time_zone: is not an IANA time zone"),
        ("site.yaml", "uhid: [digit]\n", "site.yaml:1:8: uhid.0: must be 'digits'"),
        ("site.yaml", "no_visit_number: [acount]\n", r"'park'. Did you mean 'account'\?"),
        ("site.yaml", "next_of_kin_phone: perhaps\n", "must be true or false"),
        ("site.yaml", "- a list\n", "must hold keys with values"),
        ("sites.yaml", "name: x\n", "is not read; .* Did you mean 'site.yaml'"),
        ("code/gender.yaml", "rows: {F: G}\n", "'code' is not a folder of mappings"),
        ("codes/gender.yml", "rows: {F: G}\n", "is not read; let its name end in .yaml"),
        ("zauto/patients.yaml", "x: y\n", "the same for all sites"),
    ],
)
def test_what_is_wrong_in_a_sites_folder_is_told(
    sites: Path, file: str, text: str, told: str
) -> None:
    wrong = sites / "lakeside" / file
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_text(text)
    with pytest.raises(MappingError, match=told):
        read_parts(_settings(sites, a="lakeside"))


def test_faults_of_all_sites_are_told_at_once(sites: Path) -> None:
    for name in ("lakeside", "riverside"):
        (sites / name / "codes/gender.yaml").write_text("rowz: {F: Woman}\n")
    with pytest.raises(MappingError) as raised:
        read_parts(_settings(sites, a="lakeside", b="riverside", c="lakside"))
    files = {fault.file for fault in raised.value.faults}
    assert {str(sites / name / "codes/gender.yaml") for name in ("lakeside", "riverside")} <= files
    assert f"there is no site 'lakside' in {sites}; there are lakeside, riverside." in str(
        raised.value
    )


def test_null_in_a_sites_settings_takes_a_setting_away(sites: Path) -> None:
    (sites / "lakeside/site.yaml").write_text("placeholder_phone: null\n")
    settings = _settings(sites, a="lakeside", b="riverside")
    settings = settings.model_copy(update={"site": Site(placeholder_phone="+911234500000")})
    sets = read_parts(settings).sets
    assert sets.of("a").site.placeholder_phone is None
    assert sets.of("b").site.placeholder_phone == "+911234500000"
