"""Which elements a path reads, and which a resource holds."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.fhir.trails import NO_ELEMENT, Trail, present, trails


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("name", [("name",)]),
        ("Patient.name[0].family", [("name", "family")]),
        ("telecom.first().value", [("telecom", "value")]),
        (
            "communication.where(preferred = true).language.coding.code",
            [("communication", "preferred"), ("communication", "language", "coding", "code")],
        ),
        (
            "identifier.where(type.coding.code = 'VN').where(use = 'old').value",
            [
                ("identifier", "type", "coding", "code"),
                ("identifier", "use"),
                ("identifier", "value"),
            ],
        ),
        ("deceased.ofType(dateTime)", [("deceased",)]),
        (
            "birthDate.extension('http://x.test/t').value",
            [("birthDate", "extension", "http://x.test/t", "value")],
        ),
    ],
)
def test_a_path_reads_where_it_leads_and_what_its_conditions_ask(
    path: str, read: list[Trail]
) -> None:
    assert trails(path) == tuple(read)


@pytest.mark.parametrize(
    ("resource", "held"),
    [
        ({"gender": "female", "birthDate": "", "active": None}, {("gender",)}),
        (
            {"name": [{"given": ["A", "B"]}, {"family": "C"}]},
            {("name", "given"), ("name", "family")},
        ),
        ({"deceasedBoolean": False}, {("deceased",)}),
        (
            {"_birthDate": {"extension": [{"url": "http://x.test/t", "valueString": "8:00"}]}},
            {("birthDate", "extension", "http://x.test/t", "value")},
        ),
        ({"_given": [None, {"id": "1"}]}, {("given", "id")}),
        ({"Meera Nair, ward 3": {"x": 1}}, {(NO_ELEMENT, "x")}),
    ],
)
def test_a_resource_holds_the_elements_that_say_something(
    resource: dict[str, Any], held: set[Trail]
) -> None:
    assert present(resource) == held
