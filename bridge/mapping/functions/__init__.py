"""The functions that `as:` can name: a closed list for each source.

A function turns one source value, as its reading gives it, into one value of a call. Where a
field repeats, the reading says which repetition is asked first; the first for which `make` finds
something counts. `make` returns None for "nothing here, look further" and "" for "settled: there
is nothing".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bridge.mapping.functions import (
    contact,
    contacts,
    identity,
    links,
    money,
    names,
    orders,
    texts,
    times,
    units,
    visits,
)
from bridge.mapping.functions.compounds import FHIR, HL7V2, Compounds, doctor, plain
from bridge.mapping.scope import Reading
from bridge.message import Protocol


class Function(NamedTuple):
    """One function of the language."""

    name: str
    make: Callable[..., Any]
    reading: Reading


#: one text or number
PLAIN = Reading(plain)
_DOCTOR = Reading(doctor)
_ELEMENT = Reading(lambda value: value)
_CONTACT = Reading(lambda value: value, contacts.order)


def _of_people(read: Compounds) -> tuple[Function, ...]:
    name = Reading(read.name, names.order)
    identifier = Reading(read.identifier, identity.order)
    telecom = Reading(read.telecom, contact.order)
    return (
        Function("person_name", names.full_name, name),
        Function("title", names.title, name),
        Function("family_name", names.family, name),
        Function("given_name", names.given, name),
        Function("identifier", identity.value, identifier),
        Function("identifier_authority", identity.authority, identifier),
        Function("identifier_type", identity.type_code, identifier),
        Function("uhid", identity.uhid, identifier),
        Function("uhid_prefix", identity.uhid_prefix, identifier),
        Function("aadhaar", identity.aadhaar, Reading(read.identifier)),
        Function("phone", contact.phone, telecom),
        Function("whatsapp", contact.whatsapp, telecom),
        Function("email", contact.email, telecom),
        Function("address", contact.address, Reading(read.address, contact.order)),
    )


#: what `from:` without `as:` does
COPY = Function("", texts.text, PLAIN)

#: makes of each value what `date_time` does, and takes the smallest of all values of all paths
EARLIEST = "earliest"

_COMMON = (
    Function("integer", texts.integer, PLAIN),
    Function("date", times.date, PLAIN),
    Function("birth_date", times.birth_date, PLAIN),
    Function("date_time", times.date_time, PLAIN),
    Function(EARLIEST, times.date_time, PLAIN),
)

#: functions that take a time zone (`zone:`)
ZONED = frozenset({"date_time", EARLIEST, "hl7_time", "hl7_date"})

#: functions that take the code table of the units they know (`units:`)
DOSES = frozenset({"dose_minimum", "dose_maximum", "dose_unit", "dose_unread"})

_OF_HL7V2 = (
    Function("quantity", units.quantity, Reading(units.read_cq)),
    Function("admission_number", visits.admission_number, PLAIN),
    Function("provider_id", names.provider_id, _DOCTOR),
    Function("provider_name", names.provider_name, _DOCTOR),
    Function("provider_family", names.provider_family, _DOCTOR),
    Function("provider_given", names.provider_given, _DOCTOR),
    Function("doctor_name", names.doctor_name, _DOCTOR),
)

_OF_FHIR = (
    Function("quantity", units.quantity, Reading(units.read_quantity)),
    Function("concept_text", texts.concept_text, _ELEMENT),
    Function("link", links.link, _ELEMENT),
    Function("provider_id", links.provider_id, _ELEMENT),
    Function("provider_name", links.provider_name, _ELEMENT),
    Function("contact_name", contacts.name, _CONTACT),
    Function("contact_relation", contacts.relation, _CONTACT),
    Function("contact_phone", contacts.phone, _CONTACT),
)

_OF_ORDERS = (
    Function("dose_minimum", orders.dose_minimum, PLAIN),
    Function("dose_maximum", orders.dose_maximum, PLAIN),
    Function("dose_unit", orders.dose_unit, PLAIN),
    Function("dose_unread", orders.dose_unread, PLAIN),
    Function("duration_number", orders.duration_number, PLAIN),
    Function("duration_unit", orders.duration_unit, PLAIN),
    Function("duration_unread", orders.duration_unread, PLAIN),
    Function("amount", money.amount, PLAIN),
    Function("hl7_time", times.hl7_time, PLAIN),
    Function("hl7_date", times.hl7_date, PLAIN),
)


def _by_name(*functions: Function) -> Mapping[str, Function]:
    return {function.name: function for function in functions}


FUNCTIONS: Mapping[Protocol, Mapping[str, Function]] = {
    Protocol.HL7V2: _by_name(*_COMMON, *_of_people(HL7V2), *_OF_HL7V2),
    Protocol.FHIR: _by_name(*_COMMON, *_of_people(FHIR), *_OF_FHIR),
    Protocol.ORDERS: _by_name(*_COMMON, *_OF_ORDERS),
}
