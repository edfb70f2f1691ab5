"""Phone numbers, e-mail and postal addresses."""

from __future__ import annotations

import re

import phonenumbers

from bridge.mapping.functions.compounds import Address, Telecom
from bridge.mapping.scope import Candidate, Candidates, Scope
from bridge.remarks import RemarkCode

_PUNCTUATION = re.compile(r"[\s().\-/]+")
#: how a WhatsApp number is written as a link; behind it a number with its country code
_WHATSAPP = re.compile(r"^(?:whatsapp:|https://wa\.me/)\+?", re.IGNORECASE)
#: one `@`, no space, a dot in the domain; whether it is delivered, only sending it tells
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
#: digits of an E.164 number with its country code (ITU-T E.164, 6.2.1); the shortest in use have 7
_E164_DIGITS = range(7, 16)
#: Italian numbers keep the leading zero of the area code when called from abroad
_KEEPS_ZERO = "39"


def order(candidates: Candidates, scope: Scope) -> Candidates:
    """By rank: a mobile before a home number, a home address before one that is old."""
    if len(candidates) == 1:
        return candidates
    return sorted(candidates, key=_rank)


def _rank(candidate: Candidate) -> int:
    rank: int = candidate[0].rank
    return rank


def phone(telecom: Telecom, scope: Scope) -> str | None:
    """A number that can be called, as E.164: `+919818512600`."""
    return _number(telecom, scope) if telecom.kind == "phone" else None


def whatsapp(telecom: Telecom, scope: Scope) -> str | None:
    """A number that the source says is one of WhatsApp, as E.164."""
    return _number(telecom, scope) if telecom.kind == "whatsapp" else None


def _number(telecom: Telecom, scope: Scope) -> str | None:
    if not (telecom.text or telecom.local):
        return None
    number = e164(telecom, scope.site.country)
    if number is None:
        scope.remark(RemarkCode.NOT_A_PHONE)
    return number


def e164(telecom: Telecom, country: str) -> str | None:
    if not telecom.text and telecom.country:
        return _from_parts(telecom)
    text = telecom.text or f"{telecom.area}{telecom.local}"
    text = _WHATSAPP.sub("+", text)
    plain = _PUNCTUATION.sub("", text)
    if plain.startswith("+") and "(0)" not in text:
        return _checked(plain[1:])
    return _parsed(text, country)


def _from_parts(telecom: Telecom) -> str | None:
    """The sender named the country code, so that nothing has to be guessed."""
    code = telecom.country.removeprefix("+").removeprefix("00")
    number = telecom.area + telecom.local
    if not number.isdigit():
        number = _PUNCTUATION.sub("", number)
    if code != _KEEPS_ZERO:
        number = number.removeprefix("0")
    return _checked(code + number)


def _checked(digits: str) -> str | None:
    if digits.isascii() and digits.isdigit() and len(digits) in _E164_DIGITS and digits[0] != "0":
        return f"+{digits}"
    return None


def _parsed(text: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    # 0000000000 is what is typed where a form insists on a number
    if not number.national_number or not phonenumbers.is_possible_number(number):
        return None
    # some countries' plans still hold numbers too short to be told from a typing error
    told: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return _checked(told[1:])


def email(telecom: Telecom, scope: Scope) -> str | None:
    """An e-mail address."""
    if telecom.kind != "email" or not telecom.text:
        return None
    text = telecom.text.removeprefix("mailto:")
    if _EMAIL.fullmatch(text):
        return text
    scope.remark(RemarkCode.NOT_AN_EMAIL)
    return None


def address(stated: Address, scope: Scope) -> str | None:
    """An address as one line."""
    return ", ".join([place for place in stated.places if place]) or None
