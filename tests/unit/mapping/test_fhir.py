"""FHIR Patient and Encounter to calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.delivery import Allocation, Interaction, Translation

Fhir = Callable[..., Translation]

V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"


def _identifier(value: str, code: str = "", system: str = "", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"value": value, **more}
    if code:
        found["type"] = {"coding": [{"system": V2_0203, "code": code}]}
    return {**found, "system": system} if system else found


def _patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p-1", "name": [{"text": "Uma Das"}], **elements}


def _encounter(**elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e-1",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p-1"},
        **elements,
    }


def test_a_patient_becomes_one_call_that_its_reference_leads_to(fhir: Fhir) -> None:
    (call,) = fhir(
        _patient(
            identifier=[_identifier("H-12", "MR", "urn:lakeside")],
            name=[
                {"use": "old", "family": "Sen"},
                {"use": "official", "family": "Das", "given": ["Uma", "K"], "prefix": ["Ms"]},
            ],
            gender="female",
            birthDate="1990-04-02",
            telecom=[
                {"system": "phone", "value": "080 2345 6789", "use": "work"},
                {"system": "phone", "value": "98185 12600", "use": "mobile"},
                {"system": "email", "value": "uma@example.org"},
                {"system": "url", "value": "https://wa.me/919818512601"},
            ],
            address=[{"line": ["5 Temple St"], "city": "Madurai", "postalCode": "625001"}],
            communication=[
                {"language": {"coding": [{"code": "en"}]}},
                {"language": {"coding": [{"code": "ta"}]}, "preferred": True},
            ],
        )
    ).calls
    assert call.external_id == "H-12"
    assert call.authority == "urn:lakeside"
    assert call.references == ("Patient/p-1",)
    assert call.payload == {
        "id": "H-12",
        "uhid": 12,
        "uhidPrefix": "H",
        "fullName": "Uma K Das",
        "title": "Ms",
        "dateOfBirth": "1990-04-02",
        "gender": "Female",
        "phoneNumber": "+919818512600",
        "whatsappNumber": "+919818512601",
        "email": "uma@example.org",
        "preferred_lang": "ta",
        "address": "5 Temple St, Madurai, 625001",
    }
    assert call.facts["sex"] == "F"


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [
        ([], "p-1"),
        ([_identifier("5", "PI"), _identifier("4", "MR")], "4"),
        ([_identifier("9", "SS"), _identifier("8", "", "urn:his")], "8"),
        ([_identifier("9", "", "http://hl7.org/fhir/sid/us-ssn")], "p-1"),
        ([_identifier("1", "MR", use="old"), _identifier("2", "MR")], "2"),
        ([_identifier("22-1111-2222-3333", "MR", "https://healthid.ndhm.gov.in")], "p-1"),
        ([_identifier("uma@abdm", "ABHA", "https://healthid.abdm.gov.in")], "p-1"),
        ([_identifier("4444-5555-6666", "ADN", "https://uidai.gov.in/")], "p-1"),
    ],
)
def test_the_id_is_the_hospitals_own_number_or_the_resources(
    fhir: Fhir, identifiers: list[dict[str, Any]], expected: str
) -> None:
    assert fhir(_patient(identifier=identifiers)).calls[0].external_id == expected


def test_a_known_patient_keeps_its_id_when_an_identifier_comes_later(fhir: Fhir) -> None:
    resource = _patient(identifier=[_identifier("44", "MR")])
    (call,) = fhir(resource, {"Patient/p-1": "p-1"}).calls
    assert call.external_id == call.payload["id"] == "p-1"


def test_a_resource_id_without_a_number_gets_one_allocated(fhir: Fhir) -> None:
    call = fhir({**_patient(), "id": "0b1c-9e"}).calls[0]
    assert call.allocations == (Allocation("uhid", "uhid", "0b1c-9e"),)


def test_an_aadhaar_number_is_sent_only_as_itself(fhir: Fhir) -> None:
    resource = _patient(identifier=[_identifier("4444-5555-6666", "ADN")])
    assert fhir(resource).calls[0].payload["aadhaarNumber"] == "444455556666"


def test_the_emergency_contact_is_the_one_that_says_so(fhir: Fhir) -> None:
    def contact(name: str, *codes: str, **more: Any) -> dict[str, Any]:
        concepts = [{"coding": [{"code": code}]} for code in codes]
        return {"name": {"text": name}, "relationship": concepts, **more}

    phone = {"telecom": [{"system": "phone", "value": "+919818512600"}]}
    contacts = [contact("Firm", "E", **phone), contact("Vik", "N", **phone), contact("Uma", "C")]
    payload = fhir(_patient(contact=contacts)).calls[0].payload
    assert payload["emergencyContactName"] == "Uma"
    assert "emergencyContactPhone" not in payload
    payload = fhir(_patient(contact=contacts[:2])).calls[0].payload
    assert payload["emergencyContactName"] == "Vik"
    assert payload["emergencyContactPhone"] == "+919818512600"
    assert "emergencyContactName" not in fhir(_patient(contact=contacts[:1])).calls[0].payload


def test_an_encounter_of_an_unknown_patient_waits_for_it(fhir: Fhir) -> None:
    translation = fhir(_encounter())
    assert translation.calls == ()
    assert translation.needs == ("Patient/p-1",)
    assert translation.problem == ""


@pytest.mark.parametrize(
    "reference",
    ["Patient/p-1", "https://his.example/fhir/Patient/p-1", "Patient/p-1/_history/3"],
)
def test_an_encounter_of_a_known_patient_is_a_visit(fhir: Fhir, reference: str) -> None:
    (call,) = fhir(
        _encounter(
            subject={"reference": reference},
            identifier=[_identifier("S1"), _identifier("V7", "VN")],
            period={"start": "2026-03-01T09:30:00+05:30"},
            reasonCode=[{"text": "Fever"}],
        ),
        {"Patient/p-1": "H-12"},
    ).calls
    assert (call.interaction, call.external_id) == (Interaction.UPSERT, "V7")
    assert call.references == ("Encounter/e-1",)
    assert call.payload == {
        "id": "V7",
        "patientId": "H-12",
        "visitDateTime": "2026-03-01T04:00:00Z",
        "patientType": "OUT_PATIENT",
        "purposeOfVisit": "Fever",
        "status": "IN_PROGRESS",
    }
    assert call.create_only == {"status"}
    assert call.facts["class"] == "O"


@pytest.mark.parametrize(
    ("status", "expected", "stated"),
    [
        ("planned", "IN_QUEUE", False),
        ("arrived", "IN_QUEUE", False),
        ("in-progress", "IN_PROGRESS", False),
        ("unknown", "IN_QUEUE", False),
        ("finished", "FINISHED", True),
        ("cancelled", "CANCELED", True),
        ("completed", "FINISHED", True),
    ],
)
def test_an_encounter_states_its_end_and_no_more(
    fhir: Fhir, status: str, expected: str, stated: bool
) -> None:
    call = fhir(_encounter(status=status), {"Patient/p-1": "1"}).calls[0]
    assert call.payload["status"] == expected
    assert ("status" in call.create_only) is not stated


@pytest.mark.parametrize(
    "subject",
    [{"reference": "Group/g-1"}, {"reference": "#p"}, {"display": "Uma"}, None],
)
def test_an_encounter_without_a_patient_is_a_problem(fhir: Fhir, subject: Any) -> None:
    translation = fhir(_encounter(subject=subject))
    assert translation.calls == ()
    assert "patientId" in translation.problem
    assert translation.needs == ()


@pytest.mark.parametrize(
    ("element", "individual", "expected"),
    [
        ("individual", {"reference": "Practitioner/d-1", "display": "Dr Rao"}, "d-1"),
        ("actor", {"reference": "Practitioner/d-1", "display": "Dr Rao"}, "d-1"),
        ("individual", {"identifier": {"value": "MCI-9"}, "display": "Dr Rao"}, "MCI-9"),
        (
            "individual",
            {"reference": "Practitioner?identifier=urn:npi|77", "display": "Dr Rao"},
            "77",
        ),
        ("individual", {"reference": "Practitioner/d-1"}, None),
        ("individual", {"display": "Dr Rao"}, None),
        ("individual", {"reference": "RelatedPerson/r-1", "display": "A friend"}, None),
    ],
)
def test_a_provider_is_a_practitioner_with_id_and_name(
    fhir: Fhir, element: str, individual: dict[str, Any], expected: str | None
) -> None:
    calls = fhir(_encounter(participant=[{element: individual}]), {"Patient/p-1": "1"}).calls
    providers = [call for call in calls if call.resource == "providers"]
    assert [call.external_id for call in providers] == ([expected] if expected else [])
    assert calls[-1].payload.get("providerId") == expected
    assert all(call.interaction is Interaction.CREATE for call in providers)


def test_an_r5_encounter_is_read_by_its_new_names(fhir: Fhir) -> None:
    resource = _encounter(
        **{"class": [{"coding": [{"code": "IMP"}]}]},
        actualPeriod={"start": "2026-03-01T09:30:00Z", "end": "2026-03-02T09:30:00Z"},
        reason=[{"value": [{"concept": {"text": "Fall"}}]}],
    )
    payload = fhir(resource, {"Patient/p-1": "1"}).calls[0].payload
    assert payload["patientType"] == "IN_PATIENT"
    assert payload["visitDateTime"] == "2026-03-01T09:30:00Z"
    assert payload["dischargeDateTime"] == "2026-03-02T09:30:00Z"
    assert payload["purposeOfVisit"] == "Fall"


def test_elements_of_the_wrong_shape_are_survived(fhir: Fhir) -> None:
    resource = _patient(
        name=["Uma", {"family": 7, "given": "Uma"}],
        identifier=["x", {"type": "MR", "value": 12}, {"type": {"coding": {"code": "MR"}}}],
        telecom=[{"system": "phone", "value": 9818512600}, 5, True],
        gender={"code": "female"},
        birthDate=19900402,
        address=["Madurai", {"line": "5 Temple St"}],
        contact=[7, {"name": 3, "telecom": "x", "relationship": "mother"}],
        communication={"language": "ta"},
    )
    payload = fhir(resource).calls[0].payload
    assert payload["phoneNumber"] == "+919818512600"
    encounter = _encounter(
        subject=[{"reference": 5}],
        participant=[{"individual": "x"}, 3],
        period="2026",
        reasonCode=["x", {"coding": [4]}],
        status=4,
    )
    assert fhir(encounter).calls == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "coding code text value system use type family given reference display start "
                "identifier individual actor relationship telecom name line language".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_ELEMENTS = (
    "identifier name telecom gender birthDate address contact communication status class subject "
    "participant period reasonCode type location serviceProvider meta"
).split()


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(("Patient", "Encounter")),
    st.dictionaries(st.sampled_from(_ELEMENTS), _JSON, max_size=6),
)
def test_no_json_breaks_the_translation(fhir: Fhir, kind: str, elements: dict[str, Any]) -> None:
    translation = fhir({**elements, "resourceType": kind, "id": "x"}, {"Patient/p": "1"})
    for call in translation.calls:
        assert all(
            value is None or isinstance(value, (str, int)) for value in call.payload.values()
        )


def test_a_servers_own_id_has_an_issuer_of_its_own(fhir: Fhir) -> None:
    (call,) = fhir({**_patient(), "id": "4711"}).calls
    assert (call.external_id, call.authority) == ("4711", "FHIR Patient.id")
    (call,) = fhir({**_patient(identifier=[_identifier("H-12", "MR")]), "id": "4711"}).calls
    assert (call.external_id, call.authority) == ("H-12", "")


def test_who_issued_an_id_is_not_asked_again_of_a_resource_that_is_known(fhir: Fhir) -> None:
    known = {"Patient/4711": "4711"}
    later = {**_patient(identifier=[_identifier("H-12", "MR", "urn:lakeside")]), "id": "4711"}
    (call,) = fhir(later, known).calls
    assert (call.external_id, call.authority) == ("4711", "")
