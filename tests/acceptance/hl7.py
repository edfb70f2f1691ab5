"""Messages a hospital would send, about invented people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: a field by its number
Fields = Mapping[int, str]


def segment(name: str, fields: Fields) -> str:
    """One segment; for MSH number 3 is the first to be given."""
    last = max(fields)
    if name == "MSH":
        return "|".join(["MSH", "^~\\&", *(fields.get(n, "") for n in range(3, last + 1))])
    return "|".join([name, *(fields.get(n, "") for n in range(1, last + 1))])


def message(segments: Sequence[tuple[str, Fields]]) -> bytes:
    """Segments ended by CR, in UTF-8."""
    return "".join(segment(name, fields) + "\r" for name, fields in segments).encode()


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as ADT tells it; None leaves a field out, "" says it is to be deleted."""

    number: str
    began: str = "20260115103000+0530"
    #: family, given
    doctor: tuple[str, str, str] | None = ("D17", "Rao", "Meera")
    purpose: str | None = "Fever"
    patient_class: str = "O"


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as ADT tells them; None leaves a field out, "" says it is to be deleted."""

    number: str
    family: str = "Nair"
    given: str = "Anjali"
    born: str | None = "19900412"
    sex: str = "F"
    phone: str | None = "+919876500123"
    address: str | None = "12 Rose Street"
    email: str | None = None


def adt(trigger: str, control_id: str, person: Person, visit: Visit | None, **header: str) -> bytes:
    """`adt("A04", "C1", person, visit)`; `version="2.3"` or `charset=...` change MSH."""
    moment = header.get("moment", "20260115103000+0530")
    msh = {
        3: header.get("application", "HIS"),
        4: header.get("facility", "CITY"),
        5: "ZAUTO",
        6: "ZAUTOAI",
        7: moment,
        9: f"ADT^{trigger}",
        10: control_id,
        11: "P",
        12: header.get("version", "2.5.1"),
        15: header.get("accept", ""),
        16: header.get("application_acknowledgment", ""),
        18: header.get("charset", "UNICODE UTF-8"),
    }
    segments = [("MSH", msh), ("EVN", {1: trigger, 2: moment}), ("PID", _pid(person))]
    return message(segments + (_pv(visit) if visit else []))


def _pid(person: Person) -> Fields:
    telecoms = []
    if person.phone is not None:
        telecoms.append(f"{person.phone}^PRN^PH" if person.phone else '""')
    if person.email:
        telecoms.append(f"^NET^Internet^{person.email}")
    return {
        1: "1",
        3: f"{person.number}^^^CITY^MR",
        5: f"{person.family}^{person.given}",
        7: _told(person.born),
        8: person.sex,
        11: _told(person.address),
        13: "~".join(telecoms),
    }


def _pv(visit: Visit) -> list[tuple[str, Fields]]:
    pv1 = {
        1: "1",
        2: visit.patient_class,
        3: "OPD^1",
        7: "^".join(visit.doctor) if visit.doctor else "",
        19: visit.number,
        44: visit.began,
    }
    purpose = _told(visit.purpose)
    return [("PV1", pv1), ("PV2", {3: f"^{purpose}" if visit.purpose else purpose})]


def _told(value: str | None) -> str:
    return '""' if value == "" else value or ""
