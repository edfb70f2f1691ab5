from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import PathError
from bridge.fhir.paths import parse

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "active": True,
    "identifier": [
        {"system": "urn:a", "value": "A1", "type": {"coding": [{"code": "MR"}, {"code": "X"}]}},
        {"system": "urn:b", "value": "B1", "type": {"coding": [{"code": "PI"}]}},
        {"value": "C1"},
    ],
    "name": [
        {"use": "official", "family": "Rao", "given": ["Asha", None, "Devi"]},
        {"use": "nickname", "given": ["Ash"]},
    ],
    "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1990-02-03T04:05:00Z"}]},
    "birthDate": "1990-02-03",
    "deceasedDateTime": "2020-01-01",
    "multipleBirthInteger": 2,
    "telecom": [{"system": "phone", "value": "1", "rank": 1}, {"system": "email", "value": ""}],
    "contact": {"name": {"family": "single object where a list is due"}},
    "extension": [
        {"url": "urn:religion", "valueCodeableConcept": {"text": "none"}},
        {"url": "urn:nested", "extension": [{"url": "code", "valueString": "deep"}]},
    ],
    "contained": [{"resourceType": "Organization", "name": "O"}, {"resourceType": "Location"}],
}


def found(path: str) -> list[Any]:
    return parse(path).values(PATIENT)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("birthDate", ["1990-02-03"]),
        ("active", [True]),
        ("Patient.birthDate", ["1990-02-03"]),
        ("Encounter.period", []),
        ("name.family", ["Rao"]),
        ("name.given", ["Asha", "Devi", "Ash"]),
        ("name.where(use = 'official').given", ["Asha", "Devi"]),
        ("name.where(use='official').given[1]", ["Devi"]),
        ("name.first().given.first()", ["Asha"]),
        ("name[1].given", ["Ash"]),
        ("name[7]", []),
        ("identifier.where(type.coding.code = 'MR').value", ["A1"]),
        ("identifier.where(type.coding.code = 'X').value", ["A1"]),
        ("identifier.where(system = 'urn:b').where(type.coding.code = 'PI').value", ["B1"]),
        ("telecom.where(rank = 1).value", ["1"]),
        ("telecom.where(rank = true).value", []),
        ("telecom.where(system = 'email').value", []),
        ("contact.name.family", ["single object where a list is due"]),
        ("deceased", ["2020-01-01"]),
        ("deceased.ofType(dateTime)", ["2020-01-01"]),
        ("deceased.ofType(boolean)", []),
        ("multipleBirth", [2]),
        ("birthDate.extension('urn:time').value", ["1990-02-03T04:05:00Z"]),
        ("birthDate.extension('urn:time').value.ofType(dateTime)", ["1990-02-03T04:05:00Z"]),
        ("extension('urn:religion').value.text", ["none"]),
        ("extension('urn:nested').extension('code').value", ["deep"]),
        ("extension('urn:absent').value", []),
        ("contained.ofType(Organization).name", ["O"]),
        ("maritalStatus.coding.code", []),
        ("class.coding.code", []),
        ("actualPeriod.start", []),
    ],
)
def test_a_path_finds_its_values(path: str, values: list[Any]) -> None:
    assert found(path) == values


def test_an_element_may_be_an_object() -> None:
    assert found("identifier.where(value = 'B1').type") == [{"coding": [{"code": "PI"}]}]


def test_an_escaped_quote_is_part_of_the_text() -> None:
    path = parse(r"name.where(family = 'O\'Brien \u0041').given")
    assert path.values({"name": [{"family": "O'Brien A", "given": ["Una"]}]}) == ["Una"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name..given",
        "name.",
        ".name",
        "name.given)",
        "name.where(use='official'",
        "name given",
        "name.where(use=='official')",
        "name.where(use)",
        "name.where()",
        "name.first(1)",
        "name[-1]",
        "name[x]",
        "name[0",
        "extension(url)",
        "name | alias",
        "name.given & 'x'",
        "name.$this",
        "name.where(use = 'official' and active = true)",
    ],
)
def test_what_is_not_in_the_subset_is_refused_at_load(text: str) -> None:
    with pytest.raises(PathError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("name.gven", "given"),
        ("deceasd", "deceased"),
        ("period.strt", "start"),
        ("identifier.where(typ.coding.code = 'MR').value", "type"),
        ("birthDate.year", None),
        ("Encounter.birthDate", None),
        ("name.whre(use = 'official')", "where"),
        ("extention('urn:x').value", "extension"),
        ("name.where(use = official)", "'official'"),
        ('name.where(use = "official")', "name.where(use = 'official')"),
        ("_birthDate.extension", "birthDate.extension('url')"),
        ("name.where(use = 'official)", "name.where(use = 'official)'"),
    ],
)
def test_a_near_miss_is_told_with_what_is_right(text: str, suggestion: str | None) -> None:
    with pytest.raises(PathError) as caught:
        parse(text)
    assert caught.value.suggestion == suggestion


def test_an_unknown_function_names_those_there_are() -> None:
    with pytest.raises(PathError, match="there are where, first, extension, ofType"):
        parse("name.join(' ')")


@pytest.mark.parametrize(
    "text",
    [
        "extension('urn:x').value.currency",
        "contained.ofType(Organization).alias",
        "Practitioner.qualification.code",
        "participant.actor.display",
        "reason.value.concept.text",
    ],
)
def test_names_are_free_where_the_type_is_not_known_and_r5_s_are_known(text: str) -> None:
    assert parse(text).text == text


def test_paths_with_the_same_text_are_equal() -> None:
    assert parse("name.given") == parse("name.given")
    assert parse("name.given") != parse("name.family")


@given(st.text(alphabet="name.whe()[]='0 _\\\"x", max_size=40))
def test_any_text_is_a_path_or_a_path_error(text: str) -> None:
    try:
        path = parse(text)
    except PathError:
        return
    assert isinstance(path.values(PATIENT), list)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "given", "use", "_given"]), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.sampled_from(["name", "given", "_name"]), JSON))
def test_values_are_never_null_empty_or_lists(resource: dict[str, Any]) -> None:
    for text in ("name", "name.given", "name.where(use = 'x').given.first()", "name[1]"):
        for value in parse(text).values(resource):
            assert value not in (None, "", {})
            assert not isinstance(value, list)
