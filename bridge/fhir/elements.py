"""The elements of the resources taken in, down to their primitives (R4 patient.html,
encounter.html, datatypes.html), and what R5 calls otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: `name:type`, with `*` behind where the element is a list in JSON
_ELEMENTS = {
    "Patient": """
        identifier:Identifier* active:boolean name:HumanName* telecom:ContactPoint* gender:code
        birthDate:date deceasedBoolean:boolean deceasedDateTime:dateTime address:Address*
        maritalStatus:CodeableConcept multipleBirthBoolean:boolean multipleBirthInteger:integer
        photo:Attachment* contact:Patient.contact* communication:Patient.communication*
        generalPractitioner:Reference* managingOrganization:Reference link:Patient.link*""",
    "Patient.contact": """
        relationship:CodeableConcept* name:HumanName telecom:ContactPoint* address:Address
        gender:code organization:Reference period:Period""",
    "Patient.communication": "language:CodeableConcept preferred:boolean",
    "Patient.link": "other:Reference type:code",
    "Encounter": """
        identifier:Identifier* status:code statusHistory:Encounter.statusHistory* class:Coding
        classHistory:Encounter.classHistory* type:CodeableConcept* serviceType:CodeableConcept
        priority:CodeableConcept subject:Reference episodeOfCare:Reference* basedOn:Reference*
        participant:Encounter.participant* appointment:Reference* period:Period length:Quantity
        reasonCode:CodeableConcept* reasonReference:Reference* diagnosis:Encounter.diagnosis*
        account:Reference* hospitalization:Encounter.hospitalization location:Encounter.location*
        serviceProvider:Reference partOf:Reference""",
    "Encounter.statusHistory": "status:code period:Period",
    "Encounter.classHistory": "class:Coding period:Period",
    "Encounter.participant": "type:CodeableConcept* period:Period individual:Reference",
    "Encounter.diagnosis": "condition:Reference use:CodeableConcept rank:integer",
    "Encounter.hospitalization": """
        preAdmissionIdentifier:Identifier origin:Reference admitSource:CodeableConcept
        reAdmission:CodeableConcept dietPreference:CodeableConcept*
        specialCourtesy:CodeableConcept* specialArrangement:CodeableConcept*
        destination:Reference dischargeDisposition:CodeableConcept""",
    "Encounter.location": """
        location:Reference status:code physicalType:CodeableConcept period:Period""",
    "Identifier": """
        use:code type:CodeableConcept system:uri value:string period:Period assigner:Reference""",
    "HumanName": """
        use:code text:string family:string given:string* prefix:string* suffix:string*
        period:Period""",
    "ContactPoint": "system:code value:string use:code rank:integer period:Period",
    "Address": """
        use:code type:code text:string line:string* city:string district:string state:string
        postalCode:string country:string period:Period""",
    "CodeableConcept": "coding:Coding* text:string",
    "Coding": "system:uri version:string code:code display:string userSelected:boolean",
    "Reference": "reference:string type:uri identifier:Identifier display:string",
    "Period": "start:dateTime end:dateTime",
    "Quantity": "value:decimal comparator:code unit:string system:uri code:code",
    "Attachment": """
        contentType:code language:code data:string url:uri size:integer hash:string title:string
        creation:dateTime""",
    "Meta": """
        versionId:string lastUpdated:instant source:uri profile:uri* security:Coding*
        tag:Coding*""",
    "Narrative": "status:code div:string",
}
#: what R5 renamed or added, and a mapping may therefore read beside R4's
_R5_ELEMENTS = {
    "Encounter": """
        class:CodeableConcept* actualPeriod:Period plannedStartDate:dateTime
        plannedEndDate:dateTime reason:Resource* admission:Resource subjectStatus:CodeableConcept
        careTeam:Reference* virtualService:Resource*""",
    "Encounter.participant": "actor:Reference",
    "Encounter.location": "form:CodeableConcept",
}
_OF_A_RESOURCE = """
    resourceType:code meta:Meta implicitRules:uri language:code text:Narrative contained:Resource*
    modifierExtension:Extension*"""
_OF_ALL = "id:string extension:Extension*"

#: resource types that the bridge takes
RESOURCE_TYPES = ("Patient", "Encounter")
#: elements of these types whose JSON key ends in the type of the value
CHOICES = frozenset({"value", "deceased", "multipleBirth"})
#: types that may hold anything
OPEN = frozenset({"Extension", "Resource"})
TEXTS = frozenset({"code", "string", "uri"})
TIMES = frozenset({"date", "dateTime", "instant"})
PRIMITIVES = TEXTS | TIMES | {"boolean", "integer", "decimal"}


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type."""

    type: str
    #: a JSON array
    many: bool
    #: one JSON string of any content
    is_text: bool


def _elements(type_name: str, text: str) -> Mapping[str, Element]:
    text += f" {_OF_ALL}"
    if type_name in RESOURCE_TYPES:
        text += f" {_OF_A_RESOURCE}"
    elif "." in type_name:
        text += " modifierExtension:Extension*"
    pairs = (word.split(":") for word in text.split())
    return {name: Element(of.rstrip("*"), of.endswith("*"), of in TEXTS) for name, of in pairs}


#: type name to its elements by JSON key
TYPES: Mapping[str, Mapping[str, Element]] = {
    type_name: _elements(type_name, text) for type_name, text in _ELEMENTS.items()
}
_R5_TYPES: Mapping[str, Mapping[str, Element]] = {
    type_name: _elements(type_name, text) for type_name, text in _R5_ELEMENTS.items()
}


def names_in(type_name: str) -> frozenset[str]:
    """What can be asked of a type, in R4 or R5: its JSON keys, and its choices without a type."""
    keys = TYPES.get(type_name, {}).keys() | _R5_TYPES.get(type_name, {}).keys()
    return frozenset(keys | {name for name in CHOICES if any(_is_choice(k, name) for k in keys)})


def types_of(type_name: str, name: str) -> frozenset[str]:
    """The types such an element may have; none where the type has no such element."""
    return frozenset(
        element.type
        for table in (TYPES, _R5_TYPES)
        for key, element in table.get(type_name, {}).items()
        if key == name or (name in CHOICES and _is_choice(key, name))
    )


def _is_choice(key: str, name: str) -> bool:
    return key.startswith(name) and key[len(name) : len(name) + 1].isupper()


#: every name that an element can have in JSON, as far as types are known here
NAMES: frozenset[str] = frozenset(
    {name for table in (TYPES, _R5_TYPES) for names in table.values() for name in names}
    | {"url"}
    | {f"value{of[0].upper()}{of[1:]}" for of in (*TYPES, *PRIMITIVES) if "." not in of}
)
