"""The functions that `as:` can name: a closed list for each source.

A function turns one source value into one value of a call. Where a field repeats, `order` says
which repetition is asked first; the first for which `make` finds something counts. `make`
returns None for "nothing here, look further" and "" for "settled: there is nothing".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bridge.mapping.functions import contact, contacts, identity, links, names, orders, texts, times
from bridge.mapping.functions.compounds import FHIR, HL7V2, Compounds
from bridge.mapping.scope import Order, Scope
from bridge.message import Protocol


class Function(NamedTuple):
    """One function of the language."""

    name: str
    make: Callable[[Any, Scope], Any]
    order: Order | None = None


def _common() -> tuple[Function, ...]:
    return (
        Function("text", texts.text),
        Function("integer", texts.integer),
        Function("date", times.date),
        Function("date_time", times.date_time),
    )


def _of_people(read: Compounds) -> tuple[Function, ...]:
    name_order = names.order(read.name)
    one_identifier = identity.order(read.identifier)
    return (
        Function("person_name", names.full_name(read.name), name_order),
        Function("title", names.title(read.name), name_order),
        Function("family_name", names.family(read.name), name_order),
        Function("given_name", names.given(read.name), name_order),
        Function("identifier", identity.value(read.identifier), one_identifier),
        Function("identifier_authority", identity.authority(read.identifier), one_identifier),
        Function("identifier_type", identity.type_code(read.identifier), one_identifier),
        Function("uhid", identity.uhid(read.identifier), one_identifier),
        Function("uhid_prefix", identity.uhid_prefix(read.identifier), one_identifier),
        Function("aadhaar", identity.aadhaar(read.identifier)),
        Function("phone", contact.phone(read.telecom), contact.order(read.telecom)),
        Function("whatsapp", contact.whatsapp(read.telecom)),
        Function("email", contact.email(read.telecom)),
        Function("address", contact.address(read.address), contact.address_order(read.address)),
    )


_OF_HL7V2 = (
    Function("provider_id", names.provider_id_of_xcn),
    Function("provider_name", names.provider_name_of_xcn),
    Function("provider_family", names.provider_family_of_xcn),
    Function("provider_given", names.provider_given_of_xcn),
    Function("doctor_name", names.doctor_name_of_xcn),
)

_OF_FHIR = (
    Function("concept_text", texts.concept_text),
    Function("link", links.link),
    Function("contact_name", contacts.name, contacts.order),
    Function("contact_relation", contacts.relation, contacts.order),
    Function("contact_phone", contacts.phone, contacts.order),
    Function("provider_id", links.provider_id),
    Function("provider_name", links.provider_name),
)

_OF_ORDERS = (
    Function("dose_minimum", orders.dose_minimum),
    Function("dose_maximum", orders.dose_maximum),
    Function("dose_unit", orders.dose_unit),
    Function("dose_unread", orders.dose_unread),
    Function("duration_number", orders.duration_number),
    Function("duration_unit", orders.duration_unit),
    Function("amount", orders.amount),
    Function("hl7_time", times.hl7_time),
    Function("hl7_date", times.hl7_date),
)


def _by_name(*functions: Function) -> Mapping[str, Function]:
    return {function.name: function for function in functions}


FUNCTIONS: Mapping[Protocol, Mapping[str, Function]] = {
    Protocol.HL7V2: _by_name(*_common(), *_of_people(HL7V2), *_OF_HL7V2),
    Protocol.FHIR: _by_name(*_common(), *_of_people(FHIR), *_OF_FHIR),
    Protocol.ORDERS: _by_name(*_common(), *_OF_ORDERS),
}
