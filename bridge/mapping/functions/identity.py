"""Which identifier is the patient's id, and which number the uhid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bridge.delivery import Allocation
from bridge.mapping.functions.compounds import Identifier
from bridge.mapping.scope import Candidates, Scope
from bridge.remarks import RemarkCode

#: Table 0203 and the ABDM code system ndhm-identifier-type-code: numbers of the nation that the
#: API has a field of its own for, or that must not identify a hospital's record
_AADHAAR_TYPES = frozenset({"ADN", "AADHAAR", "ADHAAR", "UIDAI"})
NATIONAL_TYPES = _AADHAAR_TYPES | {"ABHA", "HIN", "ABHA NUMBER", "ABHA ADDRESS"}
#: what systems and namespaces of these numbers hold; a sender may type an ABHA number MR
_NATIONAL_NAMES = frozenset({"abha", "abdm", "ndhm", "aadhaar"})
_NATIONAL_SYSTEM = re.compile(r"(?:ndhm|abdm)\.gov\.in|uidai")

#: Table 0203: numbers of the person outside the hospital, or of an account or a visit. Taken
#: only where the site names the type itself.
_NOT_RECORDS = frozenset({"SS", "SSN", "DL", "PPN", "AN", "VN", "AM", "BA", "CC", "CZ", "TAX"})
#: types that decide whether an identifier can be a record number
TELLING_TYPES = NATIONAL_TYPES | _NOT_RECORDS
_NOT_RECORD_SYSTEMS = ("us-ssn", "2.16.840.1.113883.4.1")

_SEPARATORS = re.compile(r"[\s./-]+")
_DIGITS = "0123456789"
#: digits that every JSON reader keeps exact: 2^53 has 16
_MAX_DIGITS = 15


def is_national(identifier: Identifier) -> bool:
    """An ABHA or Aadhaar number or address, by its type or its system."""
    for kind in identifier.types:
        if kind.upper() in NATIONAL_TYPES:
            return True
    system = identifier.authority.casefold()
    return system in _NATIONAL_NAMES or _NATIONAL_SYSTEM.search(system) is not None


def _rank(identifier: Identifier, wanted: tuple[str, ...]) -> int | None:
    """Place in the site's order, last for any other type, None for what is never an id."""
    if not identifier.value or is_national(identifier):
        return None
    for rank, kind in enumerate(wanted):
        if kind in identifier.types:
            return rank
    if not _NOT_RECORDS.isdisjoint(identifier.types):
        return None
    if identifier.authority.endswith(_NOT_RECORD_SYSTEMS):
        return None
    return len(wanted)


def order(candidates: Candidates, scope: Scope) -> Candidates:
    """The one identifier that is the record's, by the site's `identifier_types`."""
    wanted = scope.site.identifier_types
    best, best_rank = None, len(wanted) + 1
    for candidate in candidates:
        rank = _rank(candidate[0], wanted)
        if rank is not None and rank < best_rank:
            best, best_rank = candidate, rank
        if best_rank == 0:
            break
    return () if best is None else (best,)


def is_record_number(identifier: Identifier, scope: Scope) -> bool:
    """Whether an identifier can be the number of a patient's record at this site."""
    return _rank(identifier, scope.site.identifier_types) is not None


def is_any_number(identifier: Identifier, scope: Scope) -> bool:
    """Whether there is a number at all: visits and accounts have fields of their own."""
    return bool(identifier.value)


def value(identifier: Identifier, scope: Scope) -> str | None:
    """The identifier itself, exactly as sent."""
    return identifier.value or None


def authority(identifier: Identifier, scope: Scope) -> str:
    """Its assigning authority or system, or the channel's; "" settles that nobody is named."""
    return identifier.authority or scope.context.authority


def type_code(identifier: Identifier, scope: Scope) -> str:
    """Its type code of table 0203; "" where there is none."""
    return identifier.types[0] if identifier.types else ""


class _Number(NamedTuple):
    prefix: str
    digits: int


def _number(text: str, policies: Sequence[str]) -> _Number | None:
    """What the site's policies before `allocate` make of an identifier."""
    if not text.isalnum():
        text = _SEPARATORS.sub("", text)
    prefix = text.rstrip(_DIGITS)
    digits = text[len(prefix) :]
    if prefix and not (prefix.isascii() and prefix.isalpha()):
        return None
    if not 0 < len(digits) <= _MAX_DIGITS:
        return None
    number = int(digits)
    wanted = "prefix" if prefix else "digits"
    for policy in policies:
        if policy == wanted and number:
            return _Number(prefix, number)
        if policy == "allocate":
            break
    return None


def uhid(identifier: Identifier, scope: Scope) -> int | str | Allocation:
    """The number by `site.uhid`: digits, letters and digits, or one to be allocated."""
    policies = scope.site.uhid
    number = _number(identifier.value, policies)
    if number is not None:
        return number.digits
    if "allocate" in policies:
        return Allocation("uhid", "uhid", scope.external_id)
    scope.remark(RemarkCode.NO_UHID)
    return ""


def uhid_prefix(identifier: Identifier, scope: Scope) -> str:
    """The letters before the number, where `prefix` is what made the number."""
    number = _number(identifier.value, scope.site.uhid)
    return number.prefix if number is not None else ""


def aadhaar(identifier: Identifier, scope: Scope) -> str | None:
    """Twelve digits of an identifier that says by type or system that it is an Aadhaar number."""
    typed = [kind for kind in identifier.types if kind.upper() in _AADHAAR_TYPES]
    if not typed and "uidai" not in identifier.authority.casefold():
        return None
    digits = _SEPARATORS.sub("", identifier.value)
    if digits.isascii() and digits.isdigit() and len(digits) == 12:
        return digits
    scope.remark(RemarkCode.NOT_AN_AADHAAR_NUMBER)
    return None
