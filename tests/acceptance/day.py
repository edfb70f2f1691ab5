"""A hospital's day, and what ZautoAI must hold after it: an oracle that knows no product code.

An event is told twice, once as the HL7 message the hospital sends and once as what it says of
each record. The fold of the second over the acknowledged messages is what must come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any, TypeAlias

from tests.acceptance.hl7 import Person, Visit, adt

#: what is said of a record: None says there is no such value (any more)
Said: TypeAlias = dict[str, Any]
#: resource and external id
Key: TypeAlias = tuple[str, str]

FIRST_PATIENT = 500_000
DOCTORS = (("D17", "Rao", "Meera"), ("D18", "Menon", "Arun"), ("D19", "Fernandes", "Luis"))
GIVEN = ("Anjali", "Ravi", "தமிழ்", "Søren", "Zoë", "मीरा")


@dataclass(frozen=True, slots=True)
class Event:
    """One message, and what it says."""

    control_id: str
    #: the patient it is about: a hospital sends what is about one patient in order
    patient: str
    body: bytes
    says: tuple[tuple[Key, Said], ...]


def day(random: Random, *, patients: int, updates: int) -> list[Event]:
    """Each patient registered, then updated, some registered for a second visit; interleaved."""
    queues = [_history(random, number, updates) for number in range(patients)]
    events: list[Event] = []
    while queues:
        queue = random.choice(queues)
        events.append(queue.pop(0))
        queues = [queue for queue in queues if queue]
    return events


def fold(events: Sequence[Event]) -> dict[Key, Said]:
    """Each record as it must be: what is not said stays, null clears, anything else replaces.

    What only a new record is given (`first`) is not said again of one that is there.
    """
    records: dict[Key, Said] = {}
    for event in events:
        for key, said in event.says:
            record = records.setdefault(key, dict(said.get("first", {})))
            if key[0] == "providers" and record:
                continue
            record |= {name: value for name, value in said.items() if name != "first"}
    return {
        key: {name: value for name, value in record.items() if value is not None}
        for key, record in records.items()
    }


def shown(record: Said) -> Said:
    """A record of the API in the oracle's words."""
    own = {"id", "externalId", "createdAt", "updatedAt"}
    found = {name: value for name, value in record.items() if name not in own}
    if "visitDateTime" in found:
        found["visitDateTime"] = datetime.fromisoformat(found["visitDateTime"])
    return found


def version_of(said: Said) -> int | None:
    """The version a request's body carries, None where it has none."""
    text = said.get("purposeOfVisit") or said.get("fullName") or ""
    last = str(text).rpartition(" ")[2]
    return int(last[1:]) if last[:1] == "v" and last[1:].isdecimal() else None


def patient_of(key: Key) -> str:
    """The patient a record is about; a doctor is on their own."""
    resource, external_id = key
    if resource != "patient-visits":
        return external_id
    return str(FIRST_PATIENT + int(external_id.removeprefix("V").partition("-")[0]))


def _history(random: Random, number: int, updates: int) -> list[Event]:
    """One patient's events; the family name and the purpose of the visit carry the version."""
    person = Person(str(FIRST_PATIENT + number), given=random.choice(GIVEN))
    events = []
    visit = _visit(random, number, 1)
    for version in range(updates + 1):
        trigger = "A08" if version else random.choice(["A04", "A01"])
        if version == updates // 2:
            trigger, visit = "A04", _visit(random, number, 2)
        person = replace(
            person,
            family=f"v{version}",
            phone=f"+9198765{random.randrange(100_000):05}" if version == 0 else _phone(random),
            address=random.choice([None, "", f"{version} Rose Street"]),
            born=random.choice(["19900412", None]),
        )
        visit = replace(visit, purpose=f"Review v{version}", doctor=random.choice([*DOCTORS, None]))
        events.append(_event(f"P{number}V{version}", trigger, person, visit))
    return events


def _phone(random: Random) -> str | None:
    return random.choice([None, f"+9198765{random.randrange(100_000):05}"])


def _visit(random: Random, number: int, which: int) -> Visit:
    began = f"202601{random.randrange(10, 28)}1030{random.randrange(60):02}+0530"
    return Visit(f"V{number}-{which}", began=began)


def _event(control_id: str, trigger: str, person: Person, visit: Visit) -> Event:
    says: list[tuple[Key, Said]] = [(("patients", person.number), _says_of_patient(person))]
    if visit.doctor is not None:
        identifier, family, given = visit.doctor
        says.append((("providers", identifier), {"fullName": f"{given} {family}"}))
    says.append((("patient-visits", visit.number), _says_of_visit(person, visit)))
    body = adt(trigger, control_id, person, visit)
    return Event(control_id, person.number, body, tuple(says))


def _says_of_patient(person: Person) -> Said:
    said: Said = {
        "uhid": int(person.number),
        "fullName": f"{person.given} {person.family}",
        "gender": "Female",
    }
    if person.born is not None:
        said["dateOfBirth"] = f"{person.born[:4]}-{person.born[4:6]}-{person.born[6:]}"
    if person.phone is not None:
        said["phoneNumber"] = person.phone
    if person.address is not None:
        said["address"] = person.address or None
    return said


def _says_of_visit(person: Person, visit: Visit) -> Said:
    said: Said = {
        "first": {"status": "IN_QUEUE"},
        "patientId": person.number,
        "visitDateTime": datetime.strptime(visit.began, "%Y%m%d%H%M%S%z"),
        "purposeOfVisit": visit.purpose,
        "patientType": "OUT_PATIENT",
    }
    if visit.doctor is not None:
        said["providerId"] = visit.doctor[0]
    return said
