from __future__ import annotations

import importlib

import pytest

from bridge.fhir.elements import OPEN, PRIMITIVES, RESOURCE_TYPES, TYPES, names_in, types_of


def test_every_type_that_is_named_is_described() -> None:
    named = {element.type for elements in TYPES.values() for element in elements.values()}
    assert named <= TYPES.keys() | PRIMITIVES | OPEN


@pytest.mark.parametrize("type_name", sorted(TYPES))
def test_the_elements_are_those_of_the_standard(type_name: str) -> None:
    root, _, part = type_name.partition(".")
    module = importlib.import_module(f"fhir.resources.R4B.{root.lower()}")
    model = getattr(module, root + part[:1].upper() + part[1:])
    fields = {
        field.alias or name: str(field.annotation)
        for name, field in model.model_fields.items()
        if not name.endswith("__ext") and name not in ("fhir_comments", "resource_type")
    }
    fields.pop("resourceType", None)
    ours = {name: element.many for name, element in TYPES[type_name].items()}
    ours.pop("resourceType", None)
    assert ours == {name: "List[" in kind or "list[" in kind for name, kind in fields.items()}


def test_a_choice_is_known_with_and_without_its_type() -> None:
    assert {"deceased", "deceasedBoolean"} <= names_in("Patient")
    assert types_of("Patient", "deceased") == {"boolean", "dateTime"}
    assert "value" in names_in("Identifier")


def test_an_element_that_r5_gave_another_type_may_have_either() -> None:
    assert types_of("Encounter", "class") == {"Coding", "CodeableConcept"}


def test_what_is_not_there_has_no_type() -> None:
    for resource_type in RESOURCE_TYPES:
        assert types_of(resource_type, "nme") == frozenset()
