from __future__ import annotations

from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from bridge.fhir.capability import statement


def test_it_is_an_r4_capability_statement() -> None:
    assert CapabilityStatement.model_validate(statement("1.2.3"))
    assert statement("1.2.3")["fhirVersion"] == "4.0.1"


def test_it_states_what_the_door_does() -> None:
    (rest,) = statement("1.2.3")["rest"]
    assert [resource["type"] for resource in rest["resource"]] == ["Patient", "Encounter"]
    for resource in rest["resource"]:
        assert [each["code"] for each in resource["interaction"]] == ["create", "update"]
        assert resource["updateCreate"] is True
        assert resource["conditionalCreate"] is resource["conditionalUpdate"] is False
        assert [operation["name"] for operation in resource["operation"]] == ["validate"]


def test_it_stays_the_same_so_that_its_etag_does() -> None:
    assert statement("1") == statement("1")
